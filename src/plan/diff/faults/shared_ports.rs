//! Ports of an instance of Postfix on which another one of the host listens, too.
//!
//! Both start, since Postfix sets SO_REUSEPORT, and the kernel gives each connection to one of them.

use std::collections::BTreeSet;

use crate::postfix::configuration::{Configuration, Listener, ListensOn, is_same_port};
use crate::postfix::split_list;
use crate::service::Service;

use super::super::draft::Draft;
use super::super::instances::{concerned, files_of};
use super::{Fault, Faults, Refusal, RefusalKind, Remark, Side};

impl Draft<'_> {
    /// The ports that this side of the plan shares with the default instance.
    pub(super) fn shared_ports(&self, side: &Side<'_>) -> Faults {
        let Some(default) = &self.input.live.default_instance else {
            return Faults::new();
        };
        // Where the plan is about the default instance too, the two are compared as they will be.
        if concerned(self.input.desired, self.input.live).contains(&Service::POSTFIX) {
            return Faults::new();
        }
        let files = files_of(default);
        let theirs = enabled_listeners(self.configuration_of(&files, &self.live.environment));
        let ours = enabled_listeners(side.configuration);
        let shared = ours.iter().filter_map(|own| {
            let other = theirs.iter().find(|other| clash(own, other))?;
            Some((own, other))
        });
        shared
            .map(|(own, other)| {
                let fault = self.shared(own, other, &Service::POSTFIX);
                (format!("shared port {}", own.port), fault)
            })
            .collect()
    }

    /// Refuses the ports that this plan makes the instance share with another instance of the same plan, and remarks those
    /// that they share already.
    pub(in crate::plan::diff) fn ports_shared_with(&mut self, others: &[Draft<'_>]) {
        if self.input.desired.retired {
            return;
        }
        for other in others {
            let ours = self.listeners_after();
            let theirs = other.listeners_after();
            let before = (self.listeners_before(), other.listeners_before());
            for own in &ours {
                let Some(their) = theirs.iter().find(|one| clash(own, one)) else {
                    continue;
                };
                let mut before_own = before
                    .0
                    .iter()
                    .filter(|one| is_same_port(&one.port, &own.port));
                let is_old = before_own.any(|own| before.1.iter().any(|one| clash(own, one)));
                let fault = self.shared(own, their, &other.service);
                match is_old {
                    true => self.remarks.push(Remark {
                        text: fault.text,
                        hint: Some(fault.hint),
                    }),
                    false => self.refusals.push(Refusal {
                        summary: format!("{}; {}", fault.text, fault.hint),
                        kind: RefusalKind::Fault,
                    }),
                }
            }
        }
    }

    fn listeners_after(&self) -> Vec<Listener> {
        enabled_listeners(self.configuration(&self.planned_settings()))
    }

    fn listeners_before(&self) -> Vec<Listener> {
        enabled_listeners(self.configuration(&self.live_settings()))
    }

    fn shared(&self, own: &Listener, other: &Listener, others: &Service) -> Fault {
        let name = match others.named_instance() {
            None => "the default instance".to_owned(),
            Some(name) => format!("the instance `{}`", name.as_str()),
        };
        Fault {
            text: format!(
                "`{}` of the instance `{}` and `{}` of {name} listen on the same port and address: \
                 each connection goes to one of the two by chance",
                own.service, self.service, other.service
            ),
            hint: match self.input.desired.services.len() {
                0 | 1 => "give one of them another address (`settings: {inet_interfaces: …}`) or another port".to_owned(),
                _ => format!(
                    "give one of them another address or another port, as in \
                     `instances: {{{}: {{settings: {{inet_interfaces: …}}}}}}` on the host",
                    self.service
                ),
            },
            is_default: false,
            about: BTreeSet::new(),
            stays: false,
        }
    }
}

/// The listeners of the services that master(8) runs.
fn enabled_listeners(configuration: Configuration<'_>) -> Vec<Listener> {
    let services = configuration.services().unwrap_or_default();
    let names = services.iter().map(|service| &service.name);
    configuration.main().listeners(names)
}

/// Whether two listeners surely have a port and an address in common. Where one of them has all addresses and the other a
/// single one, the kernel gives the connections to that address to the other. What depends on a name is not judged.
fn clash(one: &Listener, other: &Listener) -> bool {
    let (Some(left), Some(right)) = (addresses(one), addresses(other)) else {
        return false;
    };
    is_same_port(&one.port, &other.port) && left.iter().any(|address| right.contains(address))
}

/// The addresses of a listener, or `all`; none where a name stands for them.
fn addresses(listener: &Listener) -> Option<Vec<String>> {
    let list = match &listener.on {
        ListensOn::Address(address) => vec![address.clone()],
        ListensOn::Interfaces(text) => split_list(text.as_ref().ok()?),
    };
    let mut addresses = Vec::new();
    for word in list {
        match word.as_str() {
            "loopback-only" | "localhost" => {
                addresses.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
            }
            "all" => addresses.push(word),
            _ => {
                let bare = word.trim_matches(['[', ']']);
                let address: std::net::IpAddr = bare.parse().ok()?;
                addresses.push(match address.is_unspecified() {
                    true => "all".to_owned(),
                    false => address.to_string(),
                });
            }
        }
    }
    Some(addresses)
}
