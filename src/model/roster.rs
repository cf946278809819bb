//! The hosts of a murder as each ledger keeps them: so that one which vanished from the manifest is missed.
//!
//! A host is taken out by `state: retired`, which empties it. One that only vanishes from the manifest keeps
//! what it has, and `murder` no longer contacts it; but its neighbours remember it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::ledger::Ledger;
use crate::manifest::range;
use crate::name::HostName;

use super::{HostState, Murder};

/// A ledger is read at every look, so a list that is longer than this is not kept in it.
const MOST_BYTES: usize = 4096;

/// The hosts of a murder.
#[derive(Debug)]
pub struct Roster<'a> {
    murder: &'a Murder,
    written: Vec<String>,
    /// What was found out about the lists of ledgers: nearly all hosts have the same one.
    missed: Mutex<BTreeMap<Vec<String>, Vec<HostName>>>,
}

impl<'a> Roster<'a> {
    /// Of a murder. Retired hosts are not listed: it is no error when they vanish.
    #[must_use]
    pub fn of(murder: &'a Murder) -> Self {
        let stay = murder
            .hosts
            .values()
            .filter(|host| host.state != HostState::Retired);
        let mut written = range::compact(stay.map(|host| &host.name));
        if written.iter().map(|name| name.len() + 3).sum::<usize>() > MOST_BYTES {
            written.clear();
        }
        Self {
            murder,
            written,
            missed: Mutex::default(),
        }
    }

    /// As ledgers keep it: names and ranges; none where they are too many.
    #[must_use]
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// The hosts that a ledger of this murder names, and the manifest does not any more, not even in `external` or `cyrus.servers`.
    #[must_use]
    pub fn missed(&self, ledger: &Ledger) -> Vec<HostName> {
        if ledger.hosts == self.written || ledger.murder != self.murder.name {
            return Vec::new();
        }
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed
            .entry(ledger.hosts.clone())
            .or_insert_with(|| {
                named(ledger)
                    .filter(|name| {
                        !self.murder.hosts.contains_key(name)
                            && !self.murder.external.contains(name)
                            && self
                                .murder
                                .servers
                                .iter()
                                .all(|server| server.name != *name)
                    })
                    .collect()
            })
            .clone()
    }
    /// The hosts that a ledger of this murder names, and that the manifest has as retired.
    #[must_use]
    pub fn retired(&self, ledger: &Ledger) -> Vec<HostName> {
        if ledger.hosts == self.written || ledger.murder != self.murder.name {
            return Vec::new();
        }
        let is_retired = |name: &HostName| {
            let host = self.murder.hosts.get(name);
            host.is_some_and(|host| host.state == HostState::Retired)
        };
        named(ledger).filter(is_retired).collect()
    }
}

/// The hosts that a ledger names. A host writes this list: it may not cost more than a manifest.
fn named(ledger: &Ledger) -> impl Iterator<Item = HostName> {
    let mut count = 0_usize;
    let hosts = ledger.hosts.iter().map_while(move |text| {
        count = count.saturating_add(range::count(text).unwrap_or_default());
        (count <= range::MOST_HOSTS).then_some(text)
    });
    hosts.flat_map(|text| range::expand(text).unwrap_or_default())
}
