//! Converged hosts that still store the failure of an earlier apply.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_io::block_on;

use super::murder::MurderSession;
use crate::exchange::{Ending, Orders};
use crate::name::HostName;
use crate::plan::{HostVerdict, Run, Verdict, sweep};
use crate::state::Live;

/// Converged hosts that still store the failure of an earlier apply.
///
/// A host keeps that failure until an apply succeeds. If the cause was corrected by hand, no apply follows, because a
/// converged host gets no orders. So the `apply` that has shown the failure makes the host delete it.
#[derive(Debug, Default)]
pub(super) struct Forgetting(Mutex<BTreeMap<HostName, Orders>>);

impl Forgetting {
    /// Notes a host, if it is one of them.
    pub(super) fn note(&self, host: &HostName, live: &Live, seen: &HostVerdict, run: &Run) {
        let at_work = live.lock.as_ref().is_some_and(|lock| lock.held);
        // While Postfix does not run, the failure may be the cause, so it is kept.
        let is_over = seen.verdict == Verdict::Converged && !seen.stopped && !at_work;
        if live.last_words && is_over {
            let mut orders = lock(&self.0);
            orders.insert(host.clone(), sweep(live, run));
        }
    }

    /// Makes them delete the failure, and gives those that did. A host that cannot be reached or has changed keeps it.
    pub(super) fn carry_out(&self, contact: &MurderSession<'_>) -> Vec<HostName> {
        let orders = lock(&self.0);
        let forgets = |(name, orders): (&HostName, &Orders)| {
            let host = contact.host(name).ok()?;
            let mut machine = block_on(contact.connect(host)).ok()?;
            let performed = machine.perform(orders, None).ok()?;
            (performed.ending == Ending::Done).then(|| name.clone())
        };
        orders.iter().filter_map(forgets).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
