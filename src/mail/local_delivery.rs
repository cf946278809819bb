//! Deliveries by local(8): mailboxes of accounts, and aliases.

use super::agent::Program;
use super::local::LocalDelivery;
use super::resolve::Route;
use super::trace::{Arrival, EndAction};
use super::walk::{MOST_HOPS, Walk};
use crate::postfix::configuration::AddressClass;

impl Walk<'_> {
    pub(super) fn deliver_locally(&mut self, at: usize, hop: usize, route: &Route) {
        self.deliver_by(at, hop, route, &mut Vec::new());
    }

    /// Delivers a recipient that these aliases lead to, each naming the next one.
    fn deliver_by(&mut self, at: usize, hop: usize, route: &Route, aliases: &mut Vec<String>) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let (local, alias) = (&host.agents.local, aliases.last().map(String::as_str));
        let known = local.deliver(&route.recipient, alias, self.directory);
        let via = format!("{}:{}", route.transport, route.nexthop);
        let recipient = route.recipient.as_str();
        match known {
            Ok(LocalDelivery::Delivered(what)) => {
                self.end(at, recipient, EndAction::Delivered, &via, what);
            }
            Ok(LocalDelivery::Forwarded(recipients, hit)) => {
                if aliases.contains(&hit.key) {
                    let reason = format!("5.4.6 alias database loop for {}", hit.key);
                    return self.end(at, recipient, EndAction::Loop, &via, reason);
                }
                aliases.push(hit.key.clone());
                if let Some(hop) = self.trace.hops.get_mut(hop) {
                    hop.rewriting.push(hit);
                }
                self.forward(at, hop, route, recipients, aliases);
                aliases.pop();
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
    fn forward(
        &mut self,
        at: usize,
        hop: usize,
        route: &Route,
        recipients: Vec<String>,
        aliases: &mut Vec<String>,
    ) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let key = (at, route.recipient.to_lowercase());
        if self.path.contains(&key) && self.path.len() >= MOST_HOPS {
            let reason = "5.4.6 mail forwarding loop";
            return self.end(at, &route.recipient, EndAction::Loop, "", reason);
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
                    let program = host.agents.programs.get(&next.transport);
                    let is_here =
                        program == Some(&Program::Local) && next.class == Some(AddressClass::Local);
                    match is_here {
                        true => self.deliver_by(at, hop, &next, aliases),
                        false => self.arrive(at, &address, Arrival::Submitted, None),
                    }
                }
                Err(error) => self.failed(at, &recipient, error),
            }
        }
        self.path.pop();
    }
}
