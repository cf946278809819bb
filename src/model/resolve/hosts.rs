//! The hosts: ranges spread out, and what host, site, modules and defaults say brought together.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::calendar::{moment, written_moment};
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{MapEntry, Node, defaults, range};
use crate::model::resolve::Resolver;
use crate::model::resolve::common::Common;
use crate::model::resolve::entry::Entry;
use crate::model::resolve::facts::probes;
use crate::model::resolve::hints::with_nearest;
use crate::model::role::Role;
use crate::model::{Host, HostState, Ldap};
use crate::name::{HostName, RoleName, SiteName};
use crate::state::{Maintenance, Probes};

/// The hosts of a murder, with the places that rules point at.
pub(super) struct Hosts<'a> {
    /// Every name that the manifest gives to a host, also where the host could not be built.
    pub(super) named: BTreeMap<HostName, Span>,
    /// The hosts that could be built.
    pub(super) built: BTreeMap<HostName, Host>,
    /// What the manifest says of each: its own entry, and the range that it lies over.
    nodes: BTreeMap<HostName, (&'a Node, Option<&'a Node>)>,
}

impl<'a> Hosts<'a> {
    /// Takes a host with its entries, its own before its range.
    fn add(&mut self, name: HostName, entries: &[&Entry<'a>], template: Option<&Host>) {
        let mut nodes = entries.iter().map(|entry| &entry.written.value);
        if let (Some(entry), Some(own)) = (entries.first(), nodes.next()) {
            self.named.insert(name.clone(), entry.written.at);
            self.nodes.insert(name.clone(), (own, nodes.next()));
        }
        if let Some(template) = template {
            let mut host = template.clone();
            if self.said(&name, "mailhost").is_none() {
                host.mailhost = name.clone();
            }
            host.name = name.clone();
            self.built.insert(name, host);
        }
    }

    /// What the entries of a host say under a key, the nearest first.
    pub(super) fn said(&self, name: &HostName, key: &str) -> Option<&'a Node> {
        let (own, range) = self.nodes.get(name)?;
        own.get(key).or_else(|| range.as_ref()?.get(key))
    }

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
        self.said(&host.name, "state")
            .map_or(host.at, |node| node.span)
    }
}

