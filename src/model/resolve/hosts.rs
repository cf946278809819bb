//! The hosts: ranges spread out, and what host, site, modules and defaults say brought together.

use std::collections::{BTreeMap, HashMap};

use crate::access::Access;
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{MapEntry, Node, defaults, range};
use crate::model::resolve::Resolver;
use crate::model::resolve::facts::{lay_facts, probes};
use crate::model::resolve::hints::with_nearest;
use crate::model::resolve::layers::Things;
use crate::model::resolve::ssh::{self, SshLayer};
use crate::model::role::Role;
use crate::model::{Host, HostState, Ldap, Level};
use crate::name::{HostName, RoleName, SiteName};
use crate::state::{Facts, Probes};

/// The hosts of a murder, with the places that rules point at.
pub(super) struct Hosts<'a> {
    /// Every name that the manifest gives to a host, also where the host could not be built.
    pub(super) named: BTreeMap<HostName, Span>,
    /// The hosts that could be built.
    pub(super) built: BTreeMap<HostName, Host>,
    /// What the manifest says of each.
    pub(super) nodes: BTreeMap<HostName, &'a Node>,
}

impl Hosts<'_> {
    /// Whether one of a host's roles has a capability, or may have it.
    pub(super) fn provides(
        &self,
        host: &Host,
        capability: &str,
        roles: &BTreeMap<RoleName, Role>,
    ) -> bool {
        host.roles
            .iter()
            .filter_map(|role| roles.get(role))
            .any(|role| role.unusable || role.provides.contains(capability))
    }

    /// Whether a host stays: a murder may also be retired as a whole.
    pub(super) fn any_living(&self) -> bool {
        self.built
            .values()
            .any(|host| host.state != HostState::Retired)
    }

    /// Where a host's state was written, or else its name.
    pub(super) fn state_place(&self, host: &Host) -> Span {
        self.nodes
            .get(&host.name)
            .and_then(|node| node.get("state"))
            .map_or(host.at, |node| node.span)
    }
}

/// One layer that hosts share, read once.
struct Shared<'a> {
    node: &'a Node,
    things: Things,
    ssh: Option<SshLayer>,
}

/// What hosts have in common.
struct Common<'a> {
    sites: HashMap<SiteName, (Shared<'a>, Option<Ldap>)>,
    modules: HashMap<RoleName, Things>,
    defaults: Option<Shared<'a>>,
    ldap: Option<&'a Ldap>,
    facts: Facts,
}

