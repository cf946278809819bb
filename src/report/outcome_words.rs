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
                "run `murder plan`: another program may be changing this host, or Postfix reads the value differently",
            ),
            ..plain(1, "not converged")
        },
        Outcome::Failed { .. } => Words {
            brief: "failed and unchanged",
            ..plain(3, FAILED)
        },
        Outcome::Detached { .. } => Words {
            brief: "completing without a connection",
            next: Some("wait a moment and run `murder plan`: it shows the result"),
            ..plain(
                6,
                "the connection was lost after the host had received the whole plan; it completes the apply on its own, unless the apply was killed too",
            )
        },
        Outcome::Interrupted => Words {
            brief: "interrupted during the apply",
            next: Some("wait a moment and run `murder plan`: it shows the result"),
            ..plain(
                6,
                "interrupted during the apply; if the host had received the whole plan, it completes the apply on its own, and if not, nothing was changed",
            )
        },
        Outcome::Unreachable { .. } => plain(7, UNREACHABLE),
        Outcome::Refused { .. } => plain(8, "refused"),
        Outcome::NotAttempted { .. } => plain(9, "not attempted"),
        Outcome::FaultRemains { .. } => Words {
            brief: "done with a fault that remains",
            ..plain(10, "done, fault remains")
        },
        Outcome::NotProbed { .. } => Words {
            brief: "done but not probed",
            ..plain(11, "done, not probed")
        },
        Outcome::Done { .. } => plain(12, "done"),
        Outcome::Maintenance(_) => plain(14, "in maintenance"),
        Outcome::Converged => Words {
            brief: "with nothing to do",
            ..plain(15, "nothing to do")
        },
        Outcome::AlreadyApplied => plain(13, "already applied"),
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
            brief: "failed and restored",
            next: Some("correct what the host reports above, and run `murder apply` again"),
            ..plain(2, "failed, and the host was restored")
        },
        NotDone::Untouched { .. } => Words {
            brief: "failed and unchanged",
            ..plain(3, "failed before anything was changed")
        },
        NotDone::Stale { .. } => Words {
            next: Some("run `murder plan` again to see what changed on the host"),
            ..plain(4, "stale")
        },
        NotDone::Locked { .. } => Words {
            next: Some("wait until the other apply has ended, and run this one again"),
            ..plain(5, "locked")
        },
    }
}

/// Why a host had no turn.
pub(super) fn because(why: Postponed) -> &'static str {
    match why {
        Postponed::EarlierFailure => "an earlier host failed or could not be reached",
        Postponed::Interrupted => "interrupted before its turn; nothing was changed on this host",
        Postponed::Refused => {
            "the plan of another host was refused; nothing was changed on any host"
        }
        Postponed::Declined => "not confirmed",
        Postponed::DeferredMail => {
            "the mails that wait on hosts before it are more than `max_deferred` of `rollout` allows, or not known"
        }
    }
}
