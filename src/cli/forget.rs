//! Hosts on which there is nothing to do, and which still tell of an apply that failed there.
//!
//! The words of such an apply stay on the host until one is done. Where somebody else put right what it was about,
//! none ever is: no orders go to a converged host. Then the apply that has shown the words has the host forget them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::contact::Session;
use crate::exchange::{Ending, Orders};
use crate::name::HostName;
use crate::plan::{HostVerdict, Run, Verdict, sweep};
use crate::state::Live;
use crate::tasks::block_on;

/// What makes those hosts forget.
#[derive(Debug, Default)]
pub(super) struct Forgetting(Mutex<BTreeMap<HostName, Orders>>);

impl Forgetting {
    /// Notes a host, if it is one of them.
    pub(super) fn note(&self, host: &HostName, live: &Live, seen: &HostVerdict, run: &Run) {
        let at_work = live.lock.as_ref().is_some_and(|lock| lock.held);
        // What may have stopped Postfix is worth telling until it runs.
        let is_over = seen.verdict == Verdict::Converged && !seen.stopped && !at_work;
        if live.last_words && is_over {
            let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            orders.insert(host.clone(), sweep(live, run));
        }
    }

    /// Has them forget; which did. One that cannot be reached, or has changed since, tells of it once more.
    pub(super) fn carry_out(&self, contact: &Session<'_>) -> Vec<HostName> {
        let orders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgets = |(name, orders): (&HostName, &Orders)| {
            let host = contact.host(name).ok()?;
            let mut machine = block_on(contact.machine(host)).ok()?;
            let performed = machine.perform(orders).ok()?;
            (performed.ending == Ending::Done).then(|| name.clone())
        };
        orders.iter().filter_map(forgets).collect()
    }
}
