//! What an observation found on each host, kept for what a plan means for mail.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::observe::ObservedHost;
use crate::ledger::{Origin, Previous};
use crate::name::HostName;
use crate::secret::Body;
use crate::service::Service;
use crate::state::{Desired, DesiredService, Live, LiveFile, LiveTable, Want};
use crate::thing::Thing;

/// A host that was observed.
#[derive(Debug, Clone)]
pub struct WatchedHost {
    desired: Desired,
    /// What it has.
    pub live: Live,
}

/// The hosts that were observed.
#[derive(Debug, Clone, Default)]
pub struct WatchedHosts(Arc<Mutex<BTreeMap<HostName, WatchedHost>>>);

impl WatchedHosts {
    /// Keeps what was seen of a host.
    pub fn keep(&self, host: &HostName, observed: &ObservedHost) {
        let seen = WatchedHost {
            desired: observed.desired.clone(),
            live: observed.live.clone(),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(host.clone(), seen);
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeMap<HostName, WatchedHost> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }
}

impl WatchedHost {
    /// Whether the host must have exactly this.
    #[must_use]
    pub fn must_have(&self, desired: &Desired) -> bool {
        self.desired == *desired
    }

    /// The texts of files and tables that are known, by path.
    #[must_use]
    pub fn files(&self) -> HashMap<String, String> {
        let mut files = HashMap::new();
        for (word, table) in &self.live.tables {
            if let (LiveTable::Text(text), Some((_, path))) = (table, word.split_once(':')) {
                files.insert(path.to_owned(), text.clone());
            }
        }
        let wanted: BTreeMap<_, _> = self.desired.files().collect();
        for (path, file) in &self.live.files {
            let LiveFile::Present(state) = file else {
                continue;
            };
            // The host does not send the text of a file that is as it must be.
            let as_wanted = || match wanted.get(path)? {
                Want::Present(file) => Some(Body::masked(&file.body)),
                Want::Absent => None,
            };
            if let Some(text) = state.text.clone().or_else(as_wanted) {
                files.insert(path.as_str().to_owned(), text);
            }
        }
        files
    }

    /// What a service must have, with what the plan deletes or restores because nothing names it any more, and without what is
    /// held.
    #[must_use]
    pub fn desired_after(&self, service: &Service) -> Desired {
        let mut wanted: DesiredService = self.desired.service(service).clone();
        let ledger = self.live.ledger.as_ref();
        if let Some(part) = ledger.and_then(|ledger| ledger.services.get(service)) {
            for (thing, managed) in &part.managed {
                if wanted.leave.contains(thing) {
                    continue;
                }
                match thing {
                    Thing::File(path) => {
                        wanted.files.entry(path.clone()).or_insert(Want::Absent);
                    }
                    _ => {
                        let before = match &managed.origin {
                            Origin::Adopted(Previous::Value(text)) => Want::Present(text.clone()),
                            _ => Want::Absent,
                        };
                        wanted.values.entry(thing.clone()).or_insert(before);
                    }
                }
            }
            for thing in part.holds.keys() {
                wanted.values.remove(thing);
                if let Thing::File(path) = thing {
                    wanted.files.remove(path);
                }
            }
        }
        Desired {
            retired: self.desired.retired,
            services: [(service.clone(), wanted)].into(),
        }
    }
}