impl<'a> Resolver<'a> {
    /// Builds all hosts: those of ranges first, because a host that is also written by itself lies over its range.
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
        let (ranges, single): (Vec<&MapEntry>, Vec<&MapEntry>) = self
            .within_limit(section.value.entries())
            .iter()
            .partition(|entry| range::is_range(&entry.key));
        let alone: BTreeSet<HostName> = single
            .iter()
            .filter_map(|entry| range::first(&entry.key))
            .collect();
        let over = self.ranges(&ranges, &alone, &common, &mut hosts);
        for entry in single {
            let Some(name) = range::first(&entry.key) else {
                continue;
            };
            if let Some(first) = hosts.named.get(&name) {
                self.say(named_twice(&name, entry.at).related(*first, "first here"));
                continue;
            }
            let range = over.get(&name).map(Rc::as_ref);
            let (entry, template) = self.host(entry, range, &common);
            let entries: Vec<&Entry<'a>> = [Some(&entry), range].into_iter().flatten().collect();
            hosts.add(name, &entries, template.as_ref());
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

    /// Builds the hosts of ranges, and gives the ranges of those that are also written by themselves (`alone`).
    fn ranges(
        &mut self,
        ranges: &[&'a MapEntry],
        alone: &BTreeSet<HostName>,
        common: &Common<'_>,
        hosts: &mut Hosts<'a>,
    ) -> BTreeMap<HostName, Rc<Entry<'a>>> {
        let mut over = BTreeMap::new();
        let mut seen: BTreeMap<HostName, Span> = BTreeMap::new();
        for written in ranges {
            // A name that is none has been refused by the grammar.
            let names = range::expand(&written.key).unwrap_or_default();
            let (entry, template) = self.host(written, None, common);
            let entry = Rc::new(entry);
            for name in names {
                if let Some(first) = seen.insert(name.clone(), written.at) {
                    let label = if first == written.at {
                        "its own range"
                    } else {
                        "first here"
                    };
                    self.say(named_twice(&name, written.at).related(first, label));
                    // One message tells enough about two ranges that overlap.
                    break;
                }
                if alone.contains(&name) {
                    over.insert(name, Rc::clone(&entry));
                } else {
                    hosts.add(name, &[&entry], template.as_ref());
                }
            }
        }
        over
    }

    /// Builds what all hosts of one key have in common: everything but the name. `over` is the range that a single
    /// host lies over.
    fn host(
        &mut self,
        written: &'a MapEntry,
        over: Option<&Entry<'a>>,
        common: &Common<'_>,
    ) -> (Entry<'a>, Option<Host>) {
        let node = &written.value;
        let defaults = common.defaults.as_ref();
        // The layers that may say any key of a host, the nearest first.
        let mut nodes: Vec<&Node> = vec![node];
        nodes.extend(over.map(|range| &range.written.value));
        let own = nodes.clone();
        let site_node = nearest_of(&own, "site").or_else(|| defaults?.node.get("site"));
        let told = self.problems.len();
        let site = self.site(site_node, common);
        if node.get("site").is_none() && over.is_some() {
            // The diagnostic about the range is there already.
            self.problems.truncate(told);
        }
        let shared = site.as_ref().and_then(|site| common.sites.get(site));
        nodes.extend(shared.map(|(site, _)| site.node));
        nodes.extend(defaults.map(|defaults| defaults.node));
        let nearest = |key: &str| nearest_of(&nodes, key);

        let roles = self.roles(node, written.at, nearest("roles"));
        let entry = self.entry(written, &roles);
        let Some((name, mailhost)) = names(written, &own) else {
            return (entry, None);
        };
        let entries: Vec<&Entry<'a>> = [Some(&entry), over].into_iter().flatten().collect();
        let mut host = Host {
            at: written.at,
            mailhost,
            name,
            state: state(nearest("state")),
            maintenance: nearest_of(&own, "maintenance").and_then(maintenance),
            addresses: texts(nearest("addresses")),
            placement: self.placement(&nodes, &roles),
            instances: BTreeMap::new(),
            ssh: common.access(&entries, shared.map(|(site, _)| site)),
            ldap: common.ldap_of(site.as_ref()),
            lmtp: self.lmtp(&nodes),
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
        common.add_things(&mut host, &entries, shared.map(|(site, _)| site));
        self.instances_with_roles(&host, &written.value);
        if host.roles.is_empty() {
            self.without_role.push(host);
            return (entry, None);
        }
        (entry, Some(host))
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

/// The name of a host and its mailhost, which each name of a range replaces; none for a key without a name.
fn names(written: &MapEntry, own: &[&Node]) -> Option<(HostName, HostName)> {
    let name = range::first(&written.key)?;
    let mailhost = match nearest_of(own, "mailhost") {
        Some(node) => HostName::new(node.text()?).ok()?,
        None => name.clone(),
    };
    Some((name, mailhost))
}

/// What the first of these layers that has the key says.
fn nearest_of<'n>(layers: &[&'n Node], key: &str) -> Option<&'n Node> {
    layers.iter().find_map(|layer| layer.get(key))
}

/// A name of two entries that do not lie over one another.
fn named_twice(name: &HostName, at: Span) -> Diagnostic {
    Diagnostic::error(format!("the host `{name}` is named twice"))
        .at(at, "again")
        .hint("keep one of the two; a host may have several roles")
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

/// The time during which a host is not contacted. None where the grammar has refused it.
fn maintenance(node: &Node) -> Option<(Maintenance, Span)> {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let until = written_moment(moment(text("until")?)?);
    let reason = text("reason")?.to_owned();
    Some((Maintenance { until, reason }, node.span))
}

/// The texts of a list; nothing where there is none.
fn texts(list: Option<&Node>) -> Vec<String> {
    list.map_or(&[][..], Node::list)
        .iter()
        .filter_map(|node| node.text().map(str::to_owned))
        .collect()
}
