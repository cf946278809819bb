//! How reports name each outcome and each failure: the one table from outcomes to words.

use crate::exchange::NotDone;
use crate::outcome::{Outcome, Postponed};

/// The words for one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    /// Before the failure of one host.
    pub title: &'static str,
    /// After a number of hosts, in the summary.
    pub brief: &'static str,
    /// What to do next, where the failure itself does not say it.
    pub next: Option<&'static str>,
    /// The place in the summary: the worst outcome has 0.
    pub rank: usize,
}

/// An outcome that is called the same everywhere and needs no next step.
const fn plain(rank: usize, title: &'static str) -> Words {
    Words {
        title,
        brief: title,
        next: None,
        rank,
    }
}

/// The word before a failure in a plan or of a single host; `unreachable` where the host could not be reached.
#[must_use]
pub fn failure_word(is_unreachable: bool) -> &'static str {
    if is_unreachable { UNREACHABLE } else { FAILED }
}

const UNREACHABLE: &str = "unreachable";
const FAILED: &str = "failed";

/// The words for an outcome.
pub(super) fn words(outcome: &Outcome) -> Words {
    match outcome {
        Outcome::NotDone(why) => of_not_done(why),
        Outcome::Remains { .. } => Words {
            next: Some(
                "somebody else may be changing this host, or Postfix reads it differently: run `murder plan`",
            ),
            ..plain(1, "not converged")
        },
        Outcome::Failed { .. } => Words {
            brief: "failed and unchanged",
            ..plain(3, FAILED)
        },
        Outcome::Detached { .. } => Words {
            brief: "working on without us",
            next: Some("run `murder plan` in a moment: it shows how it ended"),
            ..plain(
                6,
                "connection lost while the host works on by itself, unless something ended its work too",
            )
        },
        Outcome::Unreachable { .. } => plain(7, UNREACHABLE),
        Outcome::Refused { .. } => plain(8, "refused"),
        Outcome::NotAttempted { .. } => plain(9, "not attempted"),
        Outcome::Done { .. } => plain(10, "done"),
        Outcome::Converged => Words {
            brief: "with nothing to do",
            ..plain(11, "nothing to do")
        },
    }
}

fn of_not_done(why: &NotDone) -> Words {
    match why {
        NotDone::HalfWay { .. } => Words {
            brief: "left half-way",
            next: Some("run `murder plan`: the next apply finishes what is left"),
            ..plain(0, "LEFT HALF-WAY")
        },
        NotDone::PutBack { .. } => Words {
            brief: "failed and put back",
            next: Some("mend what the host says above, and run `murder apply` again"),
            ..plain(2, "failed, and put back as it was")
        },
        NotDone::Untouched { .. } => Words {
            brief: "failed and unchanged",
            ..plain(3, "failed before anything was changed")
        },
        NotDone::Stale { .. } => Words {
            next: Some("run `murder plan` again, and look at what somebody changed"),
            ..plain(4, "stale")
        },
        NotDone::Locked { .. } => Words {
            next: Some("wait for the other apply to end, and run this one again"),
            ..plain(5, "locked")
        },
    }
}

/// Why a host had no turn.
pub(super) fn because(why: Postponed) -> &'static str {
    match why {
        Postponed::EarlierFailure => "a host before it failed or could not be reached",
        Postponed::Interrupted => "interrupted",
        Postponed::Refused => "another host's plan was refused, and nothing was changed anywhere",
        Postponed::Declined => "you did not say yes",
    }
}
