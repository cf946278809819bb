//! A plan as text for people.

use std::fmt::{self, Write};

use super::group::{self, Group};
use super::line::{Line, Tone, count, write_all};
use super::{Detail, Summary};
use crate::plan::Plan;

/// At most this many names of a group are spelt out.
const NAMES: usize = 3;

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

/// `backend1.example.org and 39 more hosts (backend2.example.org, …)`.
#[must_use]
pub fn title(group: &Group<'_>) -> String {
    let mut text = group.first.to_string();
    if group.others.is_empty() {
        return text;
    }
    let mut names: Vec<&str> = group
        .others
        .iter()
        .take(NAMES)
        .map(|name| name.as_str())
        .collect();
    if group.others.len() > NAMES {
        names.push("…");
    }
    text += &format!(
        " and {} ({})",
        count(group.others.len(), "more host"),
        names.join(", ")
    );
    if group.own_names {
        text += ", each with its own name";
    }
    text
}
