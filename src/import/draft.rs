//! The manifest in the making: what is known of the whole murder, and the words of each host and layer.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::word::{self, Words};
use super::yaml::{Yaml, YamlEntry, block};
use crate::manifest::range;
use crate::name::{HostName, RoleName};

/// A mail domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainDraft {
    /// Its name.
    pub name: String,
    /// Its search base, if it differs from that of the directory.
    pub base: Option<String>,
    /// The domain that it is another name of.
    pub alias_of: Option<String>,
}

/// A shared folder that no directory has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderDraft {
    /// Its address.
    pub address: String,
    /// The host that holds it.
    pub backend: String,
    /// Its path.
    pub folder: String,
}

/// What hosts of one place have in common.
#[derive(Debug, Clone, Default)]
pub struct SiteDraft {
    /// Its directory, if that is another one than the murder's.
    pub ldap: Option<Connection>,
    /// The file with its password.
    pub password: Option<String>,
    /// What its hosts have.
    pub words: Words,
}

/// A host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostDraft {
    /// Its roles.
    pub roles: Vec<RoleName>,
    /// Its site.
    pub site: Option<String>,
    /// Its `mailHost`, if that is not its name.
    pub mailhost: Option<String>,
    /// Where its Cyrus takes LMTP, if the packaging does not say it.
    pub lmtp: Option<String>,
    /// How it is reached.
    pub ssh: Vec<(String, String)>,
    /// What only this host says.
    pub words: Words,
}

/// The manifest in the making.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The first lines.
    pub heading: Vec<String>,
    /// Its name.
    pub murder: String,
    /// The mail domains.
    pub domains: Vec<DomainDraft>,
    /// The directory.
    pub ldap: Option<Connection>,
    /// The file with its password.
    pub password: Option<String>,
    /// Where Cyrus takes LMTP, if most hosts do not have it where their packaging says.
    pub lmtp: Option<String>,
    /// imapd.conf `postuser`.
    pub postuser: Option<String>,
    /// Cyrus servers without Postfix, with their LMTP where it is not port 24 of the name.
    pub servers: BTreeMap<String, Option<String>>,
    /// Where hosts send what is not their own.
    pub smart_host: Option<String>,
    /// Names that are no hosts.
    pub external: Vec<String>,
    /// The character between user and folder.
    pub recipient_delimiter: Option<String>,
    /// Shared folders that no directory has.
    pub shared_folders: Vec<FolderDraft>,
    /// What a role is here.
    pub modules: BTreeMap<RoleName, Words>,
    /// The places.
    pub sites: BTreeMap<String, SiteDraft>,
    /// What all hosts have.
    pub defaults: Words,
    /// How all hosts are reached.
    pub ssh: Vec<(String, String)>,
    /// The hosts.
    pub hosts: BTreeMap<HostName, HostDraft>,
}

impl Draft {
    /// The manifest without its hosts, and the hosts: two files of a folder, or one after the other. `width` is the most bytes
    /// of a line that holds more than one value.
    #[must_use]
    pub fn texts(&self, width: usize) -> (String, String) {
        let mut text = String::new();
        for line in &self.heading {
            text.push_str(&format!("# {line}\n"));
        }
        let parts = [
            self.names(),
            self.directory(),
            self.cyrus(),
            self.roles(),
            self.places(),
            self.for_all(),
        ];
        for (number, part) in parts.iter().filter(|part| !part.is_empty()).enumerate() {
            if number > 0 {
                text.push('\n');
            }
            text.push_str(&block(part, 0, width));
        }
        (text, self.hosts_text(width))
    }

    fn names(&self) -> Vec<YamlEntry> {
        let simple = self
            .domains
            .iter()
            .all(|domain| domain.base.is_none() && domain.alias_of.is_none());
        let domains = if simple {
            Yaml::texts(self.domains.iter().map(|domain| domain.name.as_str()))
        } else {
            Yaml::map(self.domains.iter().map(|domain| {
                let base = domain.base.iter().map(|text| ("base", text));
                let alias = domain.alias_of.iter().map(|text| ("alias_of", text));
                let keys = base.chain(alias);
                let value = Yaml::map(keys.map(|(key, text)| (key, Yaml::text(text.as_str()))));
                (domain.name.as_str(), value)
            }))
        };
        vec![
            YamlEntry::new("version", Yaml::Plain("1".to_owned())),
            YamlEntry::new("murder", Yaml::text(self.murder.as_str())),
            YamlEntry::new("domains", domains),
        ]
    }

    fn directory(&self) -> Vec<YamlEntry> {
        let Some(ldap) = &self.ldap else {
            return Vec::new();
        };
        let value = Yaml::Map(ldap.entries(self.password.as_deref()));
        vec![YamlEntry::new("ldap", value)]
    }

    fn cyrus(&self) -> Vec<YamlEntry> {
        let mut cyrus = Vec::new();
        if !self.servers.is_empty() {
            let server = |(name, lmtp): (&String, &Option<String>)| {
                let lmtp = lmtp.iter().map(|text| ("lmtp", Yaml::text(text.as_str())));
                (name.clone(), Yaml::map(lmtp))
            };
            cyrus.push(YamlEntry::new(
                "servers",
                Yaml::map(self.servers.iter().map(server)),
            ));
        }
        if let Some(lmtp) = &self.lmtp {
            cyrus.push(YamlEntry::new("lmtp", Yaml::text(lmtp.as_str())));
        }
        if let Some(postuser) = &self.postuser {
            cyrus.push(YamlEntry::new("postuser", Yaml::text(postuser.as_str())));
        }
        let mut found = Vec::new();
        if !cyrus.is_empty() {
            found.push(YamlEntry::new("cyrus", Yaml::Map(cyrus)));
        }
        if let Some(name) = &self.smart_host {
            found.push(YamlEntry::new("smart_host", Yaml::text(name.as_str())));
        }
        if !self.external.is_empty() {
            let names = self.external.iter().map(String::as_str);
            found.push(YamlEntry::new("external", Yaml::texts(names)));
        }
        if let Some(text) = &self.recipient_delimiter {
            found.push(YamlEntry::new(
                "recipient_delimiter",
                Yaml::text(text.as_str()),
            ));
        }
        if !self.shared_folders.is_empty() {
            let folder = |folder: &FolderDraft| {
                Yaml::map([
                    ("address", Yaml::text(folder.address.as_str())),
                    ("backend", Yaml::text(folder.backend.as_str())),
                    ("folder", Yaml::text(folder.folder.as_str())),
                ])
            };
            let list = self.shared_folders.iter().map(folder).collect();
            found.push(YamlEntry::new("shared_folders", Yaml::List(list)));
        }
        found
    }

