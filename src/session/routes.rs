//! The murder as the model of mail sees it, compiled from the manifest without contacting a host.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::path_policy::PathPolicy;
use crate::compile::{Compiled, Compiler, service_of_name};
use crate::diagnostic::Diagnostic;
use crate::every_core::on_every_core;
use crate::load::LoadedMurder;
use crate::mail::{HostAbilities, HostInput, MailMurder};
use crate::model::{Host, HostState, MAILBOXES, Murder, SMART_HOST};
use crate::module::Modules;
use crate::name::HostName;
use crate::postfix::Network;
use crate::service::Service;
use crate::state::Desired;

/// The capability of taking mail from the Internet.
const EDGE: &str = "edge";

/// Addresses for documentation (RFC 5737), for a client that no network of the manifest contains.
const OUTSIDE: [[u8; 4]; 4] = [
    [203, 0, 113, 1],
    [198, 51, 100, 1],
    [192, 0, 2, 1],
    [233, 252, 0, 1],
];

/// An address for documentation (RFC 3849).
const OUTSIDE_IPV6: [u16; 8] = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1];

/// A murder with what its hosts must have, and the model of its mail.
#[derive(Debug)]
pub struct CompiledMurder {
    /// Each host as it was compiled.
    pub compiled: BTreeMap<HostName, Compiled>,
    /// The model.
    pub mail: MailMurder,
    /// The host and the service behind each name of a host in the model.
    pub places: BTreeMap<String, (HostName, Service)>,
}

/// An instance of Postfix that has roles: a host of the model of mail.
pub(super) struct Place<'a> {
    pub(super) host: &'a Host,
    pub(super) service: &'a Service,
    /// The host's name, with the instance where its roles are on several and this is not the main one.
    label: String,
    /// Whether mail for the host's name comes here: to the smart host's role, else to the main instance.
    has_name: bool,
    /// Whether mail for its mailboxes comes here.
    has_mailboxes: bool,
    /// What it does in the murder.
    abilities: HostAbilities,
}

impl Place<'_> {
    /// What the model calls it.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// The host of the model, with what it must have.
    pub(super) fn input<'a>(&'a self, desired: &'a Desired) -> HostInput<'a> {
        let host = self.host;
        let name_if = |is_known, name: &'a HostName| match is_known {
            true => name.as_str(),
            false => self.label.as_str(),
        };
        HostInput {
            name: &host.name,
            label: self.label.clone(),
            service: self.service,
            reached_by: name_if(self.has_name, &host.name),
            mailhost: name_if(self.has_mailboxes, &host.mailhost),
            addresses: &host.addresses,
            desired: desired.service(self.service),
            facts: &host.facts,
            abilities: self.abilities,
            live: None,
        }
    }
}

/// The instances of a host that have roles, its main one first.
pub(super) fn places<'a>(murder: &Murder, modules: &Modules, host: &'a Host) -> Vec<Place<'a>> {
    let main = host.main_service();
    let named = service_of_name(murder, modules, host);
    let mailboxes = modules.placed(host, MAILBOXES).unwrap_or(&main);
    let places = host.roles_on().into_iter().map(|service| Place {
        host,
        service,
        label: label(host, service),
        has_name: *service == named,
        has_mailboxes: service == mailboxes,
        abilities: HostAbilities {
            is_edge: modules.placed(host, EDGE) == Some(service),
            is_smart_host: modules.placed(host, SMART_HOST) == Some(service),
            holds_mailboxes: modules.placed(host, MAILBOXES) == Some(service),
        },
    });
    let mut places: Vec<Place<'a>> = places.collect();
    places.sort_by_key(|place| *place.service != main);
    places
}

/// What a trace calls an instance: the host's name, with the instance if it is not the main one.
fn label(host: &Host, service: &Service) -> String {
    match *service == host.main_service() {
        true => host.name.to_string(),
        false => format!("{}/{service}", host.name),
    }
}

impl CompiledMurder {
    /// Compiles every host by the facts of the manifest. Retired hosts take no part.
    ///
    /// # Errors
    /// Every problem of the hosts' configuration.
    pub fn new(
        murder: &Murder,
        modules: &Modules,
        paths: &PathPolicy,
    ) -> Result<Self, Vec<Diagnostic>> {
        let compiler = Compiler::new(murder, modules)?;
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
        let places = hosts.iter().flat_map(|host| places(murder, modules, host));
        let places: Vec<Place<'_>> = places.collect();
        let inputs = places.iter().filter_map(|place| {
            let desired = &compiled.get(&place.host.name)?.desired;
            Some(place.input(desired))
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
        let mail = mail.with_shared_name(murder.smart_host.as_ref().map(HostName::as_str));
        let places = places.iter();
        let places = places.map(|place| {
            let of = (place.host.name.clone(), place.service.clone());
            (place.label.clone(), of)
        });
        Ok(Self {
            places: places.collect(),
            compiled,
            mail,
        })
    }
}

/// Where mail enters if nothing else is said, as the model names it: at an internet MTA, else at the smart host, else at the
/// first host that can be one.
#[must_use]
pub fn default_entry(loaded: &LoadedMurder) -> Option<String> {
    let murder = &loaded.murder;
    let providing = |host: &Host, what: &str| {
        let service = loaded.modules.placed(host, what);
        let service = service.filter(|_| host.state != HostState::Retired);
        service.map(|service| label(host, service))
    };
    let first = |what: &str| murder.hosts.values().find_map(|host| providing(host, what));
    let smart = murder.smart_host.as_ref();
    let smart = smart.and_then(|name| murder.hosts.get(name));
    let smart = smart.map(|host| providing(host, SMART_HOST).unwrap_or(host.name.to_string()));
    let entry = first(EDGE).or(smart).or_else(|| first(SMART_HOST));
    entry.or_else(|| {
        murder
            .hosts
            .values()
            .next()
            .map(|host| host.name.to_string())
    })
}

/// An address that is in no network of the manifest.
#[must_use]
pub fn outside_client(loaded: &LoadedMurder) -> IpAddr {
    let mut free = outside_clients(&loaded.murder).into_iter();
    free.next().unwrap_or(IpAddr::from(OUTSIDE[3]))
}

/// Addresses that are in no network of the manifest.
#[must_use]
pub fn outside_clients(murder: &Murder) -> Vec<IpAddr> {
    let hosts = murder.hosts.values();
    let networks: Vec<Network> = hosts
        .flat_map(|host| &host.addresses)
        .filter_map(|address| Network::read(address))
        .collect();
    let candidates = OUTSIDE.into_iter().map(IpAddr::from);
    let candidates = candidates.chain(std::iter::once(IpAddr::from(OUTSIDE_IPV6)));
    candidates
        .filter(|client| !networks.iter().any(|one| one.contains(*client)))
        .collect()
}
