//! What templates see: `murder`, `host` and `facts` (`vars` is [`super::variable`]'s).
//!
//! The names are listed in [`crate::module::MURDER`] and its neighbours, where misspelt ones are
//! found; a test here holds the two together.

use std::collections::{BTreeMap, BTreeSet};

use tera::Value;
use tera::value::Key;

use crate::model::{Host, HostState, Ldap, Murder, SharedFolder, TlsMode, Topology};
use crate::module::{Modules, Per, network};
use crate::name::{HostName, SiteName};
use crate::secret::Body;
use crate::state::Facts;

type Map = BTreeMap<&'static str, Value>;

/// What a host with this capability is for: mail from the Internet comes in there.
const EDGE: &str = "edge";
/// Inner mail is routed there, and mail leaves there.
const SMART_HOST: &str = "smart-host";

/// `murder`.
fn murder(murder: &Murder, modules: &Modules) -> Value {
    let provides = |host: &Host, capability: &str| {
        host.roles
            .iter()
            .filter_map(|role| modules.0.get(role))
            .any(|module| module.provides.contains(capability))
    };
    let living = || {
        murder
            .hosts
            .values()
            .filter(|host| host.state != HostState::Retired)
    };
    let networks = |wanted: &dyn Fn(&Host) -> bool| -> (Value, Value) {
        // A large murder has many: seen ones are looked up, and the order is the hosts'.
        let mut seen = BTreeSet::new();
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for host in living().filter(|host| wanted(host)) {
            if host.addresses.is_empty() {
                unknown.push(host.name.to_string());
            }
            for address in host.addresses.iter().map(|address| network(address)) {
                if seen.insert(address.clone()) {
                    known.push(address);
                }
            }
        }
        (Value::from(known), Value::from(unknown))
    };
    let (edge_networks, edges_without_address) = networks(&|host| provides(host, EDGE));
    let (inner_networks, inner_without_address) = networks(&|host| !provides(host, EDGE));
    let (relay_networks, relays_without_address) = networks(&|host| provides(host, SMART_HOST));
    let edges: Vec<Value> = living()
        .filter(|host| provides(host, EDGE) && host.state == HostState::Active)
        .map(|host| Value::from(host.name.as_str()))
        .collect();
    let topology = match murder.topology {
        Topology::Discrete => "discrete",
        Topology::Unified => "unified",
        Topology::Replicated => "replicated",
    };
    let domains: Vec<Value> = murder
        .domains
        .iter()
        .filter(|domain| domain.alias_of.is_none())
        .map(|domain| Value::from(domain.name.as_str()))
        .collect();
    let alias_domains: Vec<Value> = murder
        .domains
        .iter()
        .filter(|domain| domain.alias_of.is_some())
        .map(|domain| Value::from(domain.name.as_str()))
        .collect();
    Value::from(Map::from([
        ("name", Value::from(murder.name.as_str())),
        ("topology", Value::from(topology)),
        ("domains", Value::from(domains)),
        ("alias_domains", Value::from(alias_domains)),
        ("postuser", Value::from(murder.postuser.as_str())),
        (
            "smart_host",
            Value::from(murder.smart_host.as_ref().map_or("", |host| host.as_str())),
        ),
        (
            "recipient_delimiter",
            Value::from(murder.recipient_delimiter.as_str()),
        ),
        (
            "shared_folders",
            folders(murder, murder.shared_folders.iter()),
        ),
        ("edges", Value::from(edges)),
        ("edge_networks", edge_networks),
        ("inner_networks", inner_networks),
        ("relay_networks", relay_networks),
        ("edges_without_address", edges_without_address),
        ("inner_without_address", inner_without_address),
        ("relays_without_address", relays_without_address),
    ]))
}

/// What many hosts see alike, made once for all of them.
#[derive(Debug)]
pub(super) struct Common {
    /// `murder`.
    pub murder: Value,
    /// The directories of a search base.
    directories: BTreeMap<String, Directories>,
    /// The directory of a site's hosts, as its first host has it.
    ldap: BTreeMap<Option<SiteName>, (Ldap, Value)>,
    /// The shared folders of each backend.
    folders: BTreeMap<HostName, Value>,
}

/// The directories of one search base.
#[derive(Debug)]
struct Directories {
    main: Value,
    aliases: Value,
}

