//! What templates see: `murder`, `host` and `facts` (`vars` is [`super::variable`]'s).
//!
//! The names are listed in [`crate::module::MURDER`] and its neighbours, where misspelt ones are
//! found; a test here holds the two together.

mod directories;
mod ldap;
mod murder;

use std::collections::BTreeMap;

use tera::Value;
use tera::value::Key;

use super::own_name;
use crate::lmtp::LmtpDestination;
use crate::model::{Host, HostState, Ldap, Murder, SharedFolder};
use crate::module::{Modules, Per, network};
use crate::name::{HostName, SiteName};
use crate::state::Facts;

use self::directories::Directories;
use self::ldap::ldap;
use self::murder::{has_mailbox_hosts, murder};

type Map = BTreeMap<&'static str, Value>;

/// What many hosts see alike, made once for all of them.
#[derive(Debug)]
pub(super) struct Common {
    /// `murder`.
    pub murder: Value,
    /// Whether a host of the manifest, or a Cyrus server without Postfix, has the mailboxes.
    has_mailboxes: bool,
    /// The directories of a search base.
    directories: BTreeMap<String, Directories>,
    /// The directory of a site's hosts, as its first host has it.
    ldap: BTreeMap<Option<SiteName>, (Ldap, Value)>,
    /// The shared folders of each backend.
    folders: BTreeMap<HostName, Value>,
}

impl Common {
    pub(super) fn new(model: &Murder, modules: &Modules) -> Self {
        let mut known = BTreeMap::new();
        let mut ldaps = BTreeMap::new();
        for host in model.hosts.values() {
            let Some(own) = &host.ldap else { continue };
            if !known.contains_key(&own.base) {
                known.insert(own.base.clone(), Directories::new(model, own));
            }
            if !ldaps.contains_key(&host.site) {
                ldaps.insert(host.site.clone(), (own.clone(), ldap(Some(own))));
            }
        }
        let mut by_backend: BTreeMap<&HostName, Vec<&SharedFolder>> = BTreeMap::new();
        for folder in &model.shared_folders {
            by_backend.entry(&folder.backend).or_default().push(folder);
        }
        let folders = by_backend
            .into_iter()
            .map(|(host, list)| (host.clone(), folders(model, list.into_iter())))
            .collect();
        Self {
            murder: murder(model, modules),
            has_mailboxes: !model.servers.is_empty() || has_mailbox_hosts(model, modules),
            directories: known,
            ldap: ldaps,
            folders,
        }
    }

    fn directories(&self, host: &Host) -> Option<&Directories> {
        self.directories.get(&host.ldap.as_ref()?.base)
    }

    fn ldap(&self, host: &Host) -> Value {
        match self.ldap.get(&host.site) {
            Some((known, value)) if Some(known) == host.ldap.as_ref() => value.clone(),
            _ => ldap(host.ldap.as_ref()),
        }
    }

    /// `host`, without the directory that a `per:` file is about.
    pub(super) fn host(&self, host: &Host, facts: &Facts) -> Value {
        let roles: Vec<Value> = host
            .roles
            .iter()
            .map(|role| Value::from(role.as_str()))
            .collect();
        let state = match host.state {
            HostState::Joining => "joining",
            HostState::Active => "active",
            HostState::Draining => "draining",
            HostState::Retired => "retired",
        };
        let networks: Vec<Value> = host
            .addresses
            .iter()
            .map(|address| Value::from(network(address)))
            .collect();
        let packaged = LmtpDestination::Unix(facts.lmtp_socket.clone());
        let lmtp = host.lmtp.as_ref().unwrap_or(&packaged);
        let socket = lmtp.socket().map_or("", |path| path.as_str());
        let lmtp_for_all = match &host.lmtp {
            Some(lmtp) if lmtp.is_remote() && !self.has_mailboxes => lmtp.to_string(),
            _ => String::new(),
        };
        let myhostname = own_name::of_host(host, facts);
        let nothing = || Value::from(Vec::<Value>::new());
        let (main, aliases) = self.directories(host).map_or_else(
            || (nothing(), nothing()),
            |known| (known.main.clone(), known.aliases.clone()),
        );
        let folders = self.folders.get(&host.name);
        Value::from(Map::from([
            ("name", Value::from(host.name.as_str())),
            ("roles", Value::from(roles)),
            (
                "site",
                Value::from(host.site.as_ref().map_or("", |site| site.as_str())),
            ),
            ("mailhost", Value::from(host.mailhost.as_str())),
            ("myhostname", Value::from(myhostname.as_str())),
            ("state", Value::from(state)),
            ("addresses", Value::from(host.addresses.clone())),
            ("networks", Value::from(networks)),
            ("lmtp", Value::from(lmtp.to_string())),
            ("lmtp_socket", Value::from(socket)),
            ("lmtp_for_all", Value::from(lmtp_for_all)),
            ("has_ldap", Value::from(host.ldap.is_some())),
            ("ldap", self.ldap(host)),
            ("directories", main),
            ("alias_directories", aliases),
            ("shared_folders", folders.cloned().unwrap_or_else(nothing)),
        ]))
    }

