//! The audit of a directory: what is wrong in entries, whatever way their mail takes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::addresses::{AddressForm, addresses_of};
use super::attributes::Attributes;
use super::code::FindingCode;
use super::finding::{Finding, modify, spelt};
use crate::directory::{Directory, EntryId, LdapFilter};
use crate::mail::address::{list, split};
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
                let help = modify(dn, "add", attribute, &["SERVER"]);
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
            let help = modify(dn, "replace", attribute, &names[..1]);
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
        let help = modify(dn, "replace", attribute, &[&right]);
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
            let help = modify(dn, "add", attribute, &["shared/FOLDER@DOMAIN"]);
            findings.push(self.about(FindingCode::FolderWithoutTarget, entry, text, help));
        }
    }

    /// The entries that tables find by an address in lower case, with its extension.
    pub(super) fn entries_of(&self, address: &str) -> Vec<EntryId> {
        let mut entries = Vec::new();
        for key in &self.attributes.keys {
            let value = key
                .pattern
                .fill(&|letter| placeholder(letter, address, address));
            entries.extend(self.directory.with_value(&key.attribute, &value));
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
            own.any(|(_, value)| value.to_lowercase() == address)
        };
        !entries.is_empty() && !entries.iter().any(is_primary)
    }

    /// What is wrong with addresses that several entries have.
    #[must_use]
    pub fn shared(&self, addresses: &[String]) -> Vec<EntryFinding> {
        let mut findings: BTreeMap<(FindingCode, Vec<EntryId>), Vec<String>> = BTreeMap::new();
        for address in addresses {
            if let Some((code, entries)) = self.shared_by(address) {
                let known = findings.entry((code, entries)).or_default();
                known.push(address.clone());
            }
        }
        let findings = findings.into_iter().map(|((code, entries), addresses)| {
            let names: Vec<&str> = entries
                .iter()
                .map(|entry| self.directory.dn(*entry))
                .collect();
            let what = match code {
                FindingCode::AliasShadowsPrimary => {
                    "is the primary address of one entry and the alias of another one"
                }
                FindingCode::TwoBackends => "belongs to entries on different backends",
                _ => "belongs to several entries",
            };
            let text = format!(
                "`{}` {what}: `{}`",
                addresses.join("`, `"),
                names.join("`, `")
            );
            let help = format!(
                "remove `{}` from all but one of them, with ldapmodify(1)",
                addresses.join("`, `")
            );
            let mut finding = Finding::new(code, text, help);
            finding.addresses = addresses;
            finding.entries = names.into_iter().map(str::to_owned).collect();
            (finding, entries)
        });
        findings.collect()
    }

    fn shared_by(&self, address: &str) -> Option<(FindingCode, Vec<EntryId>)> {
        let mut entries = self.entries_of(address);
        entries.retain(|entry| self.is_any(*entry, &self.attributes.found));
        let form = |entry: &EntryId| {
            let own = addresses_of(self.attributes, self.murder, self.directory, *entry);
            let known = own.into_iter().find(|known| known.address == address);
            known.map(|known| known.form)
        };
        let forms: Vec<AddressForm> = entries.iter().filter_map(form).collect();
        if entries.len() < 2 || forms.len() < 2 {
            return None;
        }
        let is_primary = |form: &AddressForm| *form == AddressForm::Primary;
        if forms.iter().any(is_primary) && !forms.iter().all(is_primary) {
            return Some((FindingCode::AliasShadowsPrimary, entries));
        }
        let servers: BTreeSet<String> = entries
            .iter()
            .flat_map(|entry| self.values(*entry, &self.attributes.hosts))
            .map(|(_, value)| value.to_lowercase())
            .collect();
        let code = match servers.len() {
            0 | 1 => FindingCode::DuplicateAddress,
            _ => FindingCode::TwoBackends,
        };
        Some((code, entries))
    }

    /// Folders with the same target, and folders whose address in Cyrus is the address of an entry.
    #[must_use]
    pub fn folders(&self, delimiters: &str) -> Vec<EntryFinding> {
        let mut by_target: BTreeMap<(String, String), Vec<EntryId>> = BTreeMap::new();
        let mut posts: BTreeSet<String> = BTreeSet::new();
        for entry in self.directory.entries() {
            let Some((attribute, target)) = self.values(entry, &self.attributes.targets).next()
            else {
                continue;
            };
            let server = self.values(entry, &self.attributes.hosts).next();
            let server = server.map_or(String::new(), |(_, value)| value.to_lowercase());
            by_target
                .entry((target.to_owned(), server))
                .or_default()
                .push(entry);
            for (name, format) in &self.attributes.results {
                if name == attribute {
                    let text = format.fill(&|letter| placeholder(letter, target, ""));
                    let known = list(&text).unwrap_or_default().into_iter();
                    posts.extend(known.filter_map(|address| bare(&address, delimiters)));
                }
            }
        }
        let mut findings = Vec::new();
        for ((target, _), entries) in by_target {
            if entries.len() > 1 {
                let names: Vec<&str> = entries
                    .iter()
                    .map(|entry| self.directory.dn(*entry))
                    .collect();
                let text = format!(
                    "{} entries have the folder `{target}`: `{}`",
                    names.len(),
                    names.join("`, `")
                );
                let help = "give one entry all the addresses, or each entry a folder of its own";
                let mut finding = Finding::new(FindingCode::FolderNameCollision, text, help);
                finding.entries = names.into_iter().map(str::to_owned).collect();
                finding.addresses = entries
                    .iter()
                    .flat_map(|entry| self.addresses(*entry))
                    .collect();
                findings.push((finding, entries));
            }
        }
        for address in posts {
            {
                for entry in self.entries_of(&address) {
                    let text = format!(
                        "`{}` has the address `{address}`, to which mail for shared folders is delivered",
                        self.directory.dn(entry)
                    );
                    let help =
                        "give the entry another address, or Cyrus another `postuser`".to_owned();
                    findings.push(self.about(FindingCode::FolderNameCollision, entry, text, help));
                }
            }
        }
        findings
    }
}

/// The value of `mailHost` for the mailboxes of a host.
fn server_name(host: &MailHost) -> Option<&str> {
    let name = host.names.get(1).or_else(|| host.names.first());
    name.map(String::as_str)
}

/// An address without its extension; none if it has none.
fn bare(address: &str, delimiters: &str) -> Option<String> {
    let (local, domain) = split(address);
    let at = local
        .find(|c| delimiters.contains(c))
        .filter(|at| *at > 0)?;
    Some(format!("{}@{}", &local[..at], domain?).to_lowercase())
}
