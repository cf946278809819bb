//! From what was written to what it means; every problem is found in one run.
//!
//! Each part of a manifest is read once into its own type. What the grammar has refused
//! already is passed over in silence here: there is an error for it, so no murder comes of it.

mod directory;
mod file_secrets;
mod hosts;
mod layers;
mod parameters;
mod parts;
mod rules;
mod secrets;
mod ssh;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diagnostic::{Diagnostic, Level as Severity, Span};
use crate::history::KEPT;
use crate::manifest::{Manifest, Node, duration, integer};
use crate::model::role::{Role, SMART_HOST};
use crate::model::{Domain, Host, HostState, Murder, Rollout, SharedFolder, Topology};
use crate::name::{HostName, RoleName};
use crate::nearest;
use crate::secret::{SecretName, SecretSource};
use crate::state::{Facts, Probes};

use self::hosts::Hosts;
use self::parameters::Parameters;

/// What resolving needs beside the manifest.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The roles that have a module.
    pub roles: &'a BTreeMap<RoleName, Role>,
    /// The texts of the templates that the manifest names.
    pub templates: &'a BTreeMap<String, String>,
    /// The folder that relative paths of the manifest start from.
    pub folder: &'a Path,
}

/// What a manifest means, as far as it means anything.
#[derive(Debug)]
pub struct Resolved {
    /// The murder; only where none of the problems is an error.
    pub murder: Option<Murder>,
    /// Where each error is of one thing of one layer alone, the murder without those things: for what else there
    /// is to say in the same run.
    pub rest: Option<Murder>,
    /// How many of the problems are of one thing alone.
    pub local: usize,
    /// Where there is neither, every host that could be read at all, for what else there is to
    /// say of its values in the same run. It may lack roles and anything that a problem is about.
    pub hosts: Vec<Host>,
    /// What there is to say, in the order of the texts.
    pub problems: Vec<Diagnostic>,
}

/// Says what a manifest means.
#[must_use]
pub fn resolve(manifest: &Manifest, context: &Context<'_>) -> Resolved {
    let mut resolver = Resolver {
        root: &manifest.root,
        context,
        parameters: Parameters::of(&manifest.root),
        secrets: BTreeMap::new(),
        problems: Vec::new(),
        local: 0,
        without_role: Vec::new(),
    };
    let murder = resolver.murder();
    let mut hosts = resolver.without_role;
    let mut problems = resolver.problems;
    problems.sort_by_key(|problem| problem.at.as_ref().map(|(span, _)| *span));
    let wrong = errors(&problems);
    let (mut whole, mut rest) = (None, None);
    if wrong == 0 {
        whole = Some(murder);
    } else if wrong == resolver.local {
        rest = Some(murder);
    } else {
        hosts.extend(murder.hosts.into_values());
    }
    Resolved {
        murder: whole,
        rest,
        local: resolver.local,
        hosts,
        problems,
    }
}

fn errors(problems: &[Diagnostic]) -> usize {
    let errors = problems.iter();
    errors
        .filter(|problem| problem.level == Severity::Error)
        .count()
}

struct Resolver<'a> {
    root: &'a Node,
    context: &'a Context<'a>,
    parameters: Parameters<'a>,
    secrets: BTreeMap<SecretName, (SecretSource, Span)>,
    problems: Vec<Diagnostic>,
    /// How many of them are errors of one thing of one layer alone.
    local: usize,
    /// Hosts whose roles are unknown: none of the murder, but their values can be looked at.
    without_role: Vec<Host>,
}

