//! Exit codes: one table, for the program, its help and its README, and what ends with which of them.

use std::process::ExitCode;

use crate::exchange::NotDone;
use crate::outcome::{Applied, Outcome, Postponed};
use crate::plan::{Plan, Verdict};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Wrong usage or manifest, or refused before any host was changed.
    Refused,
    /// Changes are pending.
    Pending,
    /// At least one host failed, and stands as it was before.
    Failed,
    /// At least one host could not be reached.
    Unreachable,
    /// A host is left half-way and needs a person.
    HalfWay,
}

/// The table as `--help` shows it.
pub const TABLE: &str = "\
Exit codes:
  0  done, or nothing to do
  1  wrong usage or manifest, or refused before any host was changed
  2  changes pending (`drift`; `plan --detailed-exitcode`; `apply` stopped by Ctrl-C)
  3  at least one host failed; it is unchanged or was restored
  4  at least one host could not be reached
  5  a host is left half-way and needs attention
If several apply, the first of 5, 3, 4, 2 is returned. A second Ctrl-C ends the program with 130.";

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
        }
    }

    /// The one of two that the program ends with.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if other.weight() > self.weight() {
            other
        } else {
            self
        }
    }

    /// 1 is decided before any host is touched, so it meets none of the others but 0.
    fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Pending => 1,
            Self::Refused => 2,
            Self::Unreachable => 3,
            Self::Failed => 4,
            Self::HalfWay => 5,
        }
    }
}

impl Exit {
    /// How one host's outcome ends the program.
    #[must_use]
    pub fn of_outcome(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Converged | Outcome::Done { .. } => Self::Done,
            Outcome::Unreachable { allowed: true, .. } => Self::Done,
            Outcome::Unreachable { .. } | Outcome::Detached { .. } => Self::Unreachable,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::NotDone(why) => Self::of_not_done(why),
            // It was changed, and does not stand as it shall: no code below says so much.
            Outcome::Remains { .. } => Self::HalfWay,
            Outcome::Refused { .. } => Self::Refused,
            Outcome::NotAttempted { why } => match why {
                // The host that failed says the code.
                Postponed::EarlierFailure => Self::Done,
                Postponed::Interrupted => Self::Pending,
                Postponed::Refused | Postponed::Declined => Self::Refused,
            },
        }
    }

    /// How a host that did not do what it was ordered ends the program.
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

    /// How what became of the hosts ends the program.
    #[must_use]
    pub fn of_applied(applied: &Applied) -> Self {
        let exits = applied.hosts.values().map(Self::of_outcome);
        exits.fold(Self::Done, Self::or)
    }

    /// How one host's verdict ends the program: changes count as `pending`.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict, pending: Self) -> Self {
        match verdict {
            Verdict::Converged => Self::Done,
            Verdict::Changes(_) => pending,
            Verdict::Unreachable { .. } => Self::Unreachable,
            Verdict::Failed { .. } => Self::Failed,
        }
    }

    /// How a plan ends the program.
    #[must_use]
    pub fn of_plan(plan: &Plan, pending: Self) -> Self {
        let exits = plan.hosts.values();
        exits
            .map(|host| Self::of_verdict(&host.verdict, pending))
            .fold(Self::Done, Self::or)
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
