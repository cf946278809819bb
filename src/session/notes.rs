//! Takes the notes of `drift` while hosts are observed, and asks a host with drift who changed it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::attribution::{HostNotes, attribute, question};
use crate::exchange::Evidence;
use crate::machine::Observe;
use crate::name::HostName;
use crate::plan::{HostVerdict, Verdict};
use crate::state::Live;

/// The notes of all hosts of a run, taken from many threads.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<BTreeMap<HostName, HostNotes>>);

impl Notes {
    /// Notes an observation.
    pub fn take(&self, host: &HostName, live: &Live) {
        self.with(|notes| {
            notes.insert(host.clone(), HostNotes::of(live, now()));
        });
    }

    /// Asks a host with drift who changed it. A host that gives no answer now leaves it unknown.
    pub async fn witness(&self, host: &HostName, machine: &mut dyn Observe, seen: &HostVerdict) {
        let Verdict::Changes(plan) = &seen.verdict else {
            return;
        };
        let question = question(plan);
        if question.files.is_empty() {
            return;
        }
        let evidence = machine.witnessing(&question).await;
        let changes = attribute(plan, &evidence.unwrap_or_else(|_| Evidence::default()));
        self.with(|notes| {
            if let Some(notes) = notes.get_mut(host) {
                notes.changes = changes;
            }
        });
    }

    /// All notes.
    pub fn all(&self) -> BTreeMap<HostName, HostNotes> {
        self.with(|notes| notes.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<HostName, HostNotes>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Seconds since the epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
