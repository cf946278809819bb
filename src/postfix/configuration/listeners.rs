//! The addresses and ports on which master(8) listens.

use std::net::IpAddr;

use super::{Configuration, ExpandError, View};
use crate::name::ServiceName;
use crate::postfix::split_list;

/// The addresses that a service of type `inet` listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListensOn {
    /// The expanded value of `inet_interfaces`: `all`, `loopback-only` or a list.
    Interfaces(Result<String, ExpandError>),
    /// The address or name before the port in the service's own name, without brackets.
    Address(String),
}

/// A service that listens on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The service.
    pub service: ServiceName,
    /// The addresses on which it listens.
    pub on: ListensOn,
    /// Its port in the form of master.cf: a number, or a name from services(5).
    pub port: String,
}

impl View<'_> {
    /// The listener of a service; none if its type is not `inet`. master(8) reads `inet_interfaces` from main.cf only, and
    /// ignores the options of the service.
    #[must_use]
    pub fn listener(&self, service: &ServiceName) -> Option<Listener> {
        let (name, kind) = service.parts();
        if kind != "inet" {
            return None;
        }
        let (on, port) = match name.rsplit_once(':') {
            Some((address, port)) if !address.is_empty() => {
                let bare = address.strip_prefix('[');
                let bare = bare.and_then(|address| address.strip_suffix(']'));
                (ListensOn::Address(bare.unwrap_or(address).to_owned()), port)
            }
            other => {
                let main = self.configuration.main();
                let port = other.map_or(name, |(_, port)| port);
                (
                    ListensOn::Interfaces(main.expanded("inet_interfaces").text),
                    port,
                )
            }
        };
        Some(Listener {
            service: service.clone(),
            on,
            port: port.to_owned(),
        })
    }

    /// The listeners among some services of master.cf, in their order.
    pub fn listeners<'s>(
        &self,
        services: impl IntoIterator<Item = &'s ServiceName>,
    ) -> Vec<Listener> {
        let listeners = services.into_iter();
        listeners
            .filter_map(|service| self.listener(service))
            .collect()
    }
}

/// Who can reach a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortReach {
    /// Nothing listens there.
    Nothing,
    /// Services listen on loopback addresses only.
    LoopbackOnly(Vec<Listener>),
    /// A service listens on other addresses, or on some that are not known.
    Others,
}

impl Configuration<'_> {
    /// Who can reach a port (`smtp`, `25`); none if master.cf is not known.
    #[must_use]
    pub fn port_reach(self, port: &str) -> Option<PortReach> {
        let services = self.services()?;
        let names = services.iter().map(|service| &service.name);
        let mut listeners = self.main().listeners(names);
        listeners.retain(|listener| is_same_port(&listener.port, port));
        Some(if listeners.is_empty() {
            PortReach::Nothing
        } else if listeners.iter().all(|listener| listener.on.is_loopback()) {
            PortReach::LoopbackOnly(listeners)
        } else {
            PortReach::Others
        })
    }
}

impl ListensOn {
    /// Whether all addresses are certainly loopback addresses.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => is_loopback(address),
            Self::Interfaces(Ok(interfaces)) => {
                let words = split_list(interfaces);
                !words.is_empty() && words.iter().all(|word| is_loopback(word))
            }
            Self::Interfaces(Err(_)) => false,
        }
    }
}

fn is_loopback(word: &str) -> bool {
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.to_ascii_lowercase();
    let address = bare
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    address || bare == "loopback-only" || bare == "localhost" || bare.starts_with("localhost.")
}

/// The ports that master.cf may name by a word (services(5)).
const PORTS: [(&str, &str); 8] = [
    ("lmtp", "24"),
    ("mail", "25"),
    ("qmqp", "628"),
    ("smtp", "25"),
    ("smtps", "465"),
    ("ssmtp", "465"),
    ("submission", "587"),
    ("submissions", "465"),
];

/// Whether two ports of master.cf are the same one: `smtp` and `25`.
#[must_use]
pub fn is_same_port(left: &str, right: &str) -> bool {
    fn number(port: &str) -> &str {
        let known = PORTS.into_iter().find(|(name, _)| *name == port);
        known.map_or(port, |(_, number)| number)
    }
    number(left) == number(right)
}