impl Directories {
    fn new(murder: &Murder, ldap: &Ldap) -> Self {
        Self {
            main: Directory::list(directories(murder, ldap)),
            aliases: Directory::list(alias_directories(murder, ldap)),
        }
    }
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
        let socket = host.lmtp_socket.as_ref().unwrap_or(&facts.lmtp_socket);
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
            ("state", Value::from(state)),
            ("addresses", Value::from(host.addresses.clone())),
            ("networks", Value::from(networks)),
            ("lmtp_socket", Value::from(socket.as_str())),
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

fn ldap(ldap: Option<&Ldap>) -> Value {
    let Some(ldap) = ldap else {
        return Value::from(());
    };
    let mode = match ldap.tls.mode {
        TlsMode::None => "none",
        TlsMode::StartTls => "starttls",
        TlsMode::Ldaps => "ldaps",
    };
    let ca_file = ldap.tls.ca_file.as_ref().map_or("", |file| file.as_str());
    let tls = Value::from(Map::from([
        ("mode", Value::from(mode)),
        ("ca_file", Value::from(ca_file)),
        ("require_cert", Value::from(ldap.tls.require_cert)),
    ]));
    let password = ldap.bind_pw.as_ref().map(Body::token).unwrap_or_default();
    Value::from(Map::from([
        ("uris", Value::from(ldap.uris.clone())),
        ("base", Value::from(ldap.base.as_str())),
        ("scope", Value::from(ldap.scope.as_str())),
        (
            "bind_dn",
            Value::from(ldap.bind_dn.as_deref().unwrap_or_default()),
        ),
        ("bind_pw", Value::from(password)),
        ("tls", tls),
        ("timeout", Value::from(ldap.timeout.as_secs().max(1))),
    ]))
}

/// A search base with the mail domains whose entries stand under it.
#[derive(Default)]
struct Directory {
    /// Distinguishes the files of this directory; empty for the main one.
    suffix: String,
    base: String,
    domains: Vec<String>,
    /// For other names of a domain: the domain that they mean.
    target: String,
}

impl Directory {
    fn value(self) -> Value {
        Value::from(Map::from([
            ("suffix", Value::from(self.suffix)),
            ("base", Value::from(self.base)),
            ("domains", Value::from(self.domains)),
            ("target", Value::from(self.target)),
        ]))
    }

    fn list(directories: Vec<Self>) -> Value {
        Value::from(
            directories
                .into_iter()
                .map(Self::value)
                .collect::<Vec<Value>>(),
        )
    }
}

/// Domains with one base share their tables; those under `ldap.base` have the plain file names.
fn directories(murder: &Murder, ldap: &Ldap) -> Vec<Directory> {
    let mut list: Vec<Directory> = Vec::new();
    for domain in &murder.domains {
        if domain.alias_of.is_some() {
            continue;
        }
        let base = domain.base.as_ref().unwrap_or(&ldap.base);
        if let Some(known) = list.iter_mut().find(|known| known.base == *base) {
            known.domains.push(domain.name.to_string());
            continue;
        }
        let suffix = if *base == ldap.base {
            String::new()
        } else {
            format!("-{}", domain.name)
        };
        list.push(Directory {
            suffix,
            base: base.clone(),
            domains: vec![domain.name.to_string()],
            target: String::new(),
        });
    }
    list
}

/// The other names of each domain that has some.
fn alias_directories(murder: &Murder, ldap: &Ldap) -> Vec<Directory> {
    let mut list: Vec<Directory> = Vec::new();
    for domain in &murder.domains {
        let Some(target) = &domain.alias_of else {
            continue;
        };
        if let Some(known) = list
            .iter_mut()
            .find(|known| known.target == target.as_str())
        {
            known.domains.push(domain.name.to_string());
            continue;
        }
        let base = murder
            .domains
            .iter()
            .find(|other| other.name == *target)
            .and_then(|other| other.base.as_ref())
            .unwrap_or(&ldap.base);
        list.push(Directory {
            suffix: format!("-{target}"),
            base: base.clone(),
            domains: vec![domain.name.to_string()],
            target: target.to_string(),
        });
    }
    list
}

fn folders<'m>(murder: &Murder, folders: impl Iterator<Item = &'m SharedFolder>) -> Value {
    let list: Vec<Value> = folders
        .map(|folder| {
            let domain = folder
                .address
                .rsplit_once('@')
                .map_or("", |(_, domain)| domain);
            let mailhost = murder
                .hosts
                .get(&folder.backend)
                .map_or(folder.backend.as_str(), |host| host.mailhost.as_str());
            Value::from(Map::from([
                ("address", Value::from(folder.address.as_str())),
                ("domain", Value::from(domain)),
                ("backend", Value::from(folder.backend.as_str())),
                ("mailhost", Value::from(mailhost)),
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