impl<'a> Resolver<'a> {
    fn say(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    fn murder(&mut self) -> Murder {
        let topology = self.topology();
        let domains = self.domains();
        let ldap = self.murder_ldap();
        let external = self.external();
        self.modules_and_rollout();
        let hosts = self.hosts(ldap.as_ref());
        let postuser = self
            .root
            .get("cyrus")
            .and_then(|cyrus| cyrus.get("postuser")?.text())
            .unwrap_or("folder")
            .to_owned();
        let delimiter = self
            .root
            .get("recipient_delimiter")
            .and_then(Node::text)
            .unwrap_or("+")
            .to_owned();
        let smart_host = self.smart_host(&hosts, &external);
        let shared_folders = self.shared_folders(&hosts, &domains, &postuser, &delimiter);
        let probes = probes(self.root.get("probe"));
        self.probe_addresses(&postuser, &delimiter, &domains);
        self.host_rules(&hosts, &external, &domains);
        let name = self.root.get("murder").and_then(Node::text);
        Murder {
            // Where there is none, the grammar has said so.
            name: name.unwrap_or_default().to_owned(),
            topology,
            domains,
            ldap,
            postuser,
            postuser_at: self
                .root
                .get("cyrus")
                .and_then(|cyrus| Some(cyrus.get("postuser")?.span)),
            smart_host,
            external,
            recipient_delimiter: delimiter,
            shared_folders,
            rollout: self.rollout(),
            keep: self.keep(),
            probes,
            hosts: hosts.built,
            secrets: std::mem::take(&mut self.secrets),
        }
    }

    fn topology(&mut self) -> Topology {
        let Some(node) = self.root.get("topology") else {
            return Topology::Discrete;
        };
        let topology = match node.text() {
            Some("unified") => Topology::Unified,
            Some("replicated") => Topology::Replicated,
            _ => return Topology::Discrete,
        };
        self.say(
            Diagnostic::error("this version knows the discrete topology only")
                .at(node.span, "not yet")
                .hint("leave the key out, or write `topology: discrete`"),
        );
        topology
    }

    /// The domains in their order: a list of names, or a map.
    fn domains(&mut self) -> Vec<Domain> {
        let Some(node) = self.root.get("domains") else {
            return Vec::new();
        };
        let mut found: Vec<(Domain, Span, Option<Span>)> = Vec::new();
        let listed = node
            .list()
            .iter()
            .filter_map(|node| Some((node.text()?, node.span, None)));
        let mapped = node
            .entries()
            .iter()
            .map(|entry| (entry.key.as_str(), entry.at, Some(&entry.value)));
        for (name, at, more) in listed.chain(mapped) {
            let Ok(name) = HostName::new(name) else {
                continue;
            };
            if let Some((_, first, _)) = found.iter().find(|(domain, ..)| domain.name == name) {
                self.say(
                    Diagnostic::error(format!("the domain `{name}` is named twice"))
                        .at(at, "again")
                        .related(*first, "first here")
                        .hint("keep one of the two"),
                );
                continue;
            }
            let text = |key: &str| more.and_then(|more| more.get(key));
            let alias = text("alias_of");
            let domain = Domain {
                name,
                base: text("base").and_then(Node::text).map(str::to_owned),
                alias_of: alias
                    .and_then(Node::text)
                    .and_then(|name| HostName::new(name).ok()),
            };
            found.push((domain, at, alias.map(|alias| alias.span)));
        }
        if found.is_empty() {
            self.say(
                Diagnostic::error("a murder has at least one mail domain")
                    .at(node.span, "names none")
                    .hint("write `[example.org]`"),
            );
        }
        self.alias_domains(&found);
        found.into_iter().map(|(domain, ..)| domain).collect()
    }

    fn alias_domains(&mut self, domains: &[(Domain, Span, Option<Span>)]) {
        for (domain, _, at) in domains {
            let (Some(target), Some(at)) = (&domain.alias_of, at) else {
                continue;
            };
            let problem = match domains.iter().find(|(other, ..)| other.name == *target) {
                _ if *target == domain.name => {
                    Diagnostic::error(format!("`{target}` is an alias of itself"))
                        .at(*at, "is the same domain")
                        .hint("name the domain that holds the addresses, or leave `alias_of` out")
                }
                None => {
                    let names = domains.iter().map(|(domain, ..)| domain.name.as_str());
                    with_nearest(
                        Diagnostic::error(format!("`{target}` is no domain of this murder"))
                            .at(*at, "is not among `domains`"),
                        target.as_str(),
                        names,
                        "add it under `domains`",
                    )
                }
                Some((other, there, _)) => {
                    let Some(end) = &other.alias_of else {
                        continue;
                    };
                    Diagnostic::error(format!("`{target}` is itself only an alias"))
                        .at(*at, "an alias of an alias")
                        .related(*there, format!("is an alias of `{end}`"))
                        .hint(format!("write `alias_of: {end}`"))
                }
            };
            self.say(problem);
        }
    }

    fn external(&mut self) -> Vec<HostName> {
        let nodes = self.root.get("external").map_or(&[][..], Node::list);
        nodes
            .iter()
            .filter_map(|node| HostName::new(node.text()?).ok())
            .collect()
    }

    /// Roles that `modules` and `rollout` name must exist.
    fn modules_and_rollout(&mut self) {
        for section in ["modules", "rollout"] {
            for entry in self.root.get(section).map_or(&[][..], Node::entries) {
                if RoleName::new(entry.key.as_str()).is_ok() {
                    self.known_role(&entry.key, entry.at);
                }
            }
        }
    }

    fn known_role(&mut self, role: &str, at: Span) -> bool {
        let known = self.context.roles.contains_key(role);
        if !known {
            let names = self.context.roles.keys().map(RoleName::as_str);
            let problem = Diagnostic::error(format!("unknown role `{role}`"))
                .at(at, "no module has this name");
            let problem = match nearest::hint(role, names) {
                Some(hint) => problem.hint(hint),
                None => problem.hint(format!("a module of your own stands in `modules/{role}/`")),
            };
            self.say(problem);
        }
        known
    }

    fn rollout(&self) -> BTreeMap<RoleName, Rollout> {
        let entries = self.root.get("rollout").map_or(&[][..], Node::entries);
        entries
            .iter()
            .filter_map(|entry| {
                let number = |key: &str| {
                    let number = integer(entry.value.get(key)?.text()?)?;
                    u32::try_from(number).ok()
                };
                let rollout = Rollout {
                    serial: number("serial"),
                    pause: entry
                        .value
                        .get("pause")
                        .and_then(|node| duration(node.text()?))
                        .unwrap_or_default(),
                    canary: number("canary"),
                };
                Some((RoleName::new(entry.key.as_str()).ok()?, rollout))
            })
            .collect()
    }

    fn keep(&self) -> u32 {
        let node = self.root.get("history").and_then(|node| node.get("keep"));
        let number = node.and_then(Node::text).and_then(integer);
        number
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(KEPT)
    }

    /// Where hosts send what is not their own: the one that is named, or the only one there is.
    fn smart_host(&mut self, hosts: &Hosts<'a>, external: &[HostName]) -> Option<HostName> {
        if let Some(node) = self.root.get("smart_host") {
            let name = HostName::new(node.text()?).ok()?;
            if let Some(host) = hosts.built.get(&name) {
                if !hosts.provides(host, SMART_HOST, self.context.roles) {
                    self.say(
                        Diagnostic::error(format!("`{name}` is no smart host"))
                            .at(node.span, "mail sent there would come back")
                            .related(host.at, "has no role that routes for others")
                            .hint(provider_hint(self.context.roles, SMART_HOST)),
                    );
                }
            } else if !external.contains(&name) && !hosts.named.contains_key(&name) {
                let names = hosts.named.keys().map(HostName::as_str);
                let problem = Diagnostic::error(format!("`{name}` is no host of this murder"))
                    .at(node.span, "is neither among `hosts` nor among `external`");
                self.say(match nearest::nearest(name.as_str(), names) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => problem.hint("add it to `external` if it is a virtual name"),
                });
            }
            return Some(name);
        }
        // A role that nobody could read may be the one, or not.
        if self.context.roles.values().any(|role| role.unread) {
            return None;
        }
        let able = |state: &[HostState]| -> Vec<&Host> {
            hosts
                .built
                .values()
                .filter(|host| state.contains(&host.state))
                .filter(|host| hosts.provides(host, SMART_HOST, self.context.roles))
                .collect()
        };
        let staying = able(&[HostState::Active, HostState::Draining]);
        if staying.is_empty()
            && let Some(only) = able(&[HostState::Joining]).first()
        {
            let others = hosts.built.values().filter(|host| host.name != only.name);
            if others
                .into_iter()
                .all(|host| host.state == HostState::Retired)
            {
                return Some(only.name.clone());
            }
            self.say(
                rules::joining(only, hosts.state_place(only))
                    .detail("it is the only smart host, so the other hosts send their mail there"),
            );
            return None;
        }
        match (staying.as_slice(), able(&[HostState::Retired]).first()) {
            ([], Some(last)) if hosts.any_living() => {
                self.say(
                    Diagnostic::error(format!(
                        "`{}` is retired, and no smart host is left",
                        last.name
                    ))
                    .at(
                        hosts.state_place(last),
                        "the other hosts still send their mail there",
                    )
                    .hint("add its successor first, or name one by `smart_host`"),
                );
                None
            }
            ([], _) => None,
            ([only], _) => Some(only.name.clone()),
            ([first, second, ..], _) => {
                self.say(
                    Diagnostic::error("several hosts could be the smart host")
                        .at(second.at, "this one too")
                        .related(first.at, "this one")
                        .hint(format!(
                            "say which by `smart_host: {}`, or name a virtual host of both and list it under `external`",
                            first.name
                        )),
                );
                None
            }
        }
    }

