//! A plan as Markdown, for a comment on a change that is under review.

use std::fmt::{self, Write};

use super::line::Line;
use super::{Detail, Summary, group, text};
use crate::plan::Plan;
use crate::visible::visible;

/// Writes a plan: the summary, then each group of hosts with its lines as a diff.
///
/// # Errors
/// Those of `out`.
pub fn write_plan(plan: &Plan, detail: Detail, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "## Plan for {}\n", code(&plan.murder))?;
    writeln!(out, "{}", Summary::of(plan).sentence())?;
    for group in group::of_plan(plan, detail) {
        writeln!(out, "\n### {}\n", escaped(&text::title(&group)))?;
        let fence = fence(&group.lines);
        writeln!(out, "{fence}diff")?;
        for line in &group.lines {
            writeln!(out, "{}", outdented(&line.text))?;
        }
        writeln!(out, "{fence}")?;
    }
    Ok(())
}

/// A text as code in a line: between more backticks than it has in a row (CommonMark, "code spans").
fn code(text: &str) -> String {
    let text = visible(text);
    if !text.contains('`') {
        return format!("`{text}`");
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    format!("{ticks} {text} {ticks}")
}

/// A title in which nothing is Markdown or HTML: no link, image or mention of a stranger.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in visible(text).chars() {
        if "\\`*_[]<>!|#~@&".contains(c) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
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
    fn a_title_is_no_markup() {
        assert_eq!(
            escaped("a [x](http://y) <img>"),
            "a \\[x\\](http://y) \\<img\\>"
        );
        assert_eq!(code("example.org"), "`example.org`");
        assert_eq!(code("a`b\n"), "`` a`b\\n ``");
    }

    #[test]
    fn no_text_of_a_host_closes_the_fence() {
        assert_eq!(fence(&[Line::new(Tone::Plain, "a")]), "```");
        assert_eq!(fence(&[Line::new(Tone::Plain, "a ```` b `")]), "`````");
    }
}
