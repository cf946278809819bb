//! Managing no more: a plan that changes the ledger and nothing else.

use crate::history::Snapshot;
use crate::ledger::Ledger;
use crate::state::{Live, Remark};
use crate::thing::Thing;

use super::diff::forgotten;
use super::reload_hash::{activation_after, activation_by};
use super::{Expects, HostPlan, Step};

/// The plan that releases one thing, or without one the whole host; none where nothing of it is
/// managed. A master.cf entry goes with its fields and options. `last` is what the newest
/// generation says that the host is, if that is known: the next one says the same without the thing. `keep` generations stay.
#[must_use]
pub fn release(
    live: &Live,
    which: Option<&Thing>,
    last: Option<&Snapshot>,
    keep: u32,
) -> Option<HostPlan> {
    let old = live.ledger.as_ref()?;
    let goes = |thing: &&Thing| which.is_none_or(|which| is_part(thing, which));
    let things: Vec<Thing> = old.managed.keys().filter(goes).cloned().collect();
    if things.is_empty() && which.is_some() {
        return None;
    }
    let ledger = without(old, &things, live);
    let keeps_ledger = which.is_some();
    let snapshot = last.filter(|_| keeps_ledger).map(|last| {
        let mut snapshot = last.clone();
        for thing in &things {
            snapshot.values.remove(thing);
            if let Thing::File(path) = thing {
                snapshot.files.remove(path);
            }
        }
        Box::new(snapshot)
    });
    Some(HostPlan {
        steps: things
            .into_iter()
            .map(|thing| Step::Release { thing })
            .collect(),
        keeps_ledger,
        snapshot,
        keep,
        ..HostPlan::empty(ledger, Expects::of(live))
    })
}

/// What is said of releasing the whole host, which keeps so many generations.
#[must_use]
pub fn forgets(generations: usize) -> Remark {
    forgotten(Some(generations))
}

/// The ledger without the things.
fn without(old: &Ledger, things: &[Thing], live: &Live) -> Ledger {
    let mut ledger = old.clone();
    ledger.generation += 1;
    ledger.applied = None;
    for thing in things {
        ledger.managed.remove(thing);
        if let Thing::File(path) = thing {
            ledger.indexes.remove(path);
        }
    }
    // What Postfix has been told of stays told. Where it has not been told of something, what it
    // was told of is what was applied; other hashes are left to say that they match nothing.
    let is_told = old.told.as_ref() == Some(&activation_by(old, live));
    if is_told {
        ledger.told = Some(activation_by(&ledger, live));
    } else if old.told.as_ref() == Some(&activation_after(old)) {
        ledger.told = Some(activation_after(&ledger));
    }
    ledger
}

fn is_part(thing: &Thing, whole: &Thing) -> bool {
    match (whole, thing) {
        (Thing::Service(whole), Thing::Field(of, _) | Thing::Option(of, _)) => whole == of,
        _ => thing == whole,
    }
}
