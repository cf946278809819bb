//! Hosts whose ledgers name hosts that the manifest has as retired.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::forget::{Forgotten, forget};
use super::murder::MurderSession;
use crate::ledger::Ledger;
use crate::name::HostName;

/// How many ledgers are written at once after an apply.
const PARALLEL: usize = 32;

/// The retired hosts that the ledger of each host names.
///
/// A host whose plan has changes gets a ledger without them. A converged one gets no orders, and would miss them once they leave
/// the manifest.
#[derive(Debug, Default)]
pub(super) struct Retired(Mutex<BTreeMap<HostName, Vec<HostName>>>);

impl Retired {
    /// Notes what the ledger of a host names.
    pub(super) fn note(
        &self,
        host: &HostName,
        ledger: Option<&Ledger>,
        contact: &MurderSession<'_>,
    ) {
        let named = ledger.map_or_else(Vec::new, |ledger| contact.retired(ledger));
        lock(&self.0).insert(host.clone(), named);
    }

    /// Takes these hosts, which are retired now, out of the ledgers that name them.
    pub(super) fn carry_out(
        &self,
        contact: &MurderSession<'_>,
        retired: &BTreeSet<HostName>,
    ) -> BTreeMap<HostName, Forgotten> {
        let names = |(host, named): &(&HostName, &Vec<HostName>)| {
            !retired.contains(*host) && named.iter().any(|one| retired.contains(one))
        };
        let noted = lock(&self.0);
        let hosts: Vec<HostName> = noted
            .iter()
            .filter(names)
            .map(|(host, _)| host.clone())
            .collect();
        drop(noted);
        forget(contact, &hosts, retired, PARALLEL)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
