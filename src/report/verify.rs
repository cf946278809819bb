//! What `verify` found, for people.

use std::fmt::Write as _;

use crate::mail::EndAction;
use crate::verify::{FailureEffect, Finding, FindingCode, MailFailure};
use crate::visible::{visible, visible_lines};

/// How many findings of one code are shown, if not all are asked for.
pub const SHOWN: usize = 10;

/// How many lines of one advice are shown: a change of many entries is in the other formats as a whole.
const LINES_OF_HELP: usize = 20;

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
        write_first(group, most, evidence, &mut text);
        text.push('\n');
    }
    text.push_str(&sentence(findings, counts));
    text
}

/// The trace of the first finding of a code, and what to do: each advice once, and of the changes of entries the first.
fn write_first(
    group: &[Finding],
    most: usize,
    evidence: &dyn Fn(&Finding) -> Option<String>,
    text: &mut String,
) {
    let mut seen = group.iter();
    if let Some(trace) = seen.find_map(evidence) {
        for line in trace.lines() {
            let _ = writeln!(text, "    | {line}");
        }
    }
    let mut helps: Vec<&str> = Vec::new();
    let (mut changes, mut lines_of_changes) = (0, 0);
    for finding in group.iter().take(most) {
        let help = finding.help.trim_end();
        let is_change = help.contains("\nchangetype: ");
        if is_change {
            changes += 1;
            lines_of_changes = lines_of_changes.max(help.lines().count());
        }
        if !(helps.contains(&help) || is_change && changes > 1) {
            helps.push(help);
        }
    }
    for help in helps {
        let shown = visible_lines(help);
        for (number, line) in shown.lines().take(LINES_OF_HELP).enumerate() {
            let head = if number == 0 { "help:" } else { "     " };
            let _ = writeln!(text, "  {head} {line}");
        }
    }
    if group.len().min(most) < group.len() || changes > 1 || lines_of_changes > LINES_OF_HELP {
        let _ = writeln!(
            text,
            "        (all of it: `--format json --code {}`)",
            group.first().map_or("", |finding| finding.code.word())
        );
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
