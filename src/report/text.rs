//! A plan as text for people.

use std::fmt::{self, Write};
use std::iter;

use super::group::{self, Group};
use super::line::{Line, Tone, count, write_all};
use super::{Detail, Summary, host_names};
use crate::plan::Plan;

/// Writes a plan: groups of hosts with their steps, and the summary line.
///
/// # Errors
/// Those of `out`.
pub fn write_plan(plan: &Plan, detail: Detail, color: bool, out: &mut impl Write) -> fmt::Result {
    for group in group::of_plan(plan, detail) {
        write_group(&group, color, out)?;
    }
    write_summary(&Summary::of(plan), color, out)
}

/// Writes the summary line alone.
///
/// # Errors
/// Those of `out`.
pub fn write_summary(summary: &Summary, color: bool, out: &mut impl Write) -> fmt::Result {
    Line::new(Tone::Title, summary.sentence()).write(out, color)
}

/// Writes one group of hosts, with an empty line after it.
///
/// # Errors
/// Those of `out`.
pub fn write_group(group: &Group<'_>, color: bool, out: &mut impl Write) -> fmt::Result {
    Line::new(Tone::Title, title(group)).write(out, color)?;
    write_all(&group.lines, out, color)?;
    writeln!(out)
}

/// `backend[1,3].example.org: 2 hosts, same changes`. If the lines name their own host, it says which host is shown.
#[must_use]
pub fn title(group: &Group<'_>) -> String {
    if group.others.is_empty() {
        return group.first.to_string();
    }
    let is_report = |line: &Line| matches!(line.tone, Tone::Warning | Tone::Failure);
    let same = if group.lines.first().is_some_and(is_report) {
        "same report"
    } else {
        "same changes"
    };
    let mut text = format!("{}: {}, {same}", names(group), hosts(group));
    if group.own_names {
        text += &format!("; shown for {}", group.first);
    }
    text
}

/// The title of a group whose lines fit on its own line: `backend[1,3].example.org, 2 hosts`.
#[must_use]
pub fn short_title(group: &Group<'_>) -> String {
    if group.others.is_empty() {
        return group.first.to_string();
    }
    format!("{}, {}", names(group), hosts(group))
}

fn names(group: &Group<'_>) -> String {
    host_names::short(iter::once(group.first).chain(group.others.iter().copied()))
}

fn hosts(group: &Group<'_>) -> String {
    count(group.others.len() + 1, "host")
}
