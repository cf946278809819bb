//! A plan as Markdown, for a comment on a change that is under review.

use std::fmt::{self, Write};

use super::line::Line;
use super::{Detail, Summary, group, text};
use crate::plan::Plan;

/// Writes a plan: the summary, then each group of hosts with its lines as a diff.
///
/// # Errors
/// Those of `out`.
pub fn write_plan(plan: &Plan, detail: Detail, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "## Plan for `{}`\n", plan.murder)?;
    writeln!(out, "{}", Summary::of(plan).sentence())?;
    for group in group::of_plan(plan, detail) {
        writeln!(out, "\n### {}\n", text::title(&group))?;
        let fence = fence(&group.lines);
        writeln!(out, "{fence}diff")?;
        for line in &group.lines {
            writeln!(out, "{}", outdented(&line.text))?;
        }
        writeln!(out, "{fence}")?;
    }
    Ok(())
}

/// A fence longer than any run of backticks between its two ends (CommonMark, "fenced code blocks").
fn fence(lines: &[Line]) -> String {
    let longest = lines
        .iter()
        .flat_map(|line| line.text.split(|c| c != '`'))
        .map(str::len)
        .max()
        .unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Marks stand in the first column, where a `diff` block colours them; steps stay above their diffs.
fn outdented(text: &str) -> &str {
    text.strip_prefix("      ")
        .or_else(|| text.strip_prefix("  "))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::line::Tone;

    #[test]
    fn no_text_of_a_host_closes_the_fence() {
        assert_eq!(fence(&[Line::new(Tone::Plain, "a")]), "```");
        assert_eq!(fence(&[Line::new(Tone::Plain, "a ```` b `")]), "`````");
    }
}
