//! The order of hosts in an apply, so that mail always has a route.
//!
//! First all hosts that add something, each role after those that its module names in `after`; then all hosts that
//! only remove things, in the reverse order; retired hosts last. So a backend accepts an address before
//! an MTA sends mail for it there, and an MTA stops sending before the backend stops accepting.
//!
//! A host is in one wave. One whose changes all remove things ([`direction`](crate::plan::bearing):
//! what is deleted, a list that loses members, a table that loses lines) is among those that remove.
//! One that creates or rewrites anything, or only finishes earlier work, is among those that add. What it removes is
//! then removed too early for hosts that still send mail for it. So a manifest that adds on one host and removes on
//! another is safest in two applies.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::{HostName, RoleName};
use crate::plan::{HostPlan, Verdict};

/// Whether a wave adds or removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Things are created or changed.
    Adds,
    /// Things are only removed.
    Removes,
}

/// Hosts that are applied in parallel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// Which, by name.
    pub hosts: Vec<HostName>,
    /// What for.
    pub phase: Phase,
}

/// What decides the wave of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnOrder {
    /// Its roles.
    pub roles: Vec<RoleName>,
    /// Whether it is retired.
    pub retired: bool,
    /// What its plan does.
    pub phase: Phase,
}

/// The waves of an apply; `after` is each module's `after`.
#[must_use]
pub fn waves(
    hosts: &BTreeMap<HostName, TurnOrder>,
    after: &BTreeMap<RoleName, Vec<RoleName>>,
) -> Vec<Wave> {
    let ranks = ranks(after);
    let mut adding: BTreeMap<usize, Vec<HostName>> = BTreeMap::new();
    let mut taking: BTreeMap<usize, Vec<HostName>> = BTreeMap::new();
    let mut retired: BTreeMap<usize, Vec<HostName>> = BTreeMap::new();
    for (host, place) in hosts {
        let of_roles = place
            .roles
            .iter()
            .map(|role| ranks.get(role).copied().unwrap_or(0));
        // The latest of a host's roles when it adds (all that it needs is there by then), which
        // the reverse order makes the first when it takes away.
        let rank = of_roles.max().unwrap_or(0);
        let waves = match (place.retired, place.phase) {
            (true, _) => &mut retired,
            (false, Phase::Adds) => &mut adding,
            (false, Phase::Removes) => &mut taking,
        };
        waves.entry(rank).or_default().push(host.clone());
    }
    let wave = |phase| move |hosts| Wave { hosts, phase };
    adding
        .into_values()
        .map(wave(Phase::Adds))
        .chain(taking.into_values().rev().map(wave(Phase::Removes)))
        .chain(retired.into_values().rev().map(wave(Phase::Removes)))
        .collect()
}

/// The length of the longest chain of roles before each role. Roles that wait for each other in a circle (loading the
/// modules refuses that) come last, together.
#[must_use]
pub fn ranks(after: &BTreeMap<RoleName, Vec<RoleName>>) -> BTreeMap<RoleName, usize> {
    let mut roles: BTreeSet<&RoleName> = after.keys().collect();
    roles.extend(after.values().flatten());
    let mut ranks: BTreeMap<RoleName, usize> = BTreeMap::new();
    let mut rank = 0;
    while !roles.is_empty() {
        let waits = |role: &&RoleName| {
            let before = after.get(*role).map_or(&[][..], |before| before);
            before.iter().any(|other| roles.contains(other))
        };
        let (waiting, mut ready): (BTreeSet<_>, BTreeSet<_>) =
            roles.iter().copied().partition(waits);
        roles = waiting;
        if ready.is_empty() {
            ready = std::mem::take(&mut roles);
        }
        ranks.extend(ready.into_iter().map(|role| (role.clone(), rank)));
        rank += 1;
    }
    ranks
}

/// The direction of a host's verdict; nothing if the host has no changes. A host that could not be planned stays among
/// those that add, so that later hosts do not begin without it.
#[must_use]
pub fn phase_of(verdict: &Verdict) -> Option<Phase> {
    match verdict {
        Verdict::Converged | Verdict::Maintenance(_) => None,
        Verdict::Changes(plan) => Some(phase_of_plan(plan)),
        Verdict::Unreachable { .. } | Verdict::Failed { .. } => Some(Phase::Adds),
    }
}

fn phase_of_plan(plan: &HostPlan) -> Phase {
    if plan.only_takes_away() {
        Phase::Removes
    } else {
        Phase::Adds
    }
}
