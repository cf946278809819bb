//! What `drift` knows of a host beside its plan: its generation, who applied it, whether its services run, and who changed
//! what.

use std::collections::BTreeMap;

use super::Attribution;
use crate::ledger::Applied;
use crate::service::Service;
use crate::state::{Live, LiveService, Running};

/// What is known of a host that answered.
#[derive(Debug, Clone)]
pub struct HostNotes {
    /// When it was observed, by the client's clock: seconds since the epoch.
    pub observed: u64,
    /// The generation of its ledger. None before the first apply.
    pub generation: Option<u64>,
    /// Who applied that generation, when, and from what.
    pub applied: Option<Applied>,
    /// Whether each instance of Postfix runs. Empty for a sandbox.
    pub running: BTreeMap<Service, bool>,
    /// Who changed what.
    pub changes: Vec<Attribution>,
}

impl HostNotes {
    /// The notes of an observation, without who changed what.
    #[must_use]
    pub fn of(live: &Live, observed: u64) -> Self {
        let ledger = live.ledger.as_ref();
        let services = live.services.iter();
        let running = services.filter_map(|(service, LiveService::Postfix(postfix))| {
            let runs = match postfix.running {
                Running::Yes => true,
                Running::No => false,
                Running::NotHere => return None,
            };
            Some((service.clone(), runs))
        });
        Self {
            observed,
            generation: ledger.map(|ledger| ledger.generation),
            applied: ledger.and_then(|ledger| ledger.applied.clone()),
            running: running.collect(),
            changes: Vec::new(),
        }
    }

    /// `since generation 4 (commit)`: what a change of the manifest is compared with. None before the first apply.
    #[must_use]
    pub fn since(&self) -> Option<String> {
        let generation = self.generation?;
        let revision = self
            .applied
            .as_ref()
            .map(|applied| applied.revision.as_str());
        Some(match revision.filter(|revision| !revision.is_empty()) {
            Some(revision) => format!("since generation {generation} (revision {revision})"),
            None => format!("since generation {generation}"),
        })
    }
}
