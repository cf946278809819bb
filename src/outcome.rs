//! What became of each host in an apply.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::exchange::MachineError;
use crate::name::HostName;
use crate::plan::{Failure, HostPlan, Refusal, Verdict};

/// What an apply did, host by host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// The manifest's `murder`.
    pub murder: String,
    /// By host.
    pub hosts: BTreeMap<HostName, Outcome>,
}

/// How one host stands after an apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// There was nothing to do.
    Converged,
    /// As it shall be: applied, read again, and nothing was left.
    Done {
        /// What each phase said, in order.
        log: Vec<String>,
        /// Whether Postfix does not run there, although the host is in service.
        stopped: bool,
    },
    /// Applied, and a second look still finds a difference.
    Remains {
        /// What is left.
        plan: Box<HostPlan>,
    },
    /// The host moved since the plan; nothing was written.
    Stale {
        /// Which thing moved.
        thing: String,
    },
    /// Something failed; the host stands as it was before, proved by reading again.
    PutBack {
        /// What failed.
        error: Failure,
    },
    /// It failed before anything was changed.
    Untouched {
        /// What failed.
        error: Failure,
    },
    /// Somebody else's apply holds the lock.
    Locked {
        /// Who, from where, since when.
        error: Failure,
    },
    /// It is left half-way and needs a person.
    HalfWay {
        /// What failed, and the commands for a person.
        error: Failure,
    },
    /// It could not be reached.
    Unreachable {
        /// Why.
        error: Failure,
        /// Whether `--allow-unreachable` named it.
        allowed: bool,
    },
    /// The connection died after the host had the whole payload: it finishes by itself, and the next
    /// run sees how.
    Detached {
        /// How the connection ended.
        error: Failure,
    },
    /// It was reached and could not be planned or served; nothing was written.
    Failed {
        /// Why.
        error: Failure,
    },
    /// Its plan needs a word from the user.
    Refused {
        /// Which.
        refusals: Vec<Refusal>,
    },
    /// Its turn did not come.
    NotAttempted {
        /// Why.
        why: Postponed,
    },
}

/// Why a host's turn did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Postponed {
    /// A host before it failed or could not be reached.
    EarlierFailure,
    /// Ctrl-C.
    Interrupted,
    /// Some host's plan was refused, so none was applied.
    Refused,
    /// The user did not say yes.
    Declined,
}

/// A machine that gave no report of an apply.
impl From<MachineError> for Outcome {
    fn from(error: MachineError) -> Self {
        match error {
            MachineError::Unreachable(error) => Self::Unreachable {
                error,
                allowed: false,
            },
            MachineError::Unfit(error) => Self::Failed { error },
            MachineError::Detached(error) => Self::Detached { error },
        }
    }
}

/// A machine that gave no answer to an observation.
impl From<MachineError> for Verdict {
    fn from(error: MachineError) -> Self {
        match error {
            MachineError::Unreachable(error) | MachineError::Detached(error) => {
                Self::Unreachable { error }
            }
            MachineError::Unfit(error) => Self::Failed { error },
        }
    }
}

impl Outcome {
    /// Whether this keeps later waves from beginning.
    #[must_use]
    pub fn stops_later_waves(&self) -> bool {
        match self {
            Self::Converged | Self::Done { .. } | Self::NotAttempted { .. } => false,
            Self::Unreachable { allowed, .. } => !allowed,
            Self::Remains { .. }
            | Self::Stale { .. }
            | Self::PutBack { .. }
            | Self::Untouched { .. }
            | Self::Locked { .. }
            | Self::HalfWay { .. }
            | Self::Detached { .. }
            | Self::Failed { .. }
            | Self::Refused { .. } => true,
        }
    }

    /// What went wrong, where something did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::PutBack { error }
            | Self::Untouched { error }
            | Self::Locked { error }
            | Self::HalfWay { error }
            | Self::Unreachable { error, .. }
            | Self::Detached { error }
            | Self::Failed { error } => Some(error),
            Self::Converged
            | Self::Done { .. }
            | Self::Remains { .. }
            | Self::Stale { .. }
            | Self::Refused { .. }
            | Self::NotAttempted { .. } => None,
        }
    }

    pub(super) fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Self::PutBack { error }
            | Self::Untouched { error }
            | Self::Locked { error }
            | Self::HalfWay { error }
            | Self::Unreachable { error, .. }
            | Self::Detached { error }
            | Self::Failed { error } => Some(error),
            _ => None,
        }
    }
}
