//! What decides the order of the hosts in an apply, whether a manifest or a saved plan says it.

use std::collections::BTreeMap;

use crate::load::LoadedMurder;
use crate::model::{HostState, Rollout};
use crate::name::{HostName, RoleName};
use crate::plan::saved::SavedPlan;

/// What decides the order of the hosts in an apply.
#[derive(Debug, Clone, Default)]
pub struct RolloutOrder {
    /// The roles of each host, and whether it is retired.
    pub hosts: BTreeMap<HostName, (Vec<RoleName>, bool)>,
    /// For each role, the roles that are applied before it.
    pub after: BTreeMap<RoleName, Vec<RoleName>>,
    /// How the hosts of a role are taken in turn.
    pub rollout: BTreeMap<RoleName, Rollout>,
}

impl RolloutOrder {
    /// As a manifest says.
    #[must_use]
    pub fn of_manifest(loaded: &LoadedMurder) -> Self {
        let hosts = loaded.murder.hosts.iter().map(|(name, host)| {
            let retired = host.state == HostState::Retired;
            (name.clone(), (host.roles.clone(), retired))
        });
        Self {
            hosts: hosts.collect(),
            after: loaded.after.clone(),
            rollout: loaded.murder.rollout.clone(),
        }
    }

    /// As a saved plan says.
    #[must_use]
    pub fn of_saved(plan: &SavedPlan) -> Self {
        let hosts = plan.body.hosts.iter().map(|(name, host)| {
            let retired = host
                .changes()
                .is_some_and(|changes| changes.desired.retired);
            (name.clone(), (host.roles.clone(), retired))
        });
        let rollout = plan.body.rollout.iter();
        Self {
            hosts: hosts.collect(),
            after: plan.body.after.clone(),
            rollout: rollout
                .map(|(role, rollout)| (role.clone(), rollout.into()))
                .collect(),
        }
    }
}
