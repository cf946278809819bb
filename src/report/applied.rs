//! What an apply did, as text for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::group::{self, Group};
use super::line::{Line, Tone, count};
use super::{Detail, steps, text};
use crate::outcome::{Applied, Outcome, Postponed};
use crate::plan::Failure;

/// Writes what became of each host, groups of hosts with the same fate once, and a summary line.
/// `phases` shows what each phase on the hosts said, too; what could not be proved is said always.
///
/// # Errors
/// Those of `out`.
pub fn write_apply(
    applied: &Applied,
    phases: bool,
    color: bool,
    out: &mut impl Write,
) -> fmt::Result {
    let shown = applied
        .hosts
        .iter()
        .map(|(host, outcome)| (host, of_outcome(outcome, phases)));
    // Good news is one line a group; what needs a person has its own paragraph.
    for group in group::of_lines(shown) {
        write_fate(&group, color, out)?;
    }
    Line::new(Tone::Title, sentence(applied)).write(out, color)
}

fn write_fate(group: &Group<'_>, color: bool, out: &mut impl Write) -> fmt::Result {
    if let [line] = &*group.lines {
        let text = format!("{}: {}", text::title(group), line.text.trim_start());
        return Line::new(line.tone, text).write(out, color);
    }
    text::write_group(group, color, out)
}

/// The lines of one host; none where there was nothing to do.
fn of_outcome(outcome: &Outcome, phases: bool) -> Vec<Line> {
    let mut lines = match outcome {
        Outcome::Converged => Vec::new(),
        Outcome::Done { log, stopped } => {
            let mut lines = vec![Line::new(Tone::Added, "  done")];
            if *stopped {
                lines.push(Line::new(
                    Tone::Warning,
                    "  note: Postfix does not run here, and was not started",
                ));
                lines.push(Line::new(Tone::Plain, "      help: `postfix start`"));
            }
            for words in log {
                if words.starts_with(WARNING) {
                    lines.push(Line::new(Tone::Warning, format!("  {words}")));
                    let hint = "      help: the apply did not change it; see the log of the host, and `probe:` of the manifest";
                    lines.push(Line::new(Tone::Plain, hint));
                } else if is_unproved(words) {
                    lines.push(Line::new(Tone::Warning, format!("      {words}")));
                } else if phases {
                    lines.push(Line::new(Tone::Faint, format!("      {words}")));
                }
            }
            lines
        }
        Outcome::Remains { plan } => {
            let mut lines = vec![Line::new(
                Tone::Failure,
                "  ! applied, and a second look still finds a difference:",
            )];
            lines.extend(steps::of_plan(plan, Detail::Summary));
            lines
        }
        Outcome::Stale { thing } => vec![Line::new(
            Tone::Failure,
            format!("  ! stale: {thing} has changed since the plan; nothing was written"),
        )],
        Outcome::Refused { refusals } => refusals.iter().map(steps::of_refusal).collect(),
        Outcome::NotAttempted { why } => {
            vec![Line::new(
                Tone::Warning,
                format!("  not attempted: {}", because(*why)),
            )]
        }
        Outcome::Unreachable {
            error,
            allowed: true,
        } => steps::of_failure("unreachable (allowed)", error),
        Outcome::PutBack { .. }
        | Outcome::Untouched { .. }
        | Outcome::Locked { .. }
        | Outcome::HalfWay { .. }
        | Outcome::Unreachable { .. }
        | Outcome::Detached { .. }
        | Outcome::Failed { .. } => outcome
            .failure()
            .map(|error| steps::of_failure(word(outcome), error))
            .unwrap_or_default(),
    };
    if let Some(hint) = next(outcome) {
        lines.push(Line::new(Tone::Plain, format!("      help: {hint}")));
    }
    lines
}

/// How a host begins what it found wrong, and could not take for a consequence of the apply.
const WARNING: &str = "warning: ";

