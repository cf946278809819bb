//! A plan as text for people.

use std::fmt::{self, Write};

use super::group::{self, Group};
use super::line::{Line, Tone, count, write_all};
use super::orphans::of_orphans;
use super::{Detail, Summary, host_names};
use crate::plan::{Plan, Verdict};

/// Writes a plan: groups of hosts with their steps, and the summary line.
///
/// # Errors
/// Those of `out`.
pub fn write_plan(plan: &Plan, detail: Detail, color: bool, out: &mut impl Write) -> fmt::Result {
    for group in group::of_plan(plan, detail) {
        write_group(&group, color, out)?;
    }
    write_all(&of_orphans(plan), out, color)?;
    write_summary(&Summary::of(plan), color, out)
}

/// Writes what keeps hosts of a plan from being applied, and the summary line of the whole plan: for a plan that was read
/// before.
///
/// # Errors
/// Those of `out`.
pub fn write_obstacles(
    plan: &Plan,
    detail: Detail,
    color: bool,
    out: &mut impl Write,
) -> fmt::Result {
    let mut stopped = plan.clone();
    stopped.hosts.retain(|_, host| match &host.verdict {
        Verdict::Changes(plan) => !plan.refusals.is_empty(),
        Verdict::Unreachable { .. } | Verdict::Failed { .. } => true,
        _ => false,
    });
    for group in group::of_plan(&stopped, detail) {
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

/// `backend[001:400].example.org: 400 hosts, same changes; {host}: the name of each`.
#[must_use]
pub fn title(group: &Group<'_>) -> String {
    let mut text = names(group);
    let same = match &group.same_as {
        Some(same) => {
            let what = if same.has_more { "and" } else { "except" };
            Some(format!("the same as {}, {what}", same.hosts))
        }
        None if group.hosts.len() == 1 => None,
        None => Some(format!("same {}", noun(group))),
    };
    let number = (group.hosts.len() > 1).then(|| hosts(group));
    let parts: Vec<String> = number.into_iter().chain(same).collect();
    if !parts.is_empty() {
        text += &format!(": {}", parts.join(", "));
    }
    text + &own_names(group)
}

/// The title of a group whose lines fit on its own line: `backend[1,3].example.org, 2 hosts`.
#[must_use]
pub fn short_title(group: &Group<'_>) -> String {
    match &*group.hosts {
        [host] => host.to_string(),
        _ => format!("{}, {}{}", names(group), hosts(group), own_names(group)),
    }
}

/// What the lines of a group are.
fn noun(group: &Group<'_>) -> &'static str {
    let is_report = |line: &Line| matches!(line.tone, Tone::Warning | Tone::Failure);
    match group.lines.first().is_some_and(is_report) {
        true => "report",
        false => "changes",
    }
}

/// What the place-holders of a group stand for.
fn own_names(group: &Group<'_>) -> String {
    match &*group.place_holders {
        [] => String::new(),
        some => format!("; {}: each host's own", some.join(", ")),
    }
}

fn names(group: &Group<'_>) -> String {
    host_names::short(group.hosts.iter().copied())
}

fn hosts(group: &Group<'_>) -> String {
    count(group.hosts.len(), "host")
}
