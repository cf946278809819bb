//! The murder as the model of mail sees it, compiled from the manifest without contacting a host.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::path_policy::PathPolicy;
use super::precompile::on_every_core;
use crate::compile::{Compiled, Compiler};
use crate::diagnostic::Diagnostic;
use crate::load::LoadedMurder;
use crate::mail::{HostInput, MailMurder};
use crate::model::{Host, HostState, SMART_HOST};
use crate::name::HostName;
use crate::postfix::Network;

/// The capability of taking mail from the Internet.
const EDGE: &str = "edge";

/// Addresses for documentation (RFC 5737), for a client that no network of the manifest contains.
const OUTSIDE: [[u8; 4]; 4] = [
    [203, 0, 113, 1],
    [198, 51, 100, 1],
    [192, 0, 2, 1],
    [233, 252, 0, 1],
];

/// A murder with what its hosts must have, and the model of its mail.
#[derive(Debug)]
pub struct CompiledMurder {
    /// Each host as it was compiled.
    pub compiled: BTreeMap<HostName, Compiled>,
    /// The model.
    pub mail: MailMurder,
}

impl CompiledMurder {
    /// Compiles every host by the facts of the manifest. Retired hosts take no part.
    ///
    /// # Errors
    /// Every problem of the hosts' configuration.
    pub fn new(loaded: &LoadedMurder, paths: &PathPolicy) -> Result<Self, Vec<Diagnostic>> {
        let murder = &loaded.murder;
        let compiler = Compiler::new(murder, &loaded.modules)?;
        let hosts: Vec<&Host> = murder
            .hosts
            .values()
            .filter(|host| host.state != HostState::Retired)
            .collect();
        let results = on_every_core(&hosts, |host| {
            paths.judge(compiler.compile(&host.name, &host.facts))
        });
        let (mut compiled, mut problems) = (BTreeMap::new(), Vec::new());
        for (host, result) in hosts.iter().zip(results) {
            match result {
                Ok(result) => {
                    compiled.insert(host.name.clone(), result);
                }
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let inputs = hosts.iter().filter_map(|host| {
            Some(HostInput {
                name: &host.name,
                mailhost: &host.mailhost,
                addresses: &host.addresses,
                desired: compiled.get(&host.name)?.desired.postfix(),
                facts: &host.facts,
            })
        });
        let external = murder
            .external
            .iter()
            .chain(murder.servers.iter().map(|server| &server.name));
        let mail = MailMurder::new(
            &inputs.collect::<Vec<_>>(),
            external.map(HostName::as_str),
            murder.domains.iter().map(|domain| domain.name.as_str()),
        );
        Ok(Self { compiled, mail })
    }
}

/// The host where mail enters if nothing else is said: an internet MTA, else the smart host, else the first host that can
/// be one.
#[must_use]
pub fn default_entry(loaded: &LoadedMurder) -> Option<&HostName> {
    let murder = &loaded.murder;
    let provides = |host: &&Host, what: &str| {
        let modules = host
            .roles
            .iter()
            .filter_map(|role| loaded.modules.0.get(role));
        host.state != HostState::Retired
            && modules
                .into_iter()
                .any(|module| module.provides.contains(what))
    };
    let first = |what: &str| murder.hosts.values().find(|host| provides(host, what));
    let smart = murder
        .smart_host
        .as_ref()
        .and_then(|name| murder.hosts.get(name));
    let host = first(EDGE).or(smart).or_else(|| first(SMART_HOST));
    host.or_else(|| murder.hosts.values().next())
        .map(|host| &host.name)
}

/// An address that is in no network of the manifest.
#[must_use]
pub fn outside_client(loaded: &LoadedMurder) -> IpAddr {
    let hosts = loaded.murder.hosts.values();
    let networks: Vec<Network> = hosts
        .flat_map(|host| &host.addresses)
        .filter_map(|address| Network::read(address))
        .collect();
    let candidates = OUTSIDE.into_iter().map(IpAddr::from);
    let mut free = candidates.filter(|client| !networks.iter().any(|one| one.contains(*client)));
    free.next().unwrap_or(IpAddr::from(OUTSIDE[3]))
}
