//! Exit codes: one table, for the program, its help and its README (DESIGN §3).

use std::process::ExitCode;

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
  3  at least one host failed, and stands as it was before
  4  at least one host could not be reached
  5  a host is left half-way and needs a person
Where several hold: 5 before 3 before 4 before 2. A second Ctrl-C ends with 130.";

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
