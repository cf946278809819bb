//! Takes hosts that are gone or retired out of the ledgers of their neighbours.

use std::collections::{BTreeMap, BTreeSet};

use async_io::block_on;

use super::SessionError;
use super::hold::not_done;
use super::murder::MurderSession;
use super::own_fault::own_fault;
use crate::exchange::{Ending, Expects, Orders, Questions};
use crate::fleet::{self, NotRun, Stop};
use crate::ledger::Ledger;
use crate::machine::MachineError;
use crate::manifest::range;
use crate::name::HostName;
use crate::plan::order_ledger;
use crate::state::Live;

/// What became of one neighbour.
#[derive(Debug)]
pub enum Forgotten {
    /// Its ledger does not name any of the hosts.
    NotNamed,
    /// Its ledger no longer names them.
    Done,
    /// It gave no answer, or could not write its ledger.
    Failed(SessionError),
}

/// Takes the hosts `gone` out of the ledger of each of `hosts`, at most `parallel` at once.
#[must_use]
pub fn forget(
    contact: &MurderSession<'_>,
    hosts: &[HostName],
    gone: &BTreeSet<HostName>,
    parallel: usize,
) -> BTreeMap<HostName, Forgotten> {
    let work = |name: &HostName, _: &dyn Fn(&str)| forget_on(contact, name, gone);
    let answers = fleet::run(hosts, parallel, &Stop::new(), work, |_| {});
    let of_host = |(name, answer): (HostName, Result<_, NotRun>)| {
        let answer = answer.unwrap_or_else(|why| Err(not_run(&name, why)));
        let forgotten = match answer {
            Ok(true) => Forgotten::Done,
            Ok(false) => Forgotten::NotNamed,
            Err(error) => Forgotten::Failed(error),
        };
        (name, forgotten)
    };
    answers.into_iter().map(of_host).collect()
}

fn not_run(name: &HostName, why: NotRun) -> SessionError {
    let words = match why {
        NotRun::Panicked(words) | NotRun::NoThread(words) => words,
        NotRun::Stopped | NotRun::Failures | NotRun::Held(_) => {
            "stopped before its turn".to_owned()
        }
    };
    SessionError::Host(name.clone(), MachineError::Unfit(own_fault(words)))
}

fn forget_on(
    contact: &MurderSession<'_>,
    name: &HostName,
    gone: &BTreeSet<HostName>,
) -> Result<bool, SessionError> {
    let failed = |error: MachineError| {
        let error = error.map(|failure| contact.session.scrub(failure));
        SessionError::Host(name.clone(), error)
    };
    let host = contact.host(name).map_err(failed)?;
    let mut machine = block_on(contact.connect(host)).map_err(failed)?;
    let live = machine.observe(&Questions::default()).map_err(failed)?.live;
    let Some(ledger) = without(&live, gone, &contact.loaded.murder.name) else {
        return Ok(false);
    };
    if live.pending.is_some() {
        return Err(SessionError::refused(format!(
            "an apply of {name} is unfinished: run `murder apply` first"
        )));
    }
    let mut orders = Orders::empty(&contact.session.run, Expects::of(&live));
    order_ledger(ledger, live.host_key(), &mut orders);
    match machine.perform(&orders, None).map_err(failed)?.ending {
        Ending::Done => Ok(true),
        Ending::NotDone(why) => Err(SessionError::refused(not_done(name, &why))),
    }
}

/// The ledger without some hosts. None if it is another murder's, or names none of them.
fn without(live: &Live, gone: &BTreeSet<HostName>, murder: &str) -> Option<Ledger> {
    let mut ledger = live
        .ledger
        .clone()
        .filter(|ledger| ledger.murder == murder)?;
    let mut left: Vec<HostName> = Vec::new();
    let mut count = 0_usize;
    for text in &ledger.hosts {
        // A host writes this list: it may not cost more than a manifest.
        count = count.saturating_add(range::count(text).unwrap_or_default());
        if count > range::MOST_HOSTS {
            return None;
        }
        left.extend(range::expand(text).unwrap_or_default());
    }
    let before = left.len();
    left.retain(|name| !gone.contains(name));
    if left.len() == before {
        return None;
    }
    ledger.hosts = range::compact(left.iter());
    Some(ledger)
}
