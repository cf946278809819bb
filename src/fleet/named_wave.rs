//! The names of waves, which a pipeline has as its stages: the manifest alone fixes them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Phase, phase_of, ranks};
use crate::name::{HostName, RoleName};
use crate::plan::Plan;

/// A wave that the hosts of a manifest can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedWave {
    /// `add-1`, `add-2` … in the order of an apply, then `remove-2`, `remove-1`, then `retire-2`, `retire-1`.
    pub name: String,
    /// The roles of its hosts.
    pub roles: BTreeSet<RoleName>,
    /// The hosts that can be in it.
    pub hosts: BTreeSet<HostName>,
    phase: Phase,
    is_retired: bool,
}

/// The waves of hosts with their roles and whether they are retired, in the order of an apply.
#[must_use]
pub fn named_waves(
    hosts: &BTreeMap<HostName, (Vec<RoleName>, bool)>,
    after: &BTreeMap<RoleName, Vec<RoleName>>,
) -> Vec<NamedWave> {
    let ranks = ranks(after);
    let rank_of = |roles: &[RoleName]| {
        let of_roles = roles.iter();
        let of_roles = of_roles.map(|role| ranks.get(role).copied().unwrap_or(0));
        of_roles.max().unwrap_or(0)
    };
    // All ranks count, also those without a host, so that a part of the hosts has the same names.
    let last = ranks.values().copied().max().unwrap_or(0);
    let wave = |word: &str, rank: usize, phase: Phase, is_retired: bool| {
        let members = hosts
            .iter()
            .filter(|(_, (roles, retired))| *retired == is_retired && rank_of(roles) == rank);
        let members: Vec<_> = members.collect();
        let roles = members.iter().flat_map(|(_, (roles, _))| roles.clone());
        NamedWave {
            name: format!("{word}-{}", rank + 1),
            roles: roles.collect(),
            hosts: members.iter().map(|(host, _)| (*host).clone()).collect(),
            phase,
            is_retired,
        }
    };
    let adds = (0..=last).map(|rank| wave("add", rank, Phase::Adds, false));
    let removes = (0..=last).rev();
    let removes = removes.map(|rank| wave("remove", rank, Phase::Removes, false));
    let retires = (0..=last).rev();
    let retires = retires.map(|rank| wave("retire", rank, Phase::Removes, true));
    adds.chain(removes).chain(retires).collect()
}

impl NamedWave {
    /// The hosts of a plan that are in this wave now.
    #[must_use]
    pub fn of(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        plan.hosts.retain(|host, verdict| {
            let phase = phase_of(&verdict.verdict);
            self.hosts.contains(host)
                && phase.is_some_and(|phase| self.is_retired || phase == self.phase)
        });
        plan
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_order_of_an_apply() {
        let role = |name: &str| RoleName::new(name).unwrap();
        let host = |name: &str, of: &str, retired: bool| {
            (HostName::new(name).unwrap(), (vec![role(of)], retired))
        };
        let hosts = BTreeMap::from([
            host("a.x", "inner", false),
            host("b.x", "outer", false),
            host("c.x", "inner", true),
        ]);
        let after = BTreeMap::from([(role("outer"), vec![role("inner")])]);
        let waves = named_waves(&hosts, &after);
        let names: Vec<&str> = waves.iter().map(|wave| wave.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "add-1", "add-2", "remove-2", "remove-1", "retire-2", "retire-1"
            ]
        );
        let of = |at: usize| {
            waves[at]
                .hosts
                .iter()
                .map(HostName::as_str)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (of(0), of(1), of(5)),
            (vec!["a.x"], vec!["b.x"], vec!["c.x"])
        );
    }
}
