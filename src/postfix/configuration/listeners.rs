//! The addresses and ports on which master(8) listens.

use super::{ExpandError, View};
use crate::name::ServiceName;

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