/// Whether a host says that it could not try something: done, as far as it can tell.
fn is_unproved(words: &str) -> bool {
    ["not probed", "not verified"]
        .iter()
        .any(|start| words.starts_with(start))
}

/// How a fate is called.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Converged => "nothing to do",
        Outcome::Done { .. } => "done",
        Outcome::Remains { .. } => "not converged",
        Outcome::Stale { .. } => "stale",
        Outcome::PutBack { .. } => "failed, and put back as it was",
        Outcome::Untouched { .. } => "failed before anything was changed",
        Outcome::Locked { .. } => "locked",
        Outcome::HalfWay { .. } => "LEFT HALF-WAY",
        Outcome::Unreachable { .. } => "unreachable",
        Outcome::Detached { .. } => {
            "connection lost while the host works on by itself, unless something ended its work too"
        }
        Outcome::Failed { .. } => "failed",
        Outcome::Refused { .. } => "refused",
        Outcome::NotAttempted { .. } => "not attempted",
    }
}

fn because(why: Postponed) -> &'static str {
    match why {
        Postponed::EarlierFailure => "a host before it failed or could not be reached",
        Postponed::Interrupted => "interrupted",
        Postponed::Refused => "another host's plan was refused, and nothing was changed anywhere",
        Postponed::Declined => "you did not say yes",
    }
}

/// What to do next, where the failure itself does not say it.
fn next(outcome: &Outcome) -> Option<&'static str> {
    if outcome.failure().is_some_and(has_hint) {
        return None;
    }
    match outcome {
        Outcome::Stale { .. } => Some("run `murder plan` again, and look at what somebody changed"),
        Outcome::Remains { .. } => Some(
            "somebody else may be changing this host, or Postfix reads it differently: run `murder plan`",
        ),
        Outcome::PutBack { .. } => {
            Some("mend what the host says above, and run `murder apply` again")
        }
        Outcome::Locked { .. } => Some("wait for the other apply to end, and run this one again"),
        Outcome::Detached { .. } => Some("run `murder plan` in a moment: it shows how it ended"),
        Outcome::HalfWay { .. } => Some("run `murder plan`: the next apply finishes what is left"),
        Outcome::Converged
        | Outcome::Done { .. }
        | Outcome::Untouched { .. }
        | Outcome::Unreachable { .. }
        | Outcome::Failed { .. }
        | Outcome::Refused { .. }
        | Outcome::NotAttempted { .. } => None,
    }
}

fn has_hint(failure: &Failure) -> bool {
    failure.hint.is_some()
}

/// `3 hosts: 2 done, 1 unreachable, 12 with nothing to do`, the worst first.
fn sentence(applied: &Applied) -> String {
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for outcome in applied.hosts.values() {
        *counts.entry((rank(outcome), brief(outcome))).or_default() += 1;
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

fn brief(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Converged => "with nothing to do",
        Outcome::HalfWay { .. } => "left half-way",
        Outcome::PutBack { .. } => "failed and put back",
        Outcome::Untouched { .. } | Outcome::Failed { .. } => "failed and unchanged",
        Outcome::Detached { .. } => "working on without us",
        Outcome::Done { .. }
        | Outcome::Remains { .. }
        | Outcome::Stale { .. }
        | Outcome::Locked { .. }
        | Outcome::Unreachable { .. }
        | Outcome::Refused { .. }
        | Outcome::NotAttempted { .. } => word(outcome),
    }
}

fn rank(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::HalfWay { .. } => 0,
        Outcome::Remains { .. } => 1,
        Outcome::PutBack { .. } => 2,
        Outcome::Untouched { .. } | Outcome::Failed { .. } => 3,
        Outcome::Stale { .. } => 4,
        Outcome::Locked { .. } => 5,
        Outcome::Detached { .. } => 6,
        Outcome::Unreachable { .. } => 7,
        Outcome::Refused { .. } => 8,
        Outcome::NotAttempted { .. } => 9,
        Outcome::Done { .. } => 10,
        Outcome::Converged => 11,
    }
}
