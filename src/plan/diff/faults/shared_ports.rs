//! Ports of an instance of Postfix on which the default instance listens, too.
//!
//! Both start, since Postfix sets SO_REUSEPORT, and the kernel gives each connection to one of them.

use std::collections::BTreeSet;

use crate::postfix::configuration::{Configuration, Listener, ListensOn, is_same_port};
use crate::postfix::split_list;
use crate::service::Service;

use super::super::draft::Draft;
use super::super::instances::{concerned, files_of};
use super::{Fault, Faults, Side};

impl Draft<'_> {
    /// The ports that this side of the plan shares with the default instance.
    pub(super) fn shared_ports(&self, side: &Side<'_>) -> Faults {
        let Some(default) = &self.input.live.default_instance else {
            return Faults::new();
        };
        // Where roles move away from the default instance, it is given back in the same plan.
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
            .map(|(own, other)| (format!("shared port {}", own.port), self.shared(own, other)))
            .collect()
    }

    fn shared(&self, own: &Listener, other: &Listener) -> Fault {
        Fault {
            text: format!(
                "`{}` of the instance `{}` and `{}` of the default instance listen on the same port and address: \
                 each connection goes to one of the two by chance",
                own.service, self.service, other.service
            ),
            hint: "give one of them another address (`settings: {inet_interfaces: …}`) or another port"
                .to_owned(),
            is_default: false,
            about: BTreeSet::new(),
            stays: false,
        }
    }
}

/// The listeners that `master_service_disable` (postconf(5)) leaves.
fn enabled_listeners(configuration: Configuration<'_>) -> Vec<Listener> {
    let main = configuration.main();
    let services = configuration.services().unwrap_or_default();
    let names = services.iter().map(|service| &service.name);
    let disabled = main.expanded("master_service_disable").text;
    let disabled = split_list(&disabled.unwrap_or_default());
    let is_enabled = |listener: &Listener| {
        let name = listener.service.to_string();
        !disabled.iter().any(|one| one == "inet" || *one == name)
    };
    let mut listeners = main.listeners(names);
    listeners.retain(is_enabled);
    listeners
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
