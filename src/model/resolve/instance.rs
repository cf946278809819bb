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
    /// The service of each role of a host. `nodes` are its own layer, its site and the defaults, the nearest first; what
    /// `modules` says of a role comes before the defaults.
    pub(super) fn placement(
        &self,
        nodes: &[&Node],
        roles: &[RoleName],
    ) -> BTreeMap<RoleName, Service> {
        let defaults = self.root.get("defaults");
        let is_defaults = |node: &&&Node| defaults.is_some_and(|own| std::ptr::eq(**node, own));
        let mut near = nodes.iter().filter(|node| !is_defaults(node));
        let near = near.find_map(|node| instance(node));
        let far = defaults.and_then(instance);
        let modules = self.root.get("modules");
        let of_role = |role: &RoleName| {
            let own = modules.and_then(|modules| modules.get(role.as_str()));
            let of_module = || own.and_then(instance);
            let found = near.clone().or_else(of_module).or_else(|| far.clone());
            Service::Postfix(found.unwrap_or_default())
        };
        roles
            .iter()
            .map(|role| (role.clone(), of_role(role)))
            .collect()
    }

    /// Refuses what a host says in its own entry of an instance that none of its roles is on.
    pub(super) fn instances_with_roles(&mut self, host: &Host, entry: &Node) {
        let used = host.roles_on();
        let entries = entry.get("instances").map_or(&[][..], Node::entries);
        let unused: Vec<(Service, Span)> = entries
            .iter()
            .filter_map(|entry| Some((Service::Postfix(Instance::new(&entry.key).ok()?), entry.at)))
            .filter(|(service, _)| !used.contains(service))
            .collect();
        for (service, at) in unused {
            let known = used
                .iter()
                .map(|one| format!("`{one}`"))
                .collect::<Vec<_>>();
            self.say(
                Diagnostic::error(format!("no role of the host is on the instance `{service}`"))
                    .at(at, format!("its roles are on {}", known.join(", ")))
                    .hint(format!(
                        "put a role there, as in `modules: {{ROLE: {{instance: {service}}}}}`, or remove the key"
                    )),
            );
        }
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
            if first.roles_on() != host.roles_on() {
                self.say(
                    Diagnostic::error(format!(
                        "the hosts `{}` and `{}` are the same machine: each would give back what the other manages",
                        first.name, host.name
                    ))
                    .at(host.at, format!("its roles are on {}", instances_of(host)))
                    .related(first.at, format!("its roles are on {}", instances_of(first)))
                    .hint("write one host that has the roles of both, and name the instance of a role: `modules: {ROLE: {instance: postfix-out}}`"),
                );
            }
        }
    }
}

fn instances_of(host: &Host) -> String {
    let names = host.roles_on().into_iter();
    names
        .map(|one| format!("`{one}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The instance that a layer names. The grammar has refused what is none.
fn instance(node: &Node) -> Option<Instance> {
    Instance::new(node.get("instance")?.text()?).ok()
}
