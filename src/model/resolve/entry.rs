//! One entry of `hosts`: what it says for itself.

use crate::manifest::{MapEntry, Node, range};
use crate::model::Level;
use crate::model::resolve::Resolver;
use crate::model::resolve::layers::Things;
use crate::model::resolve::ssh::SshLayer;
use crate::name::RoleName;
use crate::service::{Instance, Service};

/// One entry of `hosts`, read once.
pub(super) struct Entry<'a> {
    pub(super) written: &'a MapEntry,
    pub(super) things: Things,
    /// What it says of one instance of Postfix alone.
    pub(super) instances: Vec<(Service, Things)>,
    pub(super) ssh: Option<SshLayer>,
}

impl<'a> Resolver<'a> {
    /// Reads what an entry says for itself. `roles` are those of its hosts.
    pub(super) fn entry(&mut self, written: &'a MapEntry, roles: &[RoleName]) -> Entry<'a> {
        let node = &written.value;
        let place = format!("hosts.{}", written.key);
        let level = if range::is_range(&written.key) {
            Level::Range
        } else {
            Level::Host
        };
        let instances = node.get("instances").map_or(&[][..], Node::entries);
        let instances = instances.iter().filter_map(|one| {
            let service = Service::Postfix(Instance::new(&one.key).ok()?);
            let place = format!("{place}.instances.{}", one.key);
            Some((service, self.things(&one.value, &level, roles, &place)))
        });
        Entry {
            instances: instances.collect(),
            written,
            things: self.things(node, &level, roles, &place),
            ssh: node.get("ssh").map(|node| self.ssh_layer(node, &place)),
        }
    }
}
