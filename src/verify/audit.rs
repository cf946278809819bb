//! The audit of a directory: what is wrong in entries, whatever way their mail takes.

use std::collections::{BTreeSet, HashMap};

use super::addresses::addresses_of;
use super::attributes::Attributes;
use super::code::FindingCode;
use super::finding::{Finding, ldif_change, spelt};
use crate::directory::{Directory, EntryId, LdapFilter};
use crate::mail::address::{internal, quoted};
use crate::mail::table::placeholder;
use crate::mail::{MailHost, MailMurder};

/// Looks at the entries of a directory.
#[derive(Debug)]
pub struct Audit<'a> {
    pub(super) attributes: &'a Attributes,
    pub(super) murder: &'a MailMurder,
    pub(super) directory: &'a Directory,
    /// The values of `mailHost` of servers with mailboxes, by their form in lower case.
    servers: HashMap<String, String>,
}

/// A finding and the entries that have the fault.
pub type EntryFinding = (Finding, Vec<EntryId>);

impl<'a> Audit<'a> {
    /// An audit for the tables of a murder.
    #[must_use]
    pub fn new(
        attributes: &'a Attributes,
        murder: &'a MailMurder,
        directory: &'a Directory,
    ) -> Self {
        let hosts = murder.hosts.iter();
        let hosts = hosts.filter(|host| host.abilities.holds_mailboxes);
        let names = hosts.filter_map(|host| server_name(host));
        Self {
            attributes,
            murder,
            directory,
            servers: names
                .map(|name| (name.to_lowercase(), name.to_owned()))
                .collect(),
        }
    }

    /// What is wrong in some entries, each by itself.
    #[must_use]
    pub fn entries(&self, entries: &[EntryId]) -> Vec<EntryFinding> {
        let mut findings = Vec::new();
        for &entry in entries {
            self.server_of(entry, &mut findings);
            self.target_of(entry, &mut findings);
            self.members_of(entry, &mut findings);
        }
        findings
    }

