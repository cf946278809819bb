//! Holds in a ledger: a thing that stays as it is on the host until a time, whatever the manifest says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reload_hash::{activation_after, activation_by, is_loaded, is_loaded_as_recorded};
use super::{HostPlan, Step};
use crate::ledger::{Hold, Ledger};
use crate::service::Service;
use crate::state::Live;
use crate::thing::Thing;

/// A thing that a host holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldThing {
    /// Of which service.
    pub service: Service,
    /// Which.
    pub thing: Thing,
    /// Until when, and why.
    #[serde(flatten)]
    pub hold: Hold,
    /// Whether the plan would change it otherwise.
    pub differs: bool,
}

impl HostPlan {
    /// The things that a step creates, updates or deletes.
    pub fn changed_things(&self) -> Vec<(Service, Thing)> {
        let changed = self.steps.iter().filter_map(|step| match step {
            Step::File { service, path, .. } | Step::Delete { service, path, .. } => {
                Some((service.clone(), Thing::File(path.clone())))
            }
            Step::Value { service, thing, .. } => Some((service.clone(), thing.clone())),
            _ => None,
        });
        changed.collect()
    }
}

/// The ledger of a host with one more hold, or without it where `hold` is none. None if the host has no ledger.
#[must_use]
pub fn with_hold(
    live: &Live,
    service: &Service,
    thing: &Thing,
    hold: Option<Hold>,
) -> Option<Ledger> {
    let old = live.ledger.as_ref()?;
    let mut ledger = old.clone();
    let changed = ledger.services.entry(service.clone()).or_default();
    match hold {
        Some(hold) => changed.holds.insert(thing.clone(), hold),
        None => changed.holds.remove(thing),
    };
    // What the service last loaded is a hash without the held things: it follows, unless the service has something to load.
    let before = old.service(service);
    if is_loaded(service, before, live) {
        changed.activated = Some(activation_by(service, changed, live));
    } else if is_loaded_as_recorded(before, live.host_key()) {
        changed.activated = Some(activation_after(changed));
    }
    Some(ledger)
}

/// Removes the holds that ended, from both ledgers of a host. `now` is RFC 3339 in UTC, as all times of ledgers.
pub fn end_holds(live: &mut Live, now: &str) {
    let ledgers = live.ledger.iter_mut().chain(&mut live.pending);
    for service in ledgers.flat_map(|ledger| ledger.services.values_mut()) {
        service.holds.retain(|_, hold| hold.until.as_str() > now);
    }
}

/// Lets a plan hold everything that it changes.
pub fn hold_changes(plan: &mut HostPlan, hold: &Hold) {
    if !plan.keeps_ledger {
        return;
    }
    for (service, thing) in plan.changed_things() {
        let of_service = plan.ledger.services.entry(service).or_default();
        of_service.holds.insert(thing, hold.clone());
    }
    for service in plan.ledger.services.values_mut() {
        service.activated = Some(activation_after(service));
    }
}
