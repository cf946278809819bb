//! What is asked of a host, and its answer.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::KnownFacts;
use crate::history::{Generation, HistoryEntry};
use crate::name::{Parameter, RemotePath};
use crate::service::Service;
use crate::state::{Live, References};

/// What is asked of a host in one exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// The services to observe; none stands for the default instance of Postfix. What the ledger of the host has of
    /// another service is observed too.
    pub services: BTreeSet<Service>,
    /// Files to observe, each with the SHA-256 that it should have. The host sends a text only if it differs.
    pub files: BTreeMap<RemotePath, Option<String>>,
    /// Indexes to observe, by their own path.
    pub indexes: BTreeSet<RemotePath>,
    /// Facts of an earlier observation with their identity. The host sends new ones if its identity differs.
    pub known: Option<KnownFacts>,
    /// Parameters whose names the host must know.
    pub names: BTreeSet<Parameter>,
    /// Unix-domain sockets that user postfix must reach.
    pub sockets: BTreeSet<RemotePath>,
    /// Files and tables that parameters name. None asks about those of the last apply, which the host keeps.
    pub references: Option<References>,
    /// The question about the host's history, if any.
    pub history: Option<HistoryQuestion>,
}

/// A question about a host's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryQuestion {
    /// The entry of every generation that is kept.
    Entries,
    /// One whole generation, without entries.
    Generation(u64),
}

/// A host's answer.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The host.
    pub live: Live,
    /// The facts for the cache. None for a sandbox.
    pub known: Option<KnownFacts>,
    /// The entries that were asked for, oldest first.
    pub entries: Vec<HistoryEntry>,
    /// The generation that was asked for. None if the host does not keep it.
    pub generation: Option<Box<Generation>>,
}

impl Observed {
    /// Makes the keyed hashes of the ledgers plain where they are those of files as the answer has them, or as the questions
    /// expect them.
    pub fn resolve_hashes(&mut self, questions: &Questions) {
        let expected = questions.files.values().flatten();
        self.live.resolve_hashes(expected.map(String::as_str));
    }
}
