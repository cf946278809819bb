//! Plans that end the management of things: they change the ledger and nothing else.

use crate::history::Snapshot;
use crate::ledger::Ledger;
use crate::service::Service;
use crate::state::{Live, Remark};
use crate::thing::Thing;

use super::diff::forgotten;
use super::reload_hash::{activation_after, activation_by, is_loaded, is_loaded_as_recorded};
use super::{Expects, HostPlan, Step};

/// The plan that releases one thing, or the whole host if `which` is none. None if nothing of it is
/// managed. An entry of master.cf is released with its fields and options. `last` is the snapshot of the
/// newest generation, if it is known: the next generation has the same without the thing. The host keeps
/// `keep` generations.
#[must_use]
pub fn release(
    live: &Live,
    which: Option<&Thing>,
    last: Option<&Snapshot>,
    keep: u32,
) -> Option<HostPlan> {
    let old = live.ledger.as_ref()?;
    let released =
        |(_, thing): &(&Service, &Thing)| which.is_none_or(|which| thing.is_part_of(which));
    let things: Vec<(Service, Thing)> = old
        .things()
        .filter(released)
        .map(|(service, thing)| (service.clone(), thing.clone()))
        .collect();
    if things.is_empty() && which.is_some() {
        return None;
    }
    let ledger = without(old, &things, live);
    let keeps_ledger = which.is_some();
    let snapshot = last.filter(|_| keeps_ledger).map(|last| {
        let mut snapshot = last.clone();
        for (service, thing) in &things {
            let Some(of_service) = snapshot.services.get_mut(service) else {
                continue;
            };
            of_service.values.remove(thing);
            if let Thing::File(path) = thing {
                of_service.files.remove(path);
            }
        }
        Box::new(snapshot)
    });
    Some(HostPlan {
        steps: things
            .into_iter()
            .map(|(service, thing)| Step::Release { service, thing })
            .collect(),
        keeps_ledger,
        snapshot,
        keep,
        ..HostPlan::empty(ledger, Expects::of(live))
    })
}

/// The remark about the release of a whole host, which keeps this many generations.
#[must_use]
pub fn forgets(generations: usize) -> Remark {
    forgotten(Some(generations))
}

/// The ledger without the things.
fn without(old: &Ledger, things: &[(Service, Thing)], live: &Live) -> Ledger {
    let mut ledger = old.clone();
    ledger.generation += 1;
    ledger.applied = None;
    ledger.host_key = None;
    for (service, thing) in things {
        let Some(of_service) = ledger.services.get_mut(service) else {
            continue;
        };
        of_service.managed.remove(thing);
        if let Thing::File(path) = thing {
            of_service.indexes.remove(path);
        }
    }
    for (service, left) in &mut ledger.services {
        let old = old.service(service);
        // A service that has loaded everything still has. One that has not loaded what changed on the host has
        // loaded what was applied. Any other hash stays: it matches nothing, so the next plan reloads.
        if is_loaded(service, old, live) {
            left.activated = Some(activation_by(service, left, live));
        } else if is_loaded_as_recorded(old, live.host_key()) {
            left.activated = Some(activation_after(left));
        }
    }
    ledger
}
