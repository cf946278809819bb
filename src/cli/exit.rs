//! Exit codes: the table that the help shows, and which outcome has which code.

use std::process::ExitCode;

use crate::exchange::NotDone;
use crate::outcome::{ApplyResult, Outcome, Postponed};
use crate::plan::{Condition, Plan, Verdict};

/// The exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Wrong usage or manifest, or refused before any host was changed.
    Refused,
    /// Changes are pending.
    Pending,
    /// At least one host failed; it is unchanged or was restored.
    Failed,
    /// At least one host could not be reached.
    Unreachable,
    /// A host is left half-way and needs attention.
    HalfWay,
    /// SIGINT interrupted an apply: hosts whose turn had not come were not changed.
    Interrupted,
    /// The same by SIGTERM.
    Terminated,
}

/// The table as `--help` shows it.
pub const TABLE: &str = "\
Exit codes:
  0  done, or nothing to do
  1  wrong usage or manifest, or refused before any host was changed; a plan that `apply` refuses (`plan`), a difference by which mail is lost (`diff --ldif`)
  2  changes pending (`plan` or `diff --detailed-exitcode`; `apply` stopped by `max_deferred`); drifted or Postfix down (`drift`)
  3  at least one host failed; it is unchanged or was restored
  4  at least one host could not be reached
  5  a host is left half-way and needs attention
If several apply, the first of 5, 3, 4, 130, 1, 2 is returned. An interrupted run ends with 130 (Ctrl-C) or 143 (SIGTERM).";

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Pending => 2,
            Self::Failed => 3,
            Self::Unreachable => 4,
            Self::HalfWay => 5,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The more serious of two exit codes.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }

    /// Exit code 1 is decided before any host is changed, so it never occurs together with those of a change.
    fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Pending => 1,
            Self::Refused => 2,
            Self::Interrupted | Self::Terminated => 3,
            Self::Unreachable => 4,
            Self::Failed => 5,
            Self::HalfWay => 6,
        }
    }
}

impl Exit {
    /// The exit code for the outcome of one host.
    #[must_use]
    pub fn of_outcome(outcome: &Outcome) -> Self {
        match outcome {
            // The host is as the manifest wants it. A fault that it had before is no failure of this apply.
            Outcome::Converged
            | Outcome::Maintenance(_)
            | Outcome::AlreadyApplied
            | Outcome::Done { .. }
            | Outcome::NotProbed { .. }
            | Outcome::FaultRemains { .. } => Self::Done,
            Outcome::Unreachable { allowed: true, .. } => Self::Done,
            Outcome::Unreachable { .. } | Outcome::Detached { .. } => Self::Unreachable,
            Outcome::Interrupted => Self::Interrupted,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::NotDone(why) => Self::of_not_done(why),
            // The host was changed and still differs, so its state is as uncertain as half-way.
            Outcome::Remains { .. } => Self::HalfWay,
            Outcome::Refused { .. } => Self::Refused,
            Outcome::NotAttempted { why, .. } => match why {
                // The host that failed sets the exit code.
                Postponed::EarlierFailure => Self::Done,
                Postponed::Interrupted => Self::Interrupted,
                Postponed::DeferredMail => Self::Pending,
                Postponed::Refused | Postponed::Declined => Self::Refused,
            },
        }
    }

    /// The exit code for a host that did not carry out its orders.
    #[must_use]
    pub fn of_not_done(why: &NotDone) -> Self {
        match why {
            NotDone::HalfWay { .. } => Self::HalfWay,
            NotDone::Stale { .. }
            | NotDone::PutBack { .. }
            | NotDone::Untouched { .. }
            | NotDone::Locked { .. } => Self::Failed,
        }
    }

    /// The exit code for the outcomes of all hosts.
    #[must_use]
    pub fn of_applied(applied: &ApplyResult) -> Self {
        let exits = applied.hosts.values().map(Self::of_outcome);
        exits.fold(Self::Done, Self::or)
    }

    /// The exit code for the verdict of one host; changes have the code `pending`, and changes that `apply` refuses the
    /// code of a refusal. The refusals that flags lift must be out of the plan already.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict, pending: Self) -> Self {
        match verdict {
            Verdict::Converged | Verdict::Maintenance(_) => Self::Done,
            Verdict::Changes(plan) if !plan.refusals.is_empty() => Self::Refused,
            Verdict::Changes(_) => pending,
            Verdict::Unreachable { .. } => Self::Unreachable,
            Verdict::Failed { .. } => Self::Failed,
        }
    }

    /// The exit code for a plan; changes have the code `pending`.
    #[must_use]
    pub fn of_plan(plan: &Plan, pending: Self) -> Self {
        let orphaned = match plan.orphans().is_empty() {
            true => Self::Done,
            false => pending,
        };
        let exits = plan.hosts.values();
        exits
            .map(|host| Self::of_verdict(&host.verdict, pending))
            .fold(orphaned, Self::or)
    }

    /// The exit code of `drift` for one host; changes of the manifest that are not applied have the code `pending`.
    #[must_use]
    pub fn of_condition(condition: Condition, pending: Self) -> Self {
        match condition {
            Condition::Converged | Condition::Held | Condition::Maintenance => Self::Done,
            Condition::Pending => pending,
            Condition::Drifted | Condition::Stopped => Self::Pending,
            Condition::Unreachable => Self::Unreachable,
            Condition::Failed => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins_as_the_table_says() {
        let order = [
            Exit::HalfWay,
            Exit::Failed,
            Exit::Unreachable,
            Exit::Interrupted,
            Exit::Refused,
            Exit::Pending,
            Exit::Done,
        ];
        for (at, worse) in order.iter().enumerate() {
            for better in &order[at..] {
                assert_eq!(worse.or(*better), *worse);
                assert_eq!(better.or(*worse), *worse);
            }
        }
    }
}
