//! The generation that an apply writes: what the host must have from then on, and what changed.

use std::collections::BTreeMap;

use crate::history::{Action, Changed, Generation, HistoryEntry, ServiceSnapshot};
use crate::ledger::{Applied, Managed};
use crate::state::{DesiredService, Want};
use crate::thing::Thing;

use super::{Change, HostPlan, Step};

/// The generation that an apply of `plan` makes; none where the plan keeps no snapshot.
pub(super) fn generation(plan: &HostPlan, applied: &Applied) -> Option<Generation> {
    let snapshot = plan.snapshot.as_deref()?;
    Some(Generation {
        entry: HistoryEntry {
            generation: plan.ledger.generation,
            murder: plan.ledger.murder.clone(),
            applied: applied.clone(),
            changed: plan.steps.iter().filter_map(changed).collect(),
            not_probed: false,
            fault_remains: false,
        },
        snapshot: snapshot.clone(),
    })
}

/// What is wanted of exactly the managed things. An entry of master.cf that an apply created is not
/// included: its fields and options are, and they create it again.
pub(super) fn service_snapshot(
    managed: &BTreeMap<Thing, Managed>,
    desired: &DesiredService,
) -> ServiceSnapshot {
    let mut snapshot = ServiceSnapshot {
        probes: desired.probes.clone(),
        ..ServiceSnapshot::default()
    };
    for thing in managed.keys() {
        if let Thing::File(path) = thing {
            if let Some(want) = desired.files.get(path) {
                snapshot.files.insert(path.clone(), kept(want));
            }
        } else if let Some(want) = desired.values.get(thing) {
            snapshot.values.insert(thing.clone(), kept(want));
        }
    }
    snapshot
}

fn kept<T: Clone>(want: &Want<T>) -> Option<T> {
    match want {
        Want::Present(wanted) => Some(wanted.clone()),
        Want::Absent => None,
    }
}

fn changed(step: &Step) -> Option<Changed> {
    let (service, thing, action) = match step {
        Step::File {
            service,
            path,
            change,
            ..
        } => (service, Thing::File(path.clone()), action(change)),
        Step::Value {
            service,
            thing,
            change,
            ..
        } => (service, thing.clone(), action(change)),
        Step::Delete { service, path, .. } => (service, Thing::File(path.clone()), Action::Delete),
        Step::TakeOver { service, thing } => (service, thing.clone(), Action::TakeOver),
        Step::Release { service, thing } => (service, thing.clone(), Action::Release),
        Step::Sweep { .. }
        | Step::Index { .. }
        | Step::Check { .. }
        | Step::Reload { .. }
        | Step::Restart { .. }
        | Step::Probe { .. } => return None,
    };
    Some(Changed {
        service: service.clone(),
        thing,
        action,
    })
}

fn action<T>(change: &Change<T>) -> Action {
    match change {
        Change::Create { .. } => Action::Create,
        Change::Update { .. } => Action::Update,
        Change::Delete { .. } => Action::Delete,
    }
}
