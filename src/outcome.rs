//! The outcome of each host in an apply.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::exchange::{MachineError, NotDone};
use crate::name::HostName;
use crate::plan::{Failure, HostPlan, Refusal, Verdict};

/// What an apply did, host by host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplyResult {
    /// The manifest's `murder`.
    pub murder: String,
    /// By host.
    pub hosts: BTreeMap<HostName, Outcome>,
}

/// The outcome of one host in an apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// There was nothing to do.
    Converged,
    /// Applied, and a second observation found nothing left to do.
    Done {
        /// What each phase said, in order.
        log: Vec<String>,
        /// Whether Postfix does not run there, although the host is in service.
        stopped: bool,
    },
    /// Applied, and a second observation still finds a difference.
    Remains {
        /// What is left.
        plan: Box<HostPlan>,
    },
    /// It could not be reached.
    Unreachable {
        /// Why.
        error: Failure,
        /// Whether `--allow-unreachable` named it.
        allowed: bool,
    },
    /// The connection was lost after the host had the whole payload: the host completes the apply on its own, and the
    /// next run sees the result.
    Detached {
        /// How the connection ended.
        error: Failure,
    },
    /// It was reached and could not be planned or served; nothing was written.
    Failed {
        /// Why.
        error: Failure,
    },
    /// Its plan has a refusal that no flag lifts.
    Refused {
        /// Which.
        refusals: Vec<Refusal>,
    },
    /// Its turn did not come.
    NotAttempted {
        /// Why.
        why: Postponed,
    },
    /// The host did not carry out its orders.
    #[serde(untagged)]
    NotDone(NotDone),
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
            | Self::NotDone(_)
            | Self::Detached { .. }
            | Self::Failed { .. }
            | Self::Refused { .. } => true,
        }
    }

    /// What went wrong, where something did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::NotDone(why) => why.failure(),
            Self::Unreachable { error, .. } | Self::Detached { error } | Self::Failed { error } => {
                Some(error)
            }
            Self::Converged
            | Self::Done { .. }
            | Self::Remains { .. }
            | Self::Refused { .. }
            | Self::NotAttempted { .. } => None,
        }
    }

    /// The same failure, to change it.
    pub fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Self::NotDone(why) => why.failure_mut(),
            Self::Unreachable { error, .. } | Self::Detached { error } | Self::Failed { error } => {
                Some(error)
            }
            _ => None,
        }
    }
}
