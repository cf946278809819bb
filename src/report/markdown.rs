//! A plan as Markdown, for a comment on a change that is under review: first what keeps it from being applied, then
//! the figures, then each group of hosts, folded.
//!
//! Texts of hosts are only in fenced code blocks and in code spans, where they are no markup, no HTML and no mention.
//! Titles hold names of hosts alone, which have no such characters.

use std::fmt::{self, Write};

use super::forge::{Forge, measure};
use super::group::{self, Group};
use super::line::{Line, Tone, count};
use super::orphans::of_orphans;
use super::outcome_words::failure_word;
use super::{Detail, Summary, steps, text};
use crate::name::HostName;
use crate::plan::{HostVerdict, Plan, Verdict};
use crate::visible::visible;

/// At most so many reasons against an apply are listed, and so many characters of each.
const REASONS: usize = 20;
const REASON: usize = 300;

/// At most so many groups that were cut are named, and so many characters of each name.
const CUT: usize = 5;
const NAMES: usize = 100;

/// How a plan is written as Markdown.
#[derive(Debug, Clone, Copy)]
pub struct Markdown<'a> {
    /// How much of each file is shown.
    pub detail: Detail,
    /// Where it is posted, if that is known.
    pub forge: Option<Forge>,
    /// The command that shows all of it.
    pub command: &'a str,
    /// The lines about what it means for mail, if that was asked.
    pub mail: Option<&'a str>,
}

/// Writes a plan. What is too long for the forge is left out, group by group, and named.
///
/// # Errors
/// Those of `out`.
pub fn write_plan(plan: &Plan, how: &Markdown<'_>, out: &mut impl Write) -> fmt::Result {
    let folds = how.forge.is_none_or(Forge::folds);
    write_groups(
        &head(plan, folds),
        &group::of_plan(plan, how.detail),
        how,
        out,
    )
}

/// Writes a head, and groups of hosts behind it. What is too long for the forge is left out, group by group, and named.
///
/// # Errors
/// Those of `out`.
pub(super) fn write_groups(
    head: &str,
    groups: &[Group<'_>],
    how: &Markdown<'_>,
    out: &mut impl Write,
) -> fmt::Result {
    let folds = how.forge.is_none_or(Forge::folds);
    let sections: Vec<Section> = groups.iter().map(|it| Section::of(it, folds)).collect();
    let limit = how.forge.map_or(usize::MAX, Forge::limit);
    let head = &format!("{head}{}", mail_part(how.mail, limit));
    let whole: usize = sections.iter().map(|it| measure(&it.whole)).sum();
    out.write_str(head)?;
    if measure(head) + whole <= limit {
        return sections.iter().try_for_each(|it| out.write_str(&it.whole));
    }
    let longest = cut_note(
        how,
        limit,
        sections.len(),
        &sections.iter().collect::<Vec<_>>(),
    );
    // The names in the note differ in length, each within its own bound.
    let reserved = measure(head) + measure(&longest) + CUT * 2 * NAMES;
    let mut left = limit.saturating_sub(reserved);
    let mut shown = String::new();
    let mut cut: Vec<&Section> = Vec::new();
    for section in &sections {
        let forms = [&section.whole, &section.brief];
        match forms.into_iter().find(|form| measure(form) <= left) {
            Some(form) => {
                left -= measure(form);
                shown += form;
                if form != &section.whole {
                    cut.push(section);
                }
            }
            None => {
                left = 0;
                cut.push(section);
            }
        }
    }
    out.write_str(&cut_note(how, limit, cut.len(), &cut))?;
    out.write_str(&shown)
}

/// The marker by which a bot finds its last comment, what keeps the plan from being applied, and the figures.
fn head(plan: &Plan, folds: bool) -> String {
    let marker = marker("plan", &plan.murder, folds);
    let mut head = format!("{marker}\n\n## Plan for {}\n\n", code(&plan.murder));
    let reasons = reasons(plan);
    for reason in reasons.iter().take(REASONS) {
        head += &format!("- {reason}\n");
    }
    if let Some(more @ 1..) = reasons.len().checked_sub(REASONS) {
        head += &format!("- and {}\n", count(more, "more reason"));
    }
    let orphans = of_orphans(plan);
    for line in orphans.iter().take(2 * REASONS) {
        head += &format!("- {}\n", code(line.text.trim()));
    }
    if !reasons.is_empty() || !orphans.is_empty() {
        head.push('\n');
    }
    head + &Summary::of(plan).sentence() + "\n"
}

/// What it means for mail, as a block of text that takes a third of the limit at most.
fn mail_part(mail: Option<&str>, limit: usize) -> String {
    let Some(mail) = mail else {
        return String::new();
    };
    let (mut block, mut left) = (String::new(), limit / 3);
    for line in mail.lines() {
        // No line ends the block.
        let line = visible(line).replace('`', "'");
        let Some(rest) = left.checked_sub(measure(&line) + 1) else {
            block += "  …\n";
            break;
        };
        left = rest;
        block += &format!("{line}\n");
    }
    format!("\n```text\n{block}```\n")
}

/// The hidden line by which a bot finds its last comment of this kind.
pub(super) fn marker(kind: &str, murder: &str, folds: bool) -> String {
    let name: String = murder.chars().map(marker_character).collect();
    match folds {
        true => format!("<!-- murder:{kind}:{name} -->"),
        // A link that nothing refers to is not shown, also where a comment of HTML would be.
        false => format!("[//]: # (murder:{kind}:{name})"),
    }
}

/// A character of a name in a marker: it cannot end the marker.
fn marker_character(c: char) -> char {
    if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
        c
    } else {
        '-'
    }
}

