//! What `verify` found, for people.

use std::fmt::Write as _;

use crate::mail::EndAction;
use crate::verify::{FailureEffect, Finding, FindingCode, MailFailure};
use crate::visible::{visible, visible_lines};

/// How many findings of one code are shown, if not all are asked for.
pub const SHOWN: usize = 10;

/// The counts of a report.
#[derive(Debug, Clone, Copy)]
pub struct VerifyCounts<'a> {
    /// Addresses that were tried.
    pub addresses: usize,
    /// Entries of the directory.
    pub entries: usize,
    /// Addresses by what becomes of their mail where most mail enters.
    pub by_verdict: &'a [(EndAction, usize)],
    /// Findings that the baseline has.
    pub accepted: usize,
}

/// Writes findings by code, then the counts. `evidence` gives the trace of a finding as text. At most `most` findings of a
/// code are shown.
#[must_use]
pub fn text(
    findings: &[Finding],
    counts: VerifyCounts<'_>,
    most: usize,
    evidence: &dyn Fn(&Finding) -> Option<String>,
) -> String {
    let mut text = String::new();
    for group in findings.chunk_by(|left, right| left.code == right.code) {
        let Some(code) = group.first().map(|finding| finding.code) else {
            continue;
        };
        let severity = code.severity().word();
        let count = group.len();
        let _ = writeln!(text, "{severity}: {code} ({count}): {}", code.summary());
        for finding in group.iter().take(most) {
            let _ = writeln!(text, "  {}", visible(&finding.text));
        }
        if count > most {
            let _ = writeln!(text, "  … and {} more (`--all` shows them)", count - most);
        }
        write_first(group, evidence, &mut text);
        text.push('\n');
    }
    text.push_str(&sentence(findings, counts));
    text
}

/// What to do about the first finding of a code, and its trace.
fn write_first(
    group: &[Finding],
    evidence: &dyn Fn(&Finding) -> Option<String>,
    text: &mut String,
) {
    let Some(first) = group.first() else { return };
    if let Some(trace) = evidence(first) {
        for line in trace.lines() {
            let _ = writeln!(text, "    | {line}");
        }
    }
    let lines = visible_lines(first.help.trim_end());
    let mut lines = lines.lines();
    let _ = writeln!(text, "  help: {}", lines.next().unwrap_or_default());
    for line in lines {
        let _ = writeln!(text, "        {line}");
    }
}

/// The counts in one line.
#[must_use]
pub fn sentence(findings: &[Finding], counts: VerifyCounts<'_>) -> String {
    let verdicts: Vec<String> = counts
        .by_verdict
        .iter()
        .map(|(verdict, count)| format!("{count} {}", verdict.word()))
        .collect();
    let verdicts = match verdicts.is_empty() {
        true => String::new(),
        false => format!(" ({})", verdicts.join(", ")),
    };
    let accepted = match counts.accepted {
        0 => String::new(),
        count => format!(", {count} accepted by the baseline"),
    };
    format!(
        "{} of {}{verdicts}: {}{accepted}\n",
        plural(counts.addresses, "address", "addresses"),
        plural(counts.entries, "entry", "entries"),
        plural(findings.len(), "finding", "findings"),
    )
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// How many findings each code has.
#[must_use]
pub fn by_code(findings: &[Finding]) -> Vec<(FindingCode, usize)> {
    let groups = findings.chunk_by(|left, right| left.code == right.code);
    groups
        .filter_map(|group| Some((group.first()?.code, group.len())))
        .collect()
}

/// What failures do to mail: those that make mail bounce or loop first, and then how many only delay it.
#[must_use]
pub fn what_if(effects: &[(MailFailure, FailureEffect)]) -> String {
    let mut text = String::new();
    let (kept, broken): (Vec<_>, Vec<_>) = effects.iter().partition(|(_, effect)| effect.is_kept());
    for (failure, effect) in &broken {
        let _ = writeln!(
            text,
            "error: without {}, mail is lost: {}",
            failure.name,
            effect_words(effect)
        );
        let _ = writeln!(
            text,
            "  for example {}",
            visible(&effect.examples.join(", "))
        );
    }
    for (failure, effect) in kept.iter().take(SHOWN) {
        let _ = writeln!(text, "without {}: {}", failure.name, effect_words(effect));
    }
    if kept.len() > SHOWN {
        let _ = writeln!(
            text,
            "… and {} more that delay mail at most",
            kept.len() - SHOWN
        );
    }
    let _ = writeln!(
        text,
        "{}: {} delay mail at most, {} lose it",
        plural(effects.len(), "failure", "failures"),
        kept.len(),
        broken.len()
    );
    text
}

fn effect_words(effect: &FailureEffect) -> String {
    let parts = [
        (effect.bounced, "bounces"),
        (effect.looped, "loops"),
        (effect.not_modelled, "is not modelled"),
        (effect.deferred, "waits"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("mail of {} {word}", plural(*count, "address", "addresses")))
        .collect();
    match parts.is_empty() {
        true => "no address is concerned".to_owned(),
        false => parts.join(", "),
    }
}
