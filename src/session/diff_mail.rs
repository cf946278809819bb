//! The order in which the hosts would be applied of which two manifests want different things.

use std::collections::BTreeMap;

use crate::comparison::{Comparison, HostComparison, HostFate, ThingChange, WhatChanges};
use crate::fleet::{Phase, TurnOrder, waves};
use crate::model::Murder;
use crate::module::Modules;
use crate::name::{HostName, RoleName};
use crate::plan::{Cause, Direction, Step, direction};

/// The hosts that differ, wave by wave, as an apply of the newer manifest has them on hosts that are as the older one wants them.
/// A host that is no longer in the newer one comes last, as a retired one does.
#[must_use]
pub fn diff_waves(
    comparison: &Comparison,
    old: &Murder,
    new: &Murder,
    modules: &Modules,
) -> Vec<Vec<HostName>> {
    let turn = |(name, host): (&HostName, &HostComparison)| {
        let of = new.hosts.get(name).or_else(|| old.hosts.get(name))?;
        let turn = TurnOrder {
            roles: of.roles.clone(),
            retired: matches!(host.fate, HostFate::Goes | HostFate::Retires),
            phase: phase(&host.changes),
        };
        Some((name.clone(), turn))
    };
    let turns: BTreeMap<HostName, TurnOrder> = comparison.hosts.iter().filter_map(turn).collect();
    let after = modules
        .0
        .iter()
        .map(|(role, module)| (role.clone(), module.after.clone()));
    let after: BTreeMap<RoleName, Vec<RoleName>> = after.collect();
    let waves = waves(&turns, &after).into_iter();
    waves.map(|wave| wave.hosts).collect()
}

/// Whether changes only remove things, as [`crate::plan::direction`] says of the steps of a plan.
fn phase(changes: &[ThingChange]) -> Phase {
    let directions: Vec<Direction> = changes.iter().map(of_change).collect();
    let adds = |one: &Direction| matches!(one, Direction::Adds | Direction::Both);
    match directions.contains(&Direction::Removes) && !directions.iter().any(adds) {
        true => Phase::Removes,
        false => Phase::Adds,
    }
}

fn of_change(change: &ThingChange) -> Direction {
    let (service, cause) = (change.service.clone(), Cause::Wanted);
    match &change.what {
        WhatChanges::File { path, change, .. } => direction(&Step::File {
            service,
            path: path.clone(),
            change: change.clone(),
            cause,
            file: None,
        }),
        WhatChanges::Value { thing, change, .. } => direction(&Step::Value {
            service,
            thing: thing.clone(),
            change: change.clone(),
            cause,
        }),
        WhatChanges::Forbidden(_) => Direction::Removes,
        WhatChanges::Allowed(_) | WhatChanges::Probes { .. } => Direction::Neutral,
    }
}