    pub(super) fn values<'s>(
        &'s self,
        entry: EntryId,
        attributes: &'s BTreeSet<String>,
    ) -> impl Iterator<Item = (&'s str, &'s str)> {
        attributes.iter().flat_map(move |name| {
            let of = self.directory.attribute(name).into_iter();
            of.flat_map(move |of| self.directory.values_of(entry, of))
                .map(move |value| (name.as_str(), value))
        })
    }

    pub(super) fn is_any(&self, entry: EntryId, filters: &[LdapFilter]) -> bool {
        let mut filters = filters.iter();
        filters.any(|filter| self.directory.is_match(entry, filter, &|_| String::new()))
    }

    /// The addresses of an entry.
    pub(super) fn addresses(&self, entry: EntryId) -> Vec<String> {
        let own = addresses_of(self.attributes, self.murder, self.directory, entry);
        own.into_iter().map(|known| known.address).collect()
    }

    /// A finding about one entry.
    pub(super) fn about(
        &self,
        code: FindingCode,
        entry: EntryId,
        text: String,
        help: String,
    ) -> EntryFinding {
        let mut finding = Finding::new(code, text, help).in_entry(self.directory.dn(entry));
        finding.addresses = self.addresses(entry);
        (finding, vec![entry])
    }

    /// Checks the server of an entry with a mailbox.
    fn server_of(&self, entry: EntryId, findings: &mut Vec<EntryFinding>) {
        let Some(attribute) = self.attributes.hosts.first() else {
            return;
        };
        let attribute = spelt(attribute);
        let servers: Vec<(&str, &str)> = self.values(entry, &self.attributes.hosts).collect();
        if servers.len() == 1
            && self.servers.get(servers[0].1).map(String::as_str) == Some(servers[0].1)
            || !self.is_any(entry, &self.attributes.mailboxes)
        {
            return;
        }
        let dn = self.directory.dn(entry);
        if servers.is_empty() {
            let is_forwarded = self
                .values(entry, &self.attributes.forwards)
                .next()
                .is_some();
            let is_group = self
                .values(entry, &self.attributes.members)
                .next()
                .is_some();
            if !is_forwarded && !is_group && !self.addresses(entry).is_empty() {
                let text = format!("`{dn}` has no `{attribute}`: its mail waits");
                let help = ldif_change(dn, "add", attribute, &["SERVER"]);
                findings.push(self.about(FindingCode::NoMailhost, entry, text, help));
            }
            return;
        }
        if servers.len() > 1 {
            let names: Vec<&str> = servers.iter().map(|(_, value)| *value).collect();
            let text = format!(
                "`{dn}` has {} values of `{attribute}`: `{}`",
                names.len(),
                names.join("`, `")
            );
            let change = ldif_change(dn, "replace", attribute, &names[..1]);
            let help = format!("# keep the server that has the mailbox\n{change}");
            findings.push(self.about(FindingCode::ManyMailhosts, entry, text, help));
        }
        for (attribute, name) in servers {
            self.server(entry, attribute, name, findings);
        }
    }

    fn server(
        &self,
        entry: EntryId,
        attribute: &str,
        name: &str,
        findings: &mut Vec<EntryFinding>,
    ) {
        let (dn, lower) = (self.directory.dn(entry), name.to_lowercase());
        let attribute = spelt(attribute);
        let full = self.servers.keys().find(|server| {
            server
                .strip_prefix(lower.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
        });
        let (code, text, right) = match self.servers.get(&lower) {
            Some(server) if server == name => return,
            Some(server) => (
                FindingCode::MailhostCase,
                format!("`{attribute}` of `{dn}` is `{name}`, and the manifest has `{server}`"),
                server.clone(),
            ),
            None if self.murder.is_external(&lower) => return,
            None if !name.contains('.') => (
                FindingCode::ShortMailhost,
                format!("`{attribute}` of `{dn}` is the short name `{name}`"),
                full.cloned().unwrap_or_else(|| "SERVER".to_owned()),
            ),
            None => {
                let host = self.murder.host(&lower);
                let host = host.and_then(|at| self.murder.hosts.get(at));
                let (what, right) = match host {
                    Some(host) if host.abilities.holds_mailboxes => {
                        let own = server_name(host).unwrap_or("SERVER");
                        let what = format!(
                            "a host whose Cyrus is called `{own}` (its `mailhost` in the manifest)"
                        );
                        (what, own)
                    }
                    Some(_) => ("a host without mailboxes".to_owned(), "SERVER"),
                    None => ("no host of the manifest".to_owned(), "SERVER"),
                };
                let text = format!("`{attribute}` of `{dn}` is `{name}`, {what}");
                (FindingCode::UnknownMailhost, text, right.to_owned())
            }
        };
        let help = ldif_change(dn, "replace", attribute, &[&right]);
        findings.push(self.about(code, entry, text, help));
    }

    /// Checks that a shared folder's entry names its folder.
    fn target_of(&self, entry: EntryId, findings: &mut Vec<EntryFinding>) {
        let Some(attribute) = self.attributes.targets.first() else {
            return;
        };
        let attribute = spelt(attribute);
        if self
            .values(entry, &self.attributes.targets)
            .next()
            .is_none()
            && self.is_any(entry, &self.attributes.folders)
            && !self.addresses(entry).is_empty()
        {
            let dn = self.directory.dn(entry);
            let text = format!("`{dn}` has no `{attribute}`: its mail reaches no folder");
            let help = ldif_change(dn, "add", attribute, &["shared/FOLDER@DOMAIN"]);
            findings.push(self.about(FindingCode::FolderWithoutTarget, entry, text, help));
        }
    }

    /// The entries that tables find by an address in lower case, with its extension, as it is and in quotes where it needs them.
    pub(super) fn entries_of(&self, address: &str) -> Vec<EntryId> {
        let mut entries = Vec::new();
        let external = quoted(address);
        let other = (!address.starts_with('"') && external != address).then_some(external.as_str());
        for address in [address].into_iter().chain(other) {
            for key in &self.attributes.keys {
                let value = key
                    .pattern
                    .fill(&|letter| placeholder(letter, address, address));
                entries.extend(self.directory.with_value(&key.attribute, &value));
            }
        }
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    /// Whether entries have an address, and none of them as its primary one.
    pub(super) fn is_alias_only(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        let mut entries = self.entries_of(&address);
        entries.retain(|entry| self.is_any(*entry, &self.attributes.mailboxes));
        let is_primary = |entry: &EntryId| {
            let mut own = self.values(*entry, &self.attributes.primary);
            own.any(|(_, value)| internal(&value.to_lowercase()) == address)
        };
        !entries.is_empty() && !entries.iter().any(is_primary)
    }
}

/// The value of `mailHost` for the mailboxes of a host.
fn server_name(host: &MailHost) -> Option<&str> {
    let name = host.names.get(1).or_else(|| host.names.first());
    name.map(String::as_str)
}
