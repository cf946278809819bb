//! Cycles of forwarding addresses, and the values that close them.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::Audit;
use super::finding::ldif_change;
use crate::directory::EntryId;

/// A forwarding address of an entry: its attribute, and its value.
type Link<'a> = (&'a str, &'a str);

impl Audit<'_> {
    /// The changes that take one forwarding address out of each cycle of some entries; none if their forwarding addresses make no
    /// cycle.
    pub(super) fn without_cycles(&self, entries: &[EntryId]) -> Option<String> {
        let mut links: BTreeMap<EntryId, Vec<(Link<'_>, Vec<EntryId>)>> = BTreeMap::new();
        for entry in entries {
            let own = self.values(*entry, &self.attributes.forwards);
            let own = own.map(|link| (link, self.entries_of(&link.1.to_lowercase())));
            links.entry(*entry).or_insert_with(|| own.collect());
        }
        let mut removed: BTreeSet<(EntryId, Link<'_>)> = BTreeSet::new();
        let mut done: BTreeSet<EntryId> = BTreeSet::new();
        for start in links.keys() {
            // Depth first; a link that leads back to an entry of the path closes a cycle.
            let mut path = vec![(*start, 0)];
            while let Some((at, next)) = path.last_mut() {
                let all = links.get(at).into_iter().flatten();
                let mut all = all.flat_map(|(link, to)| to.iter().map(move |to| (*link, *to)));
                let (from, step) = (*at, all.nth(*next));
                *next += 1;
                match step {
                    None => {
                        done.insert(from);
                        path.pop();
                    }
                    Some((link, to)) if path.iter().any(|(known, _)| *known == to) => {
                        removed.insert((from, link));
                    }
                    Some((_, to)) if !done.contains(&to) && links.contains_key(&to) => {
                        path.push((to, 0));
                    }
                    Some(_) => {}
                }
            }
        }
        let changes = removed.into_iter().map(|(entry, (attribute, value))| {
            ldif_change(self.directory.dn(entry), "delete", attribute, &[value])
        });
        let changes: Vec<String> = changes.collect();
        (!changes.is_empty()).then(|| changes.join("\n"))
    }
}
