//! The instance of Postfix that has a host's roles: the nearest layer that names one decides.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Node;
use crate::model::Host;
use crate::model::resolve::Resolver;
use crate::model::resolve::hosts::Hosts;
use crate::name::RoleName;
use crate::service::{Instance, Service};

impl Resolver<'_> {
    /// The service of a host. `nodes` are its own layer, its site and the defaults, the nearest first; what `modules` says
    /// of its roles comes before the defaults. All roles of a host are on one instance.
    pub(super) fn service_of(&mut self, nodes: &[&Node], roles: &[RoleName], at: Span) -> Service {
        let defaults = self.root.get("defaults");
        let is_defaults = |node: &&&Node| defaults.is_some_and(|own| std::ptr::eq(**node, own));
        let near = nodes.iter().filter(|node| !is_defaults(node));
        let (near, far) = (
            near.copied().find_map(instance),
            defaults.and_then(instance),
        );
        if let Some(instance) = near {
            return Service::Postfix(instance);
        }
        let modules = self.root.get("modules");
        let of_role = |role: &RoleName| {
            let own = modules.and_then(|modules| modules.get(role.as_str()));
            own.and_then(instance)
                .or_else(|| far.clone())
                .unwrap_or_default()
        };
        let mut of_roles = roles.iter().map(|role| (role, of_role(role)));
        let Some((first, service)) = of_roles.next() else {
            return Service::default();
        };
        if let Some((other, theirs)) = of_roles.find(|(_, other)| *other != service) {
            let (one, two) = (service.name().to_owned(), theirs.name().to_owned());
            self.say(
                Diagnostic::error(format!(
                    "the roles of the host are on two instances of Postfix: `{first}` on `{one}`, `{other}` on `{two}`"
                ))
                .at(at, "this host has both roles")
                .hint("all roles of a host are on one instance: set `instance` on the host"),
            );
        }
        Service::Postfix(service)
    }
}

impl Resolver<'_> {
    /// A host has one ledger: of two hosts with other instances on one machine, each would give back what the other
    /// manages. Machines are known by how they are reached.
    pub(super) fn hosts_of_one_machine(&mut self, hosts: &Hosts<'_>) {
        let mut known: BTreeMap<_, &Host> = BTreeMap::new();
        for host in hosts.built.values() {
            let address = host.ssh.address.as_deref().unwrap_or(host.name.as_str());
            let machine = (address, host.ssh.port, host.ssh.jump.as_deref());
            let Some(first) = known.get(&machine) else {
                known.insert(machine, host);
                continue;
            };
            if first.service != host.service {
                self.say(
                    Diagnostic::error(format!(
                        "the hosts `{}` and `{}` are the same machine: each would give back what the other manages",
                        first.name, host.name
                    ))
                    .at(host.at, format!("its roles are on `{}`", host.service))
                    .related(first.at, format!("its roles are on `{}`", first.service))
                    .hint("`murder` manages one instance of Postfix on a machine: keep one of the hosts"),
                );
            }
        }
    }
}

/// The instance that a layer names. The grammar has refused what is none.
fn instance(node: &Node) -> Option<Instance> {
    Instance::new(node.get("instance")?.text()?).ok()
}
