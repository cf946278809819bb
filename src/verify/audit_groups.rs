//! The audit of groups: members that do not exist, groups that contain themselves, and wrong URLs.

use std::collections::{BTreeSet, HashSet};

use super::audit::{Audit, EntryFinding};
use super::code::FindingCode;
use super::finding::{Finding, ldif_change, spelt};
use super::signature::members;
use crate::directory::{EntryId, LdapFilter};

impl Audit<'_> {
    /// Checks the members of a group.
    pub(super) fn members_of(&self, entry: EntryId, findings: &mut Vec<EntryFinding>) {
        let values: Vec<(&str, &str)> = self.values(entry, &self.attributes.members).collect();
        if self.addresses(entry).is_empty() {
            return;
        }
        if values.is_empty() {
            self.without_members(entry, findings);
            return;
        }
        let dn = self.directory.dn(entry);
        for (attribute, value) in &values {
            let attribute = spelt(attribute);
            let Ok(found) = members(self.directory, value) else {
                let text = format!("`{attribute}` of `{dn}` is not an LDAP URL: `{value}`");
                let help = ldif_change(dn, "replace", attribute, &["ldap:///BASE??sub?(FILTER)"]);
                findings.push(self.about(FindingCode::BadFilter, entry, text, help));
                continue;
            };
            let reason = match found.as_slice() {
                [] if value.contains("://") => "finds no entry",
                [] => "does not exist",
                all if all.iter().any(|member| self.has_address(*member)) => continue,
                _ => "has no address",
            };
            let text = format!("member `{value}` of `{dn}` {reason}");
            let help = ldif_change(dn, "delete", attribute, &[value]);
            findings.push(self.about(FindingCode::MissingMember, entry, text, help));
        }
    }

    /// Finds a group without members, whose own address is then the result of the lookup (ldap_table(5), `leaf_result_attribute`).
    fn without_members(&self, entry: EntryId, findings: &mut Vec<EntryFinding>) {
        let has = |attributes| self.values(entry, attributes).next().is_some();
        let attributes = self.attributes;
        let mut groups = attributes.groups.iter();
        let is_group = |(filter, _): &&(LdapFilter, String)| {
            self.directory.is_match(entry, filter, &|_| String::new())
        };
        let Some((_, attribute)) = groups.find(is_group) else {
            return;
        };
        if has(&attributes.hosts)
            || has(&attributes.forwards)
            || has(&attributes.targets)
            || self.is_any(entry, &attributes.mailboxes)
        {
            return;
        }
        let dn = self.directory.dn(entry);
        let text = format!("group `{dn}` has no `{}`", spelt(attribute));
        let help = ldif_change(dn, "add", attribute, &["MEMBER"]);
        findings.push(self.about(FindingCode::MissingMember, entry, text, help));
    }

    /// Whether a member of a group gets mail, by an address or as a group.
    fn has_address(&self, member: EntryId) -> bool {
        let mut primary = self.values(member, &self.attributes.primary);
        primary.next().is_some()
            || self
                .values(member, &self.attributes.members)
                .next()
                .is_some()
    }

    /// Groups that contain themselves, directly or by others; each cycle once. Each group is followed once, however deep groups nest.
    #[must_use]
    pub fn group_cycles(&self, entries: &[EntryId]) -> Vec<EntryFinding> {
        let mut done: HashSet<EntryId> = HashSet::new();
        let mut cycles: BTreeSet<Vec<EntryId>> = BTreeSet::new();
        for start in entries {
            // The groups from the start to where the search is, and the groups within each that it has not followed yet.
            let mut path: Vec<(EntryId, Vec<EntryId>)> = Vec::new();
            let mut within: HashSet<EntryId> = HashSet::new();
            let mut next = Some(*start);
            loop {
                if let Some(group) = next.take()
                    && !done.contains(&group)
                    && within.insert(group)
                {
                    path.push((group, self.groups_in(group)));
                }
                let Some((group, inner)) = path.last_mut() else {
                    break;
                };
                match inner.pop() {
                    None => {
                        let group = *group;
                        path.pop();
                        within.remove(&group);
                        done.insert(group);
                    }
                    Some(inner) if within.contains(&inner) => {
                        let cycle = path.iter().map(|(group, _)| *group);
                        let mut cycle: Vec<EntryId> =
                            cycle.skip_while(|group| *group != inner).collect();
                        let first = cycle.iter().enumerate().min_by_key(|(_, group)| **group);
                        let first = first.map_or(0, |(at, _)| at);
                        cycle.rotate_left(first);
                        cycles.insert(cycle);
                    }
                    Some(inner) => next = Some(inner),
                }
            }
        }
        let cycles = cycles.into_iter();
        cycles.filter_map(|cycle| self.group_cycle(cycle)).collect()
    }

    /// The groups that are members of a group; none if it is no group.
    fn groups_in(&self, group: EntryId) -> Vec<EntryId> {
        let values = self.values(group, &self.attributes.members);
        let all = values.flat_map(|(_, value)| members(self.directory, value).unwrap_or_default());
        let is_group = |member: &EntryId| {
            let mut own = self.values(*member, &self.attributes.members);
            own.next().is_some()
        };
        let mut groups: Vec<EntryId> = all.filter(is_group).collect();
        // The search takes them from the end.
        groups.reverse();
        groups
    }

    /// The finding of a cycle, from its first group on; none if no group has an address.
    fn group_cycle(&self, cycle: Vec<EntryId>) -> Option<EntryFinding> {
        let (first, last) = (*cycle.first()?, *cycle.last()?);
        let names: Vec<&str> = cycle.iter().map(|at| self.directory.dn(*at)).collect();
        let text = match names.as_slice() {
            [name] => format!("`{name}` contains itself"),
            _ => format!("`{}` contain each other", names.join("`, `")),
        };
        let mut links = self.values(last, &self.attributes.members);
        let link = links.find(|(_, value)| {
            members(self.directory, value).is_ok_and(|found| found.contains(&first))
        });
        let (attribute, value) = link.unwrap_or_default();
        let help = ldif_change(self.directory.dn(last), "delete", attribute, &[value]);
        let mut finding = Finding::new(FindingCode::GroupCycle, text, help);
        finding.entries = names.into_iter().map(str::to_owned).collect();
        let addresses = cycle.iter().flat_map(|at| self.addresses(*at));
        finding.addresses = addresses.collect();
        (!finding.addresses.is_empty()).then_some((finding, cycle))
    }
}
