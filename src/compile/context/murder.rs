//! `murder`, as templates see it.

use std::collections::BTreeSet;

use tera::Value;

use super::{Map, folders};
use crate::compile::own_name;
use crate::model::{CyrusServer, Host, HostState, MAILBOXES, Murder, SMART_HOST, Topology};
use crate::module::{Modules, network};

/// Mail from the Internet comes in at a host with this capability.
const EDGE: &str = "edge";

/// The value of `murder`: what all hosts of a murder see alike.
pub(super) fn murder(murder: &Murder, modules: &Modules) -> Value {
    let provides = |host: &Host, capability: &str| {
        host.roles
            .iter()
            .filter_map(|role| modules.0.get(role))
            .any(|module| module.provides.contains(capability))
    };
    let (edge_networks, edges_without_address) = networks(murder, |host| provides(host, EDGE));
    let (inner_networks, inner_without_address) = networks(murder, |host| !provides(host, EDGE));
    let (relay_networks, relays_without_address) =
        networks(murder, |host| provides(host, SMART_HOST));
    let edges: Vec<Value> = living(murder)
        .filter(|host| provides(host, EDGE) && host.state == HostState::Active)
        .map(|host| own_name::of_capability(murder, modules, host, EDGE))
        .map(|name| Value::from(name.as_str()))
        .collect();
    let topology = match murder.topology {
        Topology::Discrete => "discrete",
        Topology::Unified => "unified",
        Topology::Replicated => "replicated",
    };
    let smart_host = murder.smart_host.as_ref().map_or("", |host| host.as_str());
    Value::from(Map::from([
        ("name", Value::from(murder.name.as_str())),
        ("topology", Value::from(topology)),
        ("domains", domains(murder, false)),
        ("alias_domains", domains(murder, true)),
        ("postuser", Value::from(murder.postuser.as_str())),
        ("servers", servers(&murder.servers)),
        ("smart_host", Value::from(smart_host)),
        (
            "recipient_delimiter",
            Value::from(murder.recipient_delimiter.as_str()),
        ),
        (
            "shared_folders",
            folders(murder, murder.shared_folders.iter()),
        ),
        (
            "server_folders",
            folders(
                murder,
                murder.shared_folders.iter().filter(|folder| {
                    let mut servers = murder.servers.iter();
                    servers.any(|server| server.name == folder.backend)
                }),
            ),
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

/// Whether a host that is not retired holds mailboxes.
pub(super) fn has_mailbox_hosts(murder: &Murder, modules: &Modules) -> bool {
    living(murder).any(|host| {
        let mut roles = host.roles.iter().filter_map(|role| modules.0.get(role));
        roles.any(|module| module.provides.contains(MAILBOXES))
    })
}

/// The Cyrus servers without Postfix, each with its LMTP destination.
fn servers(servers: &[CyrusServer]) -> Value {
    let list: Vec<Value> = servers
        .iter()
        .map(|server| {
            Value::from(Map::from([
                ("name", Value::from(server.name.as_str())),
                ("mailhost", Value::from(server.mailhost.as_str())),
                ("lmtp", Value::from(server.lmtp.to_string())),
            ]))
        })
        .collect();
    Value::from(list)
}

/// The hosts that are not retired, by name.
fn living(murder: &Murder) -> impl Iterator<Item = &Host> {
    murder
        .hosts
        .values()
        .filter(|host| host.state != HostState::Retired)
}

/// The networks that the wanted hosts send from, each once in the order of the hosts; and the names of those hosts
/// that have no address in the manifest.
fn networks(murder: &Murder, wanted: impl Fn(&Host) -> bool) -> (Value, Value) {
    // A large murder has many networks: a set finds the known ones, and the list keeps the order.
    let mut seen = BTreeSet::new();
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for host in living(murder).filter(|host| wanted(host)) {
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
}

/// The names of the mail domains that are aliases, or of those that are not.
fn domains(murder: &Murder, aliases: bool) -> Value {
    let names: Vec<Value> = murder
        .domains
        .iter()
        .filter(|domain| domain.alias_of.is_some() == aliases)
        .map(|domain| Value::from(domain.name.as_str()))
        .collect();
    Value::from(names)
}
