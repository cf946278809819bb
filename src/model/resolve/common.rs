//! What hosts have in common: the layers below their own entries.

use std::collections::HashMap;

use crate::access::Access;
use crate::manifest::Node;
use crate::model::resolve::Resolver;
use crate::model::resolve::entry::Entry;
use crate::model::resolve::facts::lay_facts;
use crate::model::resolve::layers::Things;
use crate::model::resolve::ssh::{self, SshLayer};
use crate::model::{Host, Ldap, Level};
use crate::name::{RoleName, SiteName};
use crate::state::Facts;

/// One layer that hosts share, read once.
pub(super) struct Shared<'a> {
    pub(super) node: &'a Node,
    things: Things,
    ssh: Option<SshLayer>,
}

/// What hosts have in common.
pub(super) struct Common<'a> {
    pub(super) sites: HashMap<SiteName, (Shared<'a>, Option<Ldap>)>,
    modules: HashMap<RoleName, Things>,
    pub(super) defaults: Option<Shared<'a>>,
    ldap: Option<&'a Ldap>,
    facts: Facts,
}

impl Common<'_> {
    /// How a host is reached: its own keys of `ssh`, those of its range, its site's, the defaults'.
    pub(super) fn access(&self, own: &[&Entry<'_>], site: Option<&Shared<'_>>) -> Access {
        let own = own.iter().map(|entry| entry.ssh.as_ref());
        let shared = [site, self.defaults.as_ref()].into_iter();
        let shared = shared.map(|shared| shared.and_then(|shared| shared.ssh.as_ref()));
        ssh::merge(&own.chain(shared).flatten().collect::<Vec<_>>())
    }

    /// The directory of a site's hosts: the site's own, or the murder's.
    pub(super) fn ldap_of(&self, site: Option<&SiteName>) -> Option<Ldap> {
        let own = site.and_then(|site| self.sites.get(site)?.1.as_ref());
        own.or(self.ldap).cloned()
    }

    /// What a host is like where nothing is observed. `nodes` are its layers, the nearest first.
    pub(super) fn facts_of(&self, nodes: &[&Node]) -> Facts {
        let mut facts = self.facts.clone();
        for node in nodes.iter().rev().filter_map(|node| node.get("facts")) {
            lay_facts(&mut facts, node);
        }
        facts
    }

    /// Gives a host the things of all its layers, the nearest first: its own, those of its range, its site's, those of
    /// its roles under `modules`, the defaults.
    pub(super) fn add_things(
        &self,
        host: &mut Host,
        own: &[&Entry<'_>],
        site: Option<&Shared<'_>>,
    ) {
        for entry in own {
            entry.things.add_to(host);
            for (service, things) in &entry.instances {
                things.add_to_instance(host.instances.entry(service.clone()).or_default());
            }
        }
        if let Some(site) = site {
            site.things.add_to(host);
        }
        for role in host.roles.clone() {
            if let Some(module) = self.modules.get(&role) {
                module.add_to(host);
            }
        }
        if let Some(defaults) = &self.defaults {
            defaults.things.add_to(host);
        }
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn common<'b>(&mut self, ldap: Option<&'b Ldap>) -> Common<'b>
    where
        'a: 'b,
    {
        let all: Vec<RoleName> = self.context.roles.keys().cloned().collect();
        let root = self.root;
        let mut modules = HashMap::new();
        for entry in root.get("modules").map_or(&[][..], Node::entries) {
            if let Ok(role) = RoleName::new(entry.key.as_str()) {
                let level = Level::Role(role.clone());
                let things = self.things(
                    &entry.value,
                    &level,
                    std::slice::from_ref(&role),
                    &format!("modules.{role}"),
                );
                modules.insert(role, things);
            }
        }
        let mut sites = HashMap::new();
        for entry in root.get("sites").map_or(&[][..], Node::entries) {
            if let Ok(site) = SiteName::new(entry.key.as_str()) {
                let level = Level::Site(site.clone());
                let place = format!("sites.{site}");
                let shared = self.shared(&entry.value, &level, &all, &place);
                let own = entry
                    .value
                    .entry("ldap")
                    .and_then(|ldap| self.site_ldap(site.as_str(), &ldap.value, ldap.at));
                sites.insert(site, (shared, own));
            }
        }
        let defaults = root
            .get("defaults")
            .map(|node| self.shared(node, &Level::Defaults, &all, "defaults"));
        let mut facts = Facts::debian();
        if let Some(node) = root.get("facts") {
            lay_facts(&mut facts, node);
        }
        Common {
            sites,
            modules,
            defaults,
            ldap,
            facts,
        }
    }

    fn shared(
        &mut self,
        node: &'a Node,
        level: &Level,
        roles: &[RoleName],
        place: &str,
    ) -> Shared<'a> {
        for role in node.get("roles").map_or(&[][..], Node::list) {
            if let Some(text) = role.text().filter(|text| RoleName::new(*text).is_ok()) {
                self.known_role(text, role.span);
            }
        }
        Shared {
            node,
            things: self.things(node, level, roles, place),
            ssh: node.get("ssh").map(|node| self.ssh_layer(node, place)),
        }
    }
}
