//! The history of one host: what each apply made of it, kept on the host under
//! `/var/lib/murder/history/<generation>.json`, so that it can be shown and gone back to.
//!
//! A generation holds no secret: bodies are kept with the places of their secrets, and going back
//! renders them with today's. The file has two lines, the [`Entry`] and the [`Snapshot`], so that
//! a listing reads first lines only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::Applied;
use crate::name::RemotePath;
use crate::state::{File, Probes};
use crate::thing::Thing;

/// How many generations a host keeps.
pub const KEPT: u32 = 20;
/// How many bytes of them it keeps; the newest one stays, however large.
pub const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// One line of the history: who made a generation, when, from what, and what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of the ledger that this apply wrote.
    pub generation: u64,
    /// The murder that owned the host.
    pub murder: String,
    /// Who, when, and from what.
    pub applied: Applied,
    /// The things that changed, in the order of the steps.
    pub changed: Vec<Changed>,
}

/// One thing that an apply changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Which.
    pub thing: Thing,
    /// What became of it.
    pub action: Action,
}

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was not there.
    Create,
    /// It was there and differed.
    Update,
    /// It is gone.
    Delete,
    /// It was as it must be and came under management.
    TakeOver,
    /// It is left to others from then on.
    Release,
}

/// What the managed things of a host were after an apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// Whole files; none where the file had to be absent.
    pub files: BTreeMap<RemotePath, Option<File>>,
    /// Parameters, services, fields and options; none where it had to be absent.
    pub values: BTreeMap<Thing, Option<String>>,
    /// What was asked after the apply.
    pub probes: Probes,
}

/// A generation, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Who, when, what changed.
    pub entry: Entry,
    /// What the host was to be.
    pub snapshot: Snapshot,
}
