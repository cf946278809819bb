//! What `verify` found, as Markdown for a comment or an issue.

use std::fmt::Write as _;

use super::markdown::code;
use super::verify::{VerifyCounts, sentence, what_if};
use crate::verify::{FailureEffect, Finding, FindingSeverity, MailFailure};

/// Writes the counts, then each code with its findings folded. At most `most` findings of a code are shown.
#[must_use]
pub fn markdown(
    findings: &[Finding],
    counts: VerifyCounts<'_>,
    effects: &[(MailFailure, FailureEffect)],
    most: usize,
) -> String {
    let mut text = format!("## Mail\n\n{}", sentence(findings, counts));
    for group in findings.chunk_by(|left, right| left.code == right.code) {
        let Some(first) = group.first() else { continue };
        let mark = match first.code.severity() {
            FindingSeverity::Error => "❌",
            FindingSeverity::Warning => "⚠️",
        };
        let _ = writeln!(
            text,
            "\n<details><summary>{mark} {} ({}): {}</summary>\n",
            first.code,
            group.len(),
            first.code.summary()
        );
        for finding in group.iter().take(most) {
            let _ = writeln!(text, "- {}", code(&finding.text));
        }
        if group.len() > most {
            let _ = writeln!(text, "- … and {} more", group.len() - most);
        }
        let _ = writeln!(text, "\nWhat to do:\n");
        for line in first.help.trim_end().lines() {
            let _ = writeln!(text, "{}  ", code(line));
        }
        let _ = writeln!(text, "\n</details>");
    }
    if !effects.is_empty() {
        let _ = writeln!(text, "\n```text\n{}```", what_if(effects));
    }
    text
}