    fn shared_folders(
        &mut self,
        hosts: &Hosts<'a>,
        domains: &[Domain],
        postuser: &str,
        delimiter: &str,
    ) -> Vec<SharedFolder> {
        let nodes = self.root.get("shared_folders").map_or(&[][..], Node::list);
        let mut folders = Vec::new();
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for node in nodes {
            let Some(folder) = self.shared_folder(node, hosts, domains, postuser, delimiter) else {
                continue;
            };
            match seen.insert(folder.address.to_ascii_lowercase(), folder.at) {
                Some(first) => self.say(
                    Diagnostic::error(format!(
                        "two shared folders have the address `{}`",
                        folder.address
                    ))
                    .at(folder.at, "again")
                    .related(first, "first here")
                    .hint("give one of them another address: case does not make a difference"),
                ),
                None => folders.push(folder),
            }
        }
        folders
    }

    fn shared_folder(
        &mut self,
        node: &Node,
        hosts: &Hosts<'a>,
        domains: &[Domain],
        postuser: &str,
        delimiter: &str,
    ) -> Option<SharedFolder> {
        let address = node.get("address");
        if let Some(address) = address {
            self.own_address(address, domains);
            self.address_of_no_alias(address, domains);
            self.postuser_collision(address, postuser, delimiter);
        }
        let backend = node.get("backend");
        if let Some(backend) = backend {
            self.mailbox_host(backend, hosts);
        }
        let address = address?;
        Some(SharedFolder {
            address: address.text()?.to_owned(),
            backend: HostName::new(backend?.text()?).ok()?,
            folder: node.get("folder")?.text()?.to_owned(),
            at: address.span,
        })
    }
}