    /// `host` for each directory of a `per:` file, with the suffix of the file's name.
    pub(super) fn per_directory(
        &self,
        host: &Host,
        value: &Value,
        per: Per,
    ) -> Vec<(String, Value)> {
        let list = self.directories(host).and_then(|known| match per {
            Per::Directories => known.main.as_array(),
            Per::AliasDirectories => known.aliases.as_array(),
        });
        list.into_iter()
            .flatten()
            .map(|directory| {
                let suffix = directory
                    .as_map()
                    .and_then(|map| map.get(&Key::from("suffix")))
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let mut map = value.as_map().cloned().unwrap_or_default();
                map.insert(Key::from("directory"), directory.clone());
                (suffix.to_owned(), Value::from(map))
            })
            .collect()
    }
}

/// `facts`.
pub(super) fn facts(facts: &Facts) -> Value {
    Value::from(Map::from([
        (
            "postfix_version",
            Value::from(facts.postfix_version.as_str()),
        ),
        ("distribution", Value::from(facts.distribution.as_str())),
        ("index_type", Value::from(facts.index_type.as_str())),
        (
            "default_database_type",
            Value::from(facts.default_database_type.as_str()),
        ),
        ("lmtp_socket", Value::from(facts.lmtp_socket.as_str())),
        ("table_types", Value::from((*facts.table_types).clone())),
    ]))
}

fn folders<'m>(murder: &Murder, folders: impl Iterator<Item = &'m SharedFolder>) -> Value {
    let list: Vec<Value> = folders
        .map(|folder| {
            let domain = folder
                .address
                .rsplit_once('@')
                .map_or("", |(_, domain)| domain);
            let host = murder.hosts.get(&folder.backend);
            let server = murder
                .servers
                .iter()
                .find(|server| server.name == folder.backend);
            let mailhost = host
                .map(|host| &host.mailhost)
                .or(server.map(|server| &server.mailhost))
                .unwrap_or(&folder.backend);
            Value::from(Map::from([
                ("address", Value::from(folder.address.as_str())),
                ("domain", Value::from(domain)),
                ("backend", Value::from(folder.backend.as_str())),
                ("mailhost", Value::from(mailhost.as_str())),
                // The server's own LMTP where no Postfix is beside it.
                (
                    "lmtp",
                    Value::from(
                        server
                            .map(|server| server.lmtp.to_string())
                            .unwrap_or_default(),
                    ),
                ),
                ("folder", Value::from(folder.folder.as_str())),
            ]))
        })
        .collect();
    Value::from(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(value: &Value) -> Vec<String> {
        let mut keys: Vec<String> = value
            .as_map()
            .into_iter()
            .flat_map(|map| map.keys().map(ToString::to_string))
            .collect();
        keys.sort();
        keys
    }

    fn sorted(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_linted_names_are_those_that_templates_see() {
        assert_eq!(keys(&facts(&Facts::debian())), sorted(crate::module::FACTS));
    }
}
