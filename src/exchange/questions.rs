//! What is asked of a host, and its answer.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::KnownFacts;
use crate::history::{Entry, Generation};
use crate::name::{Parameter, RemotePath};
use crate::state::Live;

/// What is asked of a host, all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Files to look at, each with the SHA-256 it should have: its text comes back only where it differs.
    pub files: BTreeMap<RemotePath, Option<String>>,
    /// Indexes to look at, by their own path.
    pub indexes: BTreeSet<RemotePath>,
    /// Facts of an earlier time with the identity that the host gave them; asked anew where it changed.
    pub known: Option<KnownFacts>,
    /// Parameters about whose very name the host has the last word.
    pub names: BTreeSet<Parameter>,
    /// Unix-domain sockets that user postfix must reach.
    pub sockets: BTreeSet<RemotePath>,
    /// What is asked of the host's history, if anything.
    pub history: Option<HistoryQuestion>,
}

/// What is asked of a host's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryQuestion {
    /// The entry of every generation that is kept.
    Entries,
    /// One generation, whole (and no entries).
    Generation(u64),
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The host.
    pub live: Live,
    /// For the cache; none where there is nothing worth keeping.
    pub known: Option<KnownFacts>,
    /// The entries that were asked for, oldest first.
    pub entries: Vec<Entry>,
    /// The generation that was asked for; none where it is not kept.
    pub generation: Option<Box<Generation>>,
}
