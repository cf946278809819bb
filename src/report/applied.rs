//! What an apply did, as text for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::forge::Forge;
use super::group::{self, Group};
use super::line::{Line, Tone, count};
use super::markdown::{Markdown, code, marker, write_groups};
use super::outcome_words::{because, words};
use super::{Detail, held, steps, text};
use crate::exchange::{Failure, NotDone};
use crate::outcome::{ApplyResult, Outcome};
use crate::service::Service;

/// Writes the outcome of each host, once for each group of hosts with the same outcome, and a summary line. `phases`
/// adds the messages of each phase; what could not be checked is always shown.
///
/// # Errors
/// Those of `out`.
pub fn write_apply(
    applied: &ApplyResult,
    phases: bool,
    color: bool,
    out: &mut impl Write,
) -> fmt::Result {
    let shown = applied
        .hosts
        .iter()
        .map(|(host, outcome)| (host, of_outcome(outcome, phases)));
    // A group with one line stays on one line; what needs attention has its own paragraph.
    for group in group::of_lines(shown) {
        write_outcome(&group, color, out)?;
    }
    Line::new(Tone::Title, sentence(applied)).write(out, color)
}

/// Writes the outcome of each host as Markdown: the figures, then each group of hosts with the same outcome, folded. What
/// is too long for the forge is left out, group by group, and named.
///
/// # Errors
/// Those of `out`.
pub fn write_markdown(
    applied: &ApplyResult,
    how: &Markdown<'_>,
    out: &mut impl Write,
) -> fmt::Result {
    let folds = how.forge.is_none_or(Forge::folds);
    let head = format!(
        "{}\n\n## Apply of {}\n\n{}\n",
        marker("apply", &applied.murder, folds),
        code(&applied.murder),
        sentence(applied)
    );
    let shown = applied
        .hosts
        .iter()
        .map(|(host, outcome)| (host, of_outcome(outcome, false)));
    write_groups(&head, &group::of_lines(shown), how, out)
}

fn write_outcome(group: &Group<'_>, color: bool, out: &mut impl Write) -> fmt::Result {
    if let [line] = &*group.lines {
        let text = format!("{}: {}", text::short_title(group), line.text.trim_start());
        return Line::new(line.tone, text).write(out, color);
    }
    text::write_group(group, color, out)
}

const ALREADY_APPLIED: &str = "  already applied: the host's generation is of this plan";

/// The lines of one host; none if there was nothing to do.
fn of_outcome(outcome: &Outcome, phases: bool) -> Vec<Line> {
    let mut lines = match outcome {
        Outcome::Converged => Vec::new(),
        Outcome::Maintenance(one) => vec![held::of_maintenance(one)],
        Outcome::AlreadyApplied => vec![Line::new(Tone::Plain, ALREADY_APPLIED)],
        Outcome::Done { log, stopped } => of_done(log, &[], &[], stopped, phases),
        Outcome::NotProbed { log, not_probed } => of_done(log, &[], not_probed, &[], phases),
        Outcome::FaultRemains {
            log,
            faults,
            not_probed,
            stopped,
        } => of_done(log, faults, not_probed, stopped, phases),
        Outcome::Remains { plan } => {
            let mut lines = vec![Line::new(
                Tone::Failure,
                "  ! applied, but the host still differs from the plan:",
            )];
            lines.extend(steps::of_plan(plan, Detail::Summary));
            lines
        }
        Outcome::NotDone(NotDone::Stale { thing }) => vec![Line::new(
            Tone::Failure,
            format!(
                "  ! stale: {thing} changed after the plan was made; nothing was changed on this host"
            ),
        )],
        Outcome::Refused { refusals } => refusals.iter().map(steps::of_refusal).collect(),
        Outcome::NotAttempted { why, evidence } => {
            let line = |text| Line::new(Tone::Warning, text);
            let mut lines = vec![line(format!("  not attempted: {}", because(*why)))];
            lines.extend(evidence.iter().map(|one| line(format!("      {one}"))));
            lines
        }
        Outcome::Interrupted => vec![Line::new(
            Tone::Warning,
            format!("  {}", words(outcome).title),
        )],
        Outcome::Unreachable {
            error,
            allowed: true,
        } => steps::of_failure("unreachable (allowed)", error),
        Outcome::NotDone(_)
        | Outcome::Unreachable { .. }
        | Outcome::Detached { .. }
        | Outcome::Failed { .. } => outcome
            .failure()
            .map(|error| steps::of_failure(words(outcome).title, error))
            .unwrap_or_default(),
    };
    let has_hint = |failure: &Failure| failure.hint.is_some();
    if let Some(hint) = words(outcome).next
        && !outcome.failure().is_some_and(has_hint)
    {
        lines.push(Line::new(Tone::Plain, format!("      help: {hint}")));
    }
    lines
}

/// The lines of a host that has applied its plan; `log` is what its phases said.
fn of_done(
    log: &[String],
    faults: &[String],
    not_probed: &[String],
    stopped: &[Service],
    phases: bool,
) -> Vec<Line> {
    let warning = |text: String| Line::new(Tone::Warning, text);
    let mut lines = Vec::new();
    for fault in faults {
        lines.push(warning(format!("  done, fault remains: {fault}")));
    }
    if !faults.is_empty() {
        let hint = "      help: the host had this fault before, so nothing was put back; see the log of the host, and `probe:` in the manifest";
        lines.push(Line::new(Tone::Plain, hint));
    }
    for why in not_probed {
        lines.push(warning(match faults {
            [] => format!("  done, not probed: {why}"),
            _ => format!("  not probed: {why}"),
        }));
    }
    if lines.is_empty() {
        lines.push(Line::new(Tone::Added, "  done"));
    }
    if !stopped.is_empty() {
        lines.push(warning(
            "  note: Postfix does not run here, and `murder` did not start it".to_owned(),
        ));
        let commands = stopped.iter().map(Service::start_command);
        let commands: Vec<String> = commands.map(|one| format!("`{one}`")).collect();
        let help = format!("      help: start it with {}", commands.join(" or "));
        lines.push(Line::new(Tone::Plain, help));
    }
    for said in log {
        if is_unproved(said) {
            lines.push(warning(format!("      {said}")));
        } else if phases {
            lines.push(Line::new(Tone::Faint, format!("      {said}")));
        }
    }
    lines
}

/// Whether a message of a host says that it could not check something.
fn is_unproved(words: &str) -> bool {
    ["not proven", "not verified"]
        .iter()
        .any(|start| words.starts_with(start))
}

/// `3 hosts: 2 done, 1 unreachable, 12 with nothing to do`, the worst first.
fn sentence(applied: &ApplyResult) -> String {
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for outcome in applied.hosts.values() {
        let words = words(outcome);
        *counts.entry((words.rank, words.brief)).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|((_, words), number)| format!("{number} {words}"))
        .collect();
    let hosts = count(applied.hosts.len(), "host");
    if parts.is_empty() {
        return hosts;
    }
    format!("{hosts}: {}", parts.join(", "))
}