impl Common<'_> {
    /// How a host is reached: its own keys of `ssh`, its site's, the defaults'.
    fn access(&self, own: Option<&SshLayer>, site: Option<&Shared<'_>>) -> Access {
        let defaults = self.defaults.as_ref();
        let layers = [
            own,
            site.and_then(|site| site.ssh.as_ref()),
            defaults.and_then(|defaults| defaults.ssh.as_ref()),
        ];
        ssh::merge(&layers.into_iter().flatten().collect::<Vec<_>>())
    }

    /// What a host is like where nothing is observed. `nodes` are its layers, the nearest first.
    fn facts_of(&self, nodes: &[&Node]) -> Facts {
        let mut facts = self.facts.clone();
        for node in nodes.iter().rev().filter_map(|node| node.get("facts")) {
            lay_facts(&mut facts, node);
        }
        facts
    }

    /// Gives a host the things of all its layers, the nearest first: its own, its site's, those of its roles under
    /// `modules`, the defaults.
    fn add_things(&self, host: &mut Host, own: &Things, site: Option<&Shared<'_>>) {
        own.add_to(host);
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
    /// Builds all hosts.
    pub(super) fn hosts<'b>(&mut self, ldap: Option<&'b Ldap>) -> Hosts<'a>
    where
        'a: 'b,
    {
        let mut hosts = Hosts {
            named: BTreeMap::new(),
            built: BTreeMap::new(),
            nodes: BTreeMap::new(),
        };
        let common = self.common(ldap);
        let Some(section) = self.root.entry("hosts") else {
            return hosts;
        };
        for entry in self.within_limit(section.value.entries()) {
            // A name that is none has been refused by the grammar.
            let names = range::expand(&entry.key).unwrap_or_default();
            let template = self.host(entry, &common);
            for name in names {
                if let Some(first) = hosts.named.get(&name) {
                    let label = if *first == entry.at {
                        "its own range"
                    } else {
                        "first here"
                    };
                    self.say(
                        Diagnostic::error(format!("the host `{name}` is named twice"))
                            .at(entry.at, "again")
                            .related(*first, label)
                            .hint("keep one of the two; a host may have several roles"),
                    );
                    // One message tells enough about two ranges that overlap.
                    break;
                }
                hosts.named.insert(name.clone(), entry.at);
                hosts.nodes.insert(name.clone(), &entry.value);
                if let Some(template) = &template {
                    let mut host = template.clone();
                    if !entry
                        .value
                        .entries()
                        .iter()
                        .any(|entry| entry.key == "mailhost")
                    {
                        host.mailhost = name.clone();
                    }
                    host.name = name.clone();
                    hosts.built.insert(name, host);
                }
            }
        }
        if hosts.named.is_empty() && section.value.entries().is_empty() {
            self.say(
                Diagnostic::error("the manifest has no hosts")
                    .at(section.at, "this is empty")
                    .hint("add one below it, as in `backend1.example.org: {roles: [backend]}`"),
            );
        }
        hosts
    }

    fn common<'b>(&mut self, ldap: Option<&'b Ldap>) -> Common<'b>
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

    /// Builds what all hosts of one key have in common: everything but the name.
    fn host(&mut self, entry: &MapEntry, common: &Common<'_>) -> Option<Host> {
        let node = &entry.value;
        let defaults = common.defaults.as_ref();
        let site_node = node
            .get("site")
            .or_else(|| defaults.and_then(|defaults| defaults.node.get("site")));
        let site = self.site(site_node, common);
        let shared = site.as_ref().and_then(|site| common.sites.get(site));
        // The layers that may say any key of a host, the nearest first.
        let mut nodes = vec![node];
        nodes.extend(shared.map(|(site, _)| site.node));
        nodes.extend(defaults.map(|defaults| defaults.node));
        let nearest = |key: &str| nodes.iter().find_map(|node| node.get(key));

        let roles = self.roles(node, entry.at, nearest("roles"));
        let place = format!("hosts.{}", entry.key);
        let things = self.things(node, &Level::Host, &roles, &place);
        let own_ssh = node.get("ssh").map(|node| self.ssh_layer(node, &place));
        let lmtp = self.lmtp(&nodes);
        // Replaced by each name of the key; a key without a name gives no host.
        let name = range::first(&entry.key)?;
        let mut host = Host {
            at: entry.at,
            mailhost: match node.get("mailhost") {
                Some(node) => HostName::new(node.text()?).ok()?,
                None => name.clone(),
            },
            name,
            state: state(nearest("state")),
            addresses: texts(nearest("addresses")),
            ssh: common.access(own_ssh.as_ref(), shared.map(|(site, _)| site)),
            ldap: match shared {
                Some((_, Some(own))) => Some(own.clone()),
                _ => common.ldap.cloned(),
            },
            lmtp,
            probes: self.host_probes(&nodes),
            facts: common.facts_of(&nodes),
            settings: BTreeMap::new(),
            services: BTreeMap::new(),
            files: BTreeMap::new(),
            vars: BTreeMap::new(),
            leave: Vec::new(),
            roles,
            site,
        };
        let site = shared.map(|(site, _)| site);
        common.add_things(&mut host, &things, site);
        if host.roles.is_empty() {
            self.without_role.push(host);
            return None;
        }
        Some(host)
    }

    fn site(&mut self, node: Option<&Node>, common: &Common<'_>) -> Option<SiteName> {
        let node = node?;
        let site = SiteName::new(node.text()?).ok()?;
        if common.sites.contains_key(&site) {
            return Some(site);
        }
        let names = common.sites.keys().map(SiteName::as_str);
        let problem =
            Diagnostic::error(format!("unknown site `{site}`")).at(node.span, "not in `sites`");
        let mut names: Vec<&str> = names.collect();
        names.sort_unstable();
        self.say(with_nearest(
            problem,
            site.as_str(),
            names,
            "add the site under `sites`, or remove the key",
        ));
        None
    }

    /// The roles of a host: its own, its site's, or the defaults'.
    fn roles(&mut self, own: &Node, at: Span, node: Option<&Node>) -> Vec<RoleName> {
        let Some(list) = node else {
            self.say(
                Diagnostic::error("the host has no role")
                    .at(at, "neither the host, its site nor `defaults` set `roles`")
                    .hint("set `roles`, as in `roles: [backend]`"),
            );
            return Vec::new();
        };
        if list.list().is_empty() && matches!(list.kind, crate::manifest::Kind::List(_)) {
            self.say(
                Diagnostic::error("the host has no role")
                    .at(list.span, "this is empty")
                    .hint("add a role; to remove from a host what `murder` manages there, write `state: retired`"),
            );
        }
        let mut roles: Vec<RoleName> = Vec::new();
        for role in list.list() {
            let Some(name) = role.text().and_then(|text| RoleName::new(text).ok()) else {
                continue;
            };
            // A list of a site or the defaults was checked with its layer.
            if own.get("roles").is_some() && !self.known_role(name.as_str(), role.span) {
                continue;
            }
            if roles.contains(&name) {
                if own.get("roles").is_some() {
                    self.say(
                        Diagnostic::error(format!("the role `{name}` is given twice"))
                            .at(role.span, "again")
                            .hint("keep one of the two"),
                    );
                }
                continue;
            }
            roles.push(name);
        }
        roles
    }

    /// Murder-wide probes and those of the host's layers, each once.
    fn host_probes(&self, nodes: &[&Node]) -> Probes {
        let mut all = probes(self.root.get("probe"));
        for node in nodes {
            let own = probes(node.get("probe"));
            for (into, from) in [(&mut all.accept, own.accept), (&mut all.refuse, own.refuse)] {
                for address in from {
                    if !into.contains(&address) {
                        into.push(address);
                    }
                }
            }
        }
        all
    }
}

/// Where a host is in its life.
fn state(node: Option<&Node>) -> HostState {
    match node.and_then(Node::text).unwrap_or(defaults::STATE) {
        "joining" => HostState::Joining,
        "draining" => HostState::Draining,
        "retired" => HostState::Retired,
        _ => HostState::Active,
    }
}

/// The texts of a list; nothing where there is none.
fn texts(list: Option<&Node>) -> Vec<String> {
    list.map_or(&[][..], Node::list)
        .iter()
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}
