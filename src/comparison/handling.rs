//! What differs and changes nothing on a host: how `murder` reaches hosts, and how it takes them in turn.

use std::collections::BTreeSet;

use super::Side;
use crate::access::Access;
use crate::model::Host;
use crate::name::{HostName, RoleName};
use crate::policy::Policy;

/// What differs in how `murder` handles the hosts that both manifests have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handling {
    /// Hosts that are reached in another way (`ssh`).
    pub ssh: BTreeSet<HostName>,
    /// Hosts whose `maintenance` differs.
    pub maintenance: BTreeSet<HostName>,
    /// Roles whose `rollout` differs.
    pub rollout: BTreeSet<RoleName>,
    /// Whether rules or freezes differ (`policies`).
    pub policies: bool,
}

impl Handling {
    /// What differs between two manifests, but for their policies.
    pub(super) fn of([old, new]: [&Side<'_>; 2]) -> Self {
        let pairs = old.murder.hosts.iter();
        let pairs =
            pairs.filter_map(|(name, host)| Some((name, host, new.murder.hosts.get(name)?)));
        let pairs: Vec<(&HostName, &Host, &Host)> = pairs.collect();
        let hosts = |differs: &dyn Fn(&Host, &Host) -> bool| -> BTreeSet<HostName> {
            let found = pairs.iter().filter(|(_, left, right)| differs(left, right));
            found.map(|(name, ..)| (*name).clone()).collect()
        };
        let rollouts = [&old.murder.rollout, &new.murder.rollout];
        let roles = rollouts.iter().flat_map(|rollouts| rollouts.keys());
        Self {
            ssh: hosts(&|left, right| access(old, left) != access(new, right)),
            maintenance: hosts(&|left, right| {
                let of = |host: &'_ Host| host.maintenance.as_ref().map(|(one, _)| one.clone());
                of(left) != of(right)
            }),
            rollout: roles
                .filter(|role| rollouts[0].get(*role) != rollouts[1].get(*role))
                .cloned()
                .collect(),
            // A manifest is compared without its policies, so the caller compares them by `rules`.
            policies: false,
        }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a host is reached, with paths as the manifest has them: the two may be in different folders.
fn access(side: &Side<'_>, host: &Host) -> Access {
    let mut access = host.ssh.clone();
    for path in [&mut access.identity_file, &mut access.known_hosts] {
        if let Some(path) = path
            && let Ok(inner) = path.strip_prefix(side.folder)
        {
            *path = inner.to_owned();
        }
    }
    access
}

/// Policies without the places of their rules, which lines above them move: to compare those of two manifests.
#[must_use]
pub fn rules(policies: &[Policy]) -> Vec<Policy> {
    let mut policies = policies.to_vec();
    for policy in &mut policies {
        policy.name = String::new();
        for rule in &mut policy.rules {
            rule.at = None;
        }
    }
    policies
}
