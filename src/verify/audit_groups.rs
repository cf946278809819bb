//! The audit of groups: members that do not exist, groups that contain themselves, and wrong URLs.

use super::audit::{Audit, EntryFinding};
use super::code::FindingCode;
use super::finding::{ldif_change, spelt};
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
        let mut path = vec![entry];
        if self.leads_back(entry, entry, &mut path, &mut Vec::new())
            && path.iter().min() == Some(&entry)
        {
            let names: Vec<&str> = path.iter().map(|at| self.directory.dn(*at)).collect();
            let text = match names.as_slice() {
                [_] => format!("`{dn}` contains itself"),
                _ => format!("`{}` contain each other", names.join("`, `")),
            };
            let last = path.last().copied().unwrap_or(entry);
            let mut links = self.values(last, &self.attributes.members);
            let link = links.find(|(_, value)| {
                members(self.directory, value).is_ok_and(|found| found.contains(&entry))
            });
            let (attribute, value) = link.unwrap_or_default();
            let help = ldif_change(self.directory.dn(last), "delete", attribute, &[value]);
            let (mut finding, _) = self.about(FindingCode::GroupCycle, entry, text, help);
            finding.entries = names.into_iter().map(str::to_owned).collect();
            finding.addresses = path.iter().flat_map(|at| self.addresses(*at)).collect();
            findings.push((finding, path));
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

    /// Whether the members of a group lead back to a group; the path to it is left in `path`.
    fn leads_back(
        &self,
        target: EntryId,
        from: EntryId,
        path: &mut Vec<EntryId>,
        seen: &mut Vec<EntryId>,
    ) -> bool {
        let values: Vec<(&str, &str)> = self.values(from, &self.attributes.members).collect();
        for (_, value) in values {
            for member in members(self.directory, value).unwrap_or_default() {
                if member == target {
                    return true;
                }
                let is_group = self
                    .values(member, &self.attributes.members)
                    .next()
                    .is_some();
                if !is_group || seen.contains(&member) {
                    continue;
                }
                seen.push(member);
                path.push(member);
                if self.leads_back(target, member, path, seen) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }
}
