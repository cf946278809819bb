//! The audit of what several entries share: addresses, and folders.

use std::collections::{BTreeMap, BTreeSet};

use super::addresses::{AddressForm, addresses, addresses_of};
use super::audit::{Audit, EntryFinding};
use super::code::FindingCode;
use super::finding::{Finding, ldif_change};
use crate::directory::EntryId;
use crate::mail::address::{list, split};
use crate::mail::table::placeholder;
use crate::visible::visible;

impl Audit<'_> {
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
            let help = self.removal(code, &entries, &addresses);
            let mut finding = Finding::new(code, text, help);
            finding.addresses = addresses;
            finding.entries = names.into_iter().map(str::to_owned).collect();
            (finding, entries)
        });
        findings.collect()
    }

    /// Takes addresses from all entries but one; from those that have them as an alias, if another one has them as primary.
    fn removal(&self, code: FindingCode, entries: &[EntryId], addresses: &[String]) -> String {
        if code == FindingCode::AliasShadowsPrimary {
            let is_alias = |entry: &&EntryId| {
                let own = addresses_of(self.attributes, self.murder, self.directory, **entry);
                own.iter().any(|known| {
                    known.form == AddressForm::Alias && addresses.contains(&known.address)
                })
            };
            let aliases = entries.iter().filter(is_alias);
            let changes: Vec<String> = aliases
                .map(|entry| self.without(*entry, addresses))
                .collect();
            return changes.join("\n");
        }
        let (kept, others) = match entries.split_first() {
            Some((kept, others)) => (self.directory.dn(*kept), others),
            None => ("", entries),
        };
        let changes: Vec<String> = others
            .iter()
            .map(|entry| self.without(*entry, addresses))
            .collect();
        let first = format!(
            "# leaves it to {}; decide which entry keeps it",
            visible(kept)
        );
        format!("{first}\n{}", changes.join("\n"))
    }

    /// The change that takes addresses from an entry.
    fn without(&self, entry: EntryId, removed: &[String]) -> String {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for key in &self.attributes.keys {
            let of = self.directory.attribute(&key.attribute).into_iter();
            for value in of.flat_map(|of| self.directory.values_of(entry, of)) {
                let mut own = addresses(key, value).into_iter();
                let known = values.entry(key.attribute.as_str()).or_default();
                if own.any(|address| removed.contains(&address)) && !known.contains(&value) {
                    known.push(value);
                }
            }
        }
        let dn = self.directory.dn(entry);
        let changes = values.into_iter().filter(|(_, values)| !values.is_empty());
        let changes =
            changes.map(|(attribute, values)| ldif_change(dn, "delete", attribute, &values));
        changes.collect::<Vec<_>>().join("\n")
    }

    /// The change that gives all entries but the first one a folder of their own.
    fn other_folder(&self, entries: &[EntryId]) -> String {
        let attribute = self.attributes.targets.first();
        let attribute = attribute.map_or("", String::as_str);
        let others = entries.iter().skip(1).map(|entry| {
            let dn = self.directory.dn(*entry);
            ldif_change(dn, "replace", attribute, &["shared/FOLDER@DOMAIN"])
        });
        let changes: Vec<String> = others.collect();
        format!(
            "# or give one entry all the addresses, and delete the others\n{}",
            changes.join("\n")
        )
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
        let by_target = by_target.into_iter();
        let shared = by_target.filter(|(_, entries)| entries.len() > 1);
        let mut findings: Vec<EntryFinding> = shared
            .map(|((target, _), entries)| self.shared_folder(&target, entries))
            .collect();
        for address in posts {
            for entry in self.entries_of(&address) {
                let text = format!(
                    "`{}` has the address `{address}`, to which mail for shared folders is delivered",
                    self.directory.dn(entry)
                );
                let help = format!(
                    "# or choose another `postuser`: in imapd.conf, and as `cyrus.postuser` in the manifest\n{}",
                    self.without(entry, std::slice::from_ref(&address))
                );
                findings.push(self.about(FindingCode::FolderNameCollision, entry, text, help));
            }
        }
        findings
    }

    fn shared_folder(&self, target: &str, entries: Vec<EntryId>) -> EntryFinding {
        let names = entries.iter().map(|entry| self.directory.dn(*entry));
        let names: Vec<&str> = names.collect();
        let text = format!(
            "{} entries have the folder `{target}`: `{}`",
            names.len(),
            names.join("`, `")
        );
        let help = self.other_folder(&entries);
        let mut finding = Finding::new(FindingCode::FolderNameCollision, text, help);
        finding.entries = names.into_iter().map(str::to_owned).collect();
        let addresses = entries.iter().flat_map(|entry| self.addresses(*entry));
        finding.addresses = addresses.collect();
        (finding, entries)
    }
}

/// An address without its extension; none if it has none.
fn bare(address: &str, delimiters: &str) -> Option<String> {
    let (local, domain) = split(address);
    let at = local
        .find(|c| delimiters.contains(c))
        .filter(|at| *at > 0)?;
    Some(format!("{}@{}", &local[..at], domain?).to_lowercase())
}