/// Failures and refusals, each once, with the hosts that have it.
fn reasons(plan: &Plan) -> Vec<String> {
    let of_each = plan.hosts.iter().flat_map(|(host, verdict)| {
        let lines = lines_against(verdict);
        lines.into_iter().map(move |line| (host, line))
    });
    let mut all: Vec<(&HostName, Line)> = of_each.collect();
    let rank = |line: &Line| usize::from(line.tone != Tone::Failure);
    all.sort_by_key(|(_, line)| rank(line));
    let groups = group::of_lines(all.into_iter().map(|(host, line)| (host, vec![line])));
    let reason = |group: &Group<'_>| {
        let text = group.lines.first().map_or("", |line| line.text.as_str());
        let text = shortened(text.trim_start_matches([' ', '!']), REASON);
        format!("{}: {}", code(&text::short_title(group)), code(&text))
    };
    groups.iter().map(reason).collect()
}

fn lines_against(verdict: &HostVerdict) -> Vec<Line> {
    let failure = |unreachable, error| {
        let mut lines = steps::of_failure(failure_word(unreachable), error);
        lines.truncate(1);
        lines
    };
    match &verdict.verdict {
        Verdict::Converged | Verdict::Maintenance(_) => Vec::new(),
        Verdict::Changes(plan) => plan.refusals.iter().map(steps::of_refusal).collect(),
        Verdict::Unreachable { error } => failure(true, error),
        Verdict::Failed { error } => failure(false, error),
    }
}

/// A group of hosts, in the forms that it can have.
struct Section {
    title: String,
    whole: String,
    /// Without the texts of files and long values.
    brief: String,
}

impl Section {
    fn of(group: &Group<'_>, folds: bool) -> Self {
        let title = text::title(group);
        let is_head = |line: &&Line| !line.text.starts_with("      ");
        let heads: Vec<Line> = group.lines.iter().filter(is_head).cloned().collect();
        let brief = format!("{} (texts cut)", shortened(&title, NAMES));
        Self {
            whole: block(&title, &group.lines, folds),
            brief: block(&brief, &heads, folds),
            title,
        }
    }
}

/// A title, and lines below it as a diff.
fn block(title: &str, lines: &[Line], folds: bool) -> String {
    let fence = fence(lines);
    let mut text = match folds {
        true => format!(
            "\n<details>\n<summary><code>{}</code></summary>\n\n",
            html(title)
        ),
        false => format!("\n### {}\n\n", code(title)),
    };
    text += &format!("{fence}diff\n");
    for line in lines {
        text += outdented(&line.text);
        text.push('\n');
    }
    text += &format!("{fence}\n");
    if folds {
        text += "\n</details>\n";
    }
    text
}

/// What was cut, and the command that shows it.
fn cut_note(how: &Markdown<'_>, limit: usize, number: usize, cut: &[&Section]) -> String {
    let names = cut.iter().take(CUT);
    let mut names: Vec<String> = names.map(|it| code(&shortened(&it.title, NAMES))).collect();
    if let Some(more @ 1..) = number.checked_sub(CUT) {
        names.push(count(more, "more group"));
    }
    format!(
        "\n**Cut to {limit} characters.** {} not shown in full: {}.\nSee all with {}\n",
        if number == 1 {
            "One group is".to_owned()
        } else {
            format!("{} are", count(number, "group"))
        },
        names.join(", "),
        code(&shortened(how.command, REASON)),
    )
}

/// The first characters of a text.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A text as code in a line: between more backticks than it has in a row (CommonMark, "code spans").
pub(super) fn code(text: &str) -> String {
    let text = visible(text);
    if text.trim().is_empty() {
        // Blanks alone are no code span.
        return "` - `".to_owned();
    }
    if !text.contains('`') {
        return format!("`{text}`");
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest + 1);
    format!("{ticks} {text} {ticks}")
}

/// A text in HTML.
fn html(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => shown += "&amp;",
            '<' => shown += "&lt;",
            '>' => shown += "&gt;",
            '"' => shown += "&quot;",
            other => shown.push(other),
        }
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
mod tests;
