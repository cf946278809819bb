//! Deliveries by local(8): mailboxes of accounts, and aliases.

use super::agent::Program;
use super::local::LocalDelivery;
use super::maps::Known;
use super::resolve::Route;
use super::trace::{Arrival, EndAction};
use super::walk::{MOST_HOPS, Walk};
use crate::postfix::configuration::AddressClass;

impl Walk<'_> {
    pub(super) fn deliver_locally(&mut self, at: usize, hop: usize, route: &Route) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let known = host.agents.local.deliver(&route.recipient, self.directory);
        self.end_locally(at, hop, route, known);
    }

    fn end_locally(&mut self, at: usize, hop: usize, route: &Route, known: Known<LocalDelivery>) {
        let via = format!("{}:{}", route.transport, route.nexthop);
        let recipient = route.recipient.as_str();
        match known {
            Ok(LocalDelivery::Delivered(what)) => {
                self.end(at, recipient, EndAction::Delivered, &via, what);
            }
            Ok(LocalDelivery::Forwarded(recipients, hit)) => {
                if let Some(hop) = self.trace.hops.get_mut(hop) {
                    hop.rewriting.push(hit);
                }
                self.forward(at, hop, route, recipients);
            }
            Ok(LocalDelivery::Transport(transport)) => {
                let (transport, nexthop) = transport.split_once(':').unwrap_or((&transport, ""));
                let nexthop = if nexthop.is_empty() {
                    &route.nexthop
                } else {
                    nexthop
                };
                let next = Route {
                    transport: transport.to_owned(),
                    nexthop: nexthop.to_owned(),
                    ..route.clone()
                };
                self.deliver(at, hop, &next);
            }
            Ok(LocalDelivery::Unknown) => {
                self.fail(at, recipient, &via, "5.1.1 unknown user");
            }
            Err(error) => self.failed(at, recipient, error),
        }
    }

    /// The recipients of an alias of local(8): accounts here, and others by a new message.
    fn forward(&mut self, at: usize, hop: usize, route: &Route, recipients: Vec<String>) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let key = (at, route.recipient.to_lowercase());
        if self.path.contains(&key) && self.path.len() >= MOST_HOPS {
            return self.end(
                at,
                &route.recipient,
                EndAction::Loop,
                "",
                "5.4.6 mail forwarding loop",
            );
        }
        self.path.push(key);
        for recipient in recipients {
            let resolved = host.resolver.canonical(&recipient);
            let resolved = resolved.and_then(|address| {
                let route = host.resolver.resolve(&address, self.directory)?;
                Ok((address, route))
            });
            match resolved {
                Ok((address, next)) => {
                    let is_local =
                        host.agents.programs.get(&next.transport) == Some(&Program::Local);
                    let is_known = self.path.contains(&(at, next.recipient.to_lowercase()));
                    if is_local && !is_known && next.class == Some(AddressClass::Local) {
                        self.deliver_locally(at, hop, &next);
                    } else if is_local && is_known {
                        let own = &host.agents.local;
                        let known = own.deliver_to_account(&next.recipient, self.directory);
                        self.end_locally(at, hop, &next, known);
                    } else {
                        self.arrive(at, &address, Arrival::Submitted, None);
                    }
                }
                Err(error) => self.failed(at, &recipient, error),
            }
        }
        self.path.pop();
    }
}
