//! Hosts that differ in their names only, before a change, after it and in its turn: some stand for all.

use std::collections::{BTreeMap, BTreeSet};

/// For each host the first one that differs from it in names only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceTwins {
    first: Vec<usize>,
    groups: Vec<Vec<usize>>,
}

impl PlaceTwins {
    /// `key` says of each host what it has in common with its twins.
    #[must_use]
    pub fn new<K: Ord>(hosts: usize, key: impl Fn(usize) -> K) -> Self {
        let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for host in 0..hosts {
            groups.entry(key(host)).or_default().push(host);
        }
        let groups: Vec<Vec<usize>> = groups.into_values().collect();
        let mut first: Vec<usize> = (0..hosts).collect();
        for group in &groups {
            for host in group {
                if let (Some(known), Some(of_group)) = (first.get_mut(*host), group.first()) {
                    *known = *of_group;
                }
            }
        }
        Self { first, groups }
    }

    /// Whether a host is the first one of its twins.
    #[must_use]
    pub fn is_first(&self, host: usize) -> bool {
        self.first.get(host) == Some(&host)
    }

    /// Whether two hosts are twins.
    pub(super) fn are_alike(&self, one: usize, other: usize) -> bool {
        self.first.get(one) == self.first.get(other)
    }

    /// The hosts from which mail of a class is tried: those that its entries name, and of other twins two, as one of them may be
    /// in a state of its own. All, if the class names none.
    pub(super) fn tried(&self, named: Option<&BTreeSet<usize>>) -> BTreeSet<usize> {
        let Some(named) = named else {
            return (0..self.first.len()).collect();
        };
        let groups = self.groups.iter();
        let others = groups.flat_map(|group| {
            let others = group.iter().filter(|host| !named.contains(host));
            others.take(2)
        });
        named.iter().chain(others).copied().collect()
    }
}
