//! How an apply ended on a host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::questions::Observed;

/// How an apply ended on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every order was carried out.
    Done,
    /// The host did not carry them all out.
    NotDone(NotDone),
}

/// Why a host did not carry out its orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum NotDone {
    /// The host changed since the plan; nothing was written.
    Stale {
        /// Which thing changed.
        thing: String,
    },
    /// Something failed; the host restored its earlier state and verified it.
    PutBack {
        /// What failed.
        error: Failure,
    },
    /// Something failed before anything was changed.
    Untouched {
        /// What failed.
        error: Failure,
    },
    /// Another apply holds the lock.
    Locked {
        /// Who holds it, since when.
        error: Failure,
    },
    /// The host could not restore its earlier state: a person must.
    HalfWay {
        /// What failed, and the commands that restore it.
        error: Failure,
    },
}

impl NotDone {
    /// What went wrong; none where the plan is stale.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Stale { .. } => None,
            Self::PutBack { error }
            | Self::Untouched { error }
            | Self::Locked { error }
            | Self::HalfWay { error } => Some(error),
        }
    }

    /// The same, to change it.
    pub fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Self::Stale { .. } => None,
            Self::PutBack { error }
            | Self::Untouched { error }
            | Self::Locked { error }
            | Self::HalfWay { error } => Some(error),
        }
    }
}

impl From<NotDone> for Ending {
    fn from(why: NotDone) -> Self {
        Self::NotDone(why)
    }
}

/// What an apply reports.
#[derive(Debug, Clone)]
pub struct Performed {
    /// How it ended.
    pub ending: Ending,
    /// What each phase reported, in order, for `-v`: `staged`, `checked`, `reloaded`, …
    pub log: Vec<String>,
    /// What the proof after the change found on a host that carried out its orders.
    pub found: Found,
    /// The answer to the questions that were sent with the orders, observed after the work. None if there were
    /// no questions, or if the answer was lost.
    pub seen: Option<Observed>,
}

/// What the proof after a change found, beside that the orders were carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// What could not be asked of the running services, and why; empty where all was.
    pub not_probed: Vec<String>,
    /// Faults that were there before the change and are there still.
    pub faults: Vec<String>,
}

impl Performed {
    /// An apply that failed and has no log.
    #[must_use]
    pub fn without_log(why: NotDone) -> Self {
        Self {
            ending: why.into(),
            log: Vec::new(),
            found: Found::default(),
            seen: None,
        }
    }
}