/// The addresses of a `probe:`.
fn probes(node: Option<&Node>) -> Probes {
    let texts = |key: &str| {
        let nodes = node
            .and_then(|node| node.get(key))
            .map_or(&[][..], Node::list);
        nodes
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect()
    };
    Probes {
        accept: texts("accept"),
        refuse: texts("refuse"),
    }
}

/// Lays what a `facts:` says over what is known.
fn lay_facts(facts: &mut Facts, node: &Node) {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let table = |key: &str| text(key).and_then(|text| text.parse().ok());
    if let Some(version) = text("postfix_version") {
        version.clone_into(&mut facts.postfix_version);
    }
    if let Some(types) = node.get("table_types") {
        facts.table_types = types
            .list()
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect::<BTreeSet<_>>()
            .into();
    }
    if let Some(kind) = table("default_database_type") {
        // A host that says nothing of its indexes builds them in its default type.
        facts.index_type = crate::name::TableType::clone(&kind);
        facts.default_database_type = kind;
    }
    if let Some(kind) = table("index_type") {
        facts.index_type = kind;
    }
    if let Some(distribution) = text("distribution") {
        distribution.clone_into(&mut facts.distribution);
    }
    if let Some(socket) = text("lmtp_socket").and_then(|text| text.parse().ok()) {
        facts.lmtp_socket = socket;
    }
}

fn with_nearest<'n>(
    problem: Diagnostic,
    word: &str,
    candidates: impl IntoIterator<Item = &'n str>,
    otherwise: &str,
) -> Diagnostic {
    match nearest::hint(word, candidates) {
        Some(hint) => problem.hint(hint),
        None => problem.hint(otherwise),
    }
}

/// Which roles have a capability, for a hint.
fn provider_hint(roles: &BTreeMap<RoleName, Role>, capability: &str) -> String {
    let names: Vec<String> = roles
        .iter()
        .filter(|(_, role)| role.provides.contains(capability))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if names.is_empty() {
        format!("no role provides `{capability}`")
    } else {
        format!("a host with the role {} can do that", names.join(" or "))
    }
}
