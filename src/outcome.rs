//! The outcome of each host in an apply.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exchange::{Found, MachineError, NotDone};
use crate::name::HostName;
use crate::plan::{Failure, HostPlan, Refusal, Verdict};
use crate::service::Service;
use crate::state::Maintenance;

/// What an apply did, host by host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApplyResult {
    /// The manifest's `murder`.
    pub murder: String,
    /// By host.
    pub hosts: BTreeMap<HostName, Outcome>,
}

/// The outcome of one host in an apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// There was nothing to do.
    Converged,
    /// It is in maintenance, and was not contacted.
    Maintenance(Maintenance),
    /// Its current generation is of this saved plan: there was nothing to do.
    AlreadyApplied,
    /// Applied, and a second observation found nothing left to do.
    Done {
        /// What each phase said, in order.
        log: Vec<String>,
        /// Whether Postfix does not run there, although the host is in service: the services of the plan then, of which one
        /// or all do not run.
        stopped: Vec<Service>,
    },
    /// Applied, and a second observation found nothing left to do; but the running services could not be asked whether
    /// they work with it. None of them died, and all tables answered.
    NotProbed {
        /// What each phase said, in order.
        log: Vec<String>,
        /// What could not be asked, and why.
        not_probed: Vec<String>,
    },
    /// Applied, and a second observation found nothing left to do; a fault that the host had before is still there.
    FaultRemains {
        /// What each phase said, in order.
        log: Vec<String>,
        /// The faults.
        faults: Vec<String>,
        /// What could not be asked, and why.
        not_probed: Vec<String>,
        /// Whether Postfix does not run there, although the host is in service: the services of the plan then, of which one
        /// or all do not run.
        stopped: Vec<Service>,
    },
    /// Applied, and a second observation still finds a difference.
    // Reports have the public part of the plan.
    #[schemars(skip)]
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
    /// The program was stopped while it applied the plan: if the host had received the whole payload, it completes the
    /// apply on its own; if not, nothing was changed.
    Interrupted,
    /// It was reached and could not be planned or served; nothing was written.
    Failed {
        /// Why.
        error: Failure,
    },
    /// Its plan has a refusal that no flag lifts.
    // Reports have the flag of each refusal too.
    #[schemars(skip)]
    Refused {
        /// Which.
        refusals: Vec<Refusal>,
    },
    /// Its turn did not come.
    NotAttempted {
        /// Why.
        why: Postponed,
        /// The evidence on other hosts, a clause for each; empty where `why` says all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        evidence: Vec<String>,
    },
    /// The host did not carry out its orders.
    #[serde(untagged)]
    NotDone(NotDone),
}

/// Why a host's turn did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// More mails are deferred than `rollout.<role>.max_deferred` allows on a host before it, or they could not be counted.
    DeferredMail,
}

impl Postponed {
    /// The outcome of a host whose turn did not come because of this alone.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        Outcome::NotAttempted {
            why: self,
            evidence: Vec::new(),
        }
    }
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
    /// A host that has applied its plan: what it found, what its phases said, and the services of the plan if one does not
    /// run there.
    #[must_use]
    pub fn of_applied(found: Found, log: Vec<String>, stopped: Vec<Service>) -> Self {
        let Found { not_probed, faults } = found;
        if !faults.is_empty() {
            Self::FaultRemains {
                log,
                faults,
                not_probed,
                stopped,
            }
        } else if !not_probed.is_empty() {
            Self::NotProbed { log, not_probed }
        } else {
            Self::Done { log, stopped }
        }
    }

    /// Whether the host applied its plan, and a second observation found nothing left to do.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(
            self,
            Self::Done { .. } | Self::NotProbed { .. } | Self::FaultRemains { .. }
        )
    }

    /// Whether the host was changed, if only for the time until it was put back.
    #[must_use]
    pub fn was_changed(&self) -> bool {
        self.is_applied() || matches!(self, Self::Remains { .. } | Self::NotDone(_))
    }

    /// Whether this keeps later waves from beginning.
    #[must_use]
    pub fn stops_later_waves(&self) -> bool {
        match self {
            Self::Converged
            | Self::Maintenance(_)
            | Self::AlreadyApplied
            | Self::Done { .. }
            | Self::NotProbed { .. }
            | Self::FaultRemains { .. }
            | Self::NotAttempted { .. } => false,
            Self::Unreachable { allowed, .. } => !allowed,
            Self::Remains { .. }
            | Self::NotDone(_)
            | Self::Detached { .. }
            | Self::Interrupted
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
            | Self::Maintenance(_)
            | Self::AlreadyApplied
            | Self::Done { .. }
            | Self::NotProbed { .. }
            | Self::FaultRemains { .. }
            | Self::Remains { .. }
            | Self::Interrupted
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