    fn roles(&self) -> Vec<YamlEntry> {
        let modules = self.modules.iter().filter(|(_, words)| !words.is_empty());
        let modules: Vec<YamlEntry> = modules
            .map(|(role, words)| YamlEntry::new(role.as_str(), Yaml::Map(word::entries(words))))
            .collect();
        let mut found = Vec::new();
        if !modules.is_empty() {
            found.push(YamlEntry::new("modules", Yaml::Map(modules)));
        }
        found
    }

    fn places(&self) -> Vec<YamlEntry> {
        let mut found = Vec::new();
        if !self.sites.is_empty() {
            let sites = self.sites.iter().map(|(name, site)| {
                let ldap = site.ldap.as_ref().map(|ldap| {
                    let keys = self.differing(ldap, site.password.as_deref());
                    YamlEntry::new("ldap", Yaml::Map(keys))
                });
                let entries = ldap.into_iter().chain(word::entries(&site.words));
                (name.as_str(), Yaml::Map(entries.collect()))
            });
            found.push(YamlEntry::new("sites", Yaml::map(sites)));
        }
        found
    }

    fn for_all(&self) -> Vec<YamlEntry> {
        let mut found = Vec::new();
        let mut defaults = Vec::new();
        if !self.ssh.is_empty() {
            defaults.push(YamlEntry::new("ssh", of_pairs(&self.ssh)));
        }
        defaults.extend(word::entries(&self.defaults));
        if !defaults.is_empty() {
            found.push(YamlEntry::new("defaults", Yaml::Map(defaults)));
        }
        found
    }

    /// The keys of a site's directory that differ from the murder's.
    fn differing(&self, ldap: &Connection, password: Option<&str>) -> Vec<YamlEntry> {
        let own = ldap.entries(password);
        let wide = self
            .ldap
            .as_ref()
            .map(|ldap| ldap.entries(self.password.as_deref()))
            .unwrap_or_default();
        own.into_iter()
            .filter(|entry| !wide.contains(entry))
            .collect()
    }

    fn hosts_text(&self, width: usize) -> String {
        // Hosts with the same words and names that count up are a range.
        let mut groups: Vec<(Vec<&HostName>, &HostDraft)> = Vec::new();
        for (name, host) in &self.hosts {
            match groups.iter_mut().find(|(_, known)| *known == host) {
                Some((names, _)) => names.push(name),
                None => groups.push((vec![name], host)),
            }
        }
        let mut entries: Vec<YamlEntry> = Vec::new();
        for (names, host) in groups {
            for name in range::compact(names) {
                entries.push(YamlEntry::new(name, host.value()));
            }
        }
        entries.sort_by_cached_key(|entry| order(&entry.key));
        let longest = entries
            .iter()
            .map(|entry| entry.key.len())
            .max()
            .unwrap_or_default();
        let mut text = "hosts:\n".to_owned();
        for entry in entries {
            let shown = block(std::slice::from_ref(&entry), 2, width);
            let aligned = shown.lines().count() == 1 && longest < 40;
            match shown.split_once(": ").filter(|_| aligned) {
                Some((key, value)) => {
                    text.push_str(&format!(
                        "{:<width$} {value}",
                        format!("{key}:"),
                        width = longest + 3
                    ));
                }
                None => text.push_str(&shown),
            }
        }
        text
    }
}

impl HostDraft {
    fn value(&self) -> Yaml {
        let mut entries = vec![YamlEntry::new(
            "roles",
            Yaml::texts(self.roles.iter().map(RoleName::as_str)),
        )];
        let mut add = |key: &str, value: &Option<String>| {
            if let Some(text) = value {
                entries.push(YamlEntry::new(key, Yaml::text(text.as_str())));
            }
        };
        add("site", &self.site);
        add("mailhost", &self.mailhost);
        if !self.ssh.is_empty() {
            entries.push(YamlEntry::new("ssh", of_pairs(&self.ssh)));
        }
        if let Some(text) = &self.lmtp {
            entries.push(YamlEntry::new("lmtp", Yaml::text(text.as_str())));
        }
        entries.extend(word::entries(&self.words));
        Yaml::Map(entries)
    }
}

/// Keys with values; a key with a dot is one of a map below.
fn of_pairs(pairs: &[(String, String)]) -> Yaml {
    let mut entries: Vec<YamlEntry> = Vec::new();
    for (key, value) in pairs {
        match key.split_once('.') {
            None => entries.push(YamlEntry::new(key.as_str(), Yaml::text(value.as_str()))),
            Some((outer, inner)) => {
                let inner = Yaml::map([(inner, Yaml::text(value.as_str()))]);
                entries.push(YamlEntry::new(outer, inner));
            }
        }
    }
    Yaml::Map(entries)
}

/// Names with ranges in the order of their numbers.
fn order(key: &str) -> String {
    key.replace('[', "")
}
