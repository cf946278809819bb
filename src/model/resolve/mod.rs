//! From what was written to what it means; every problem is found in one run.
//!
//! Each part of a manifest is read once into its own type. What the grammar has refused
//! already is passed over in silence here: there is an error for it, so no murder comes of it.

mod bind;
mod common;
mod cyrus;
mod directory;
mod domains;
mod entry;
mod facts;
mod file_secrets;
mod hints;
mod host_limit;
mod hosts;
mod instance;
mod jumps;
mod layers;
mod merged;
mod parameters;
mod parts;
mod rules;
mod secret_sources;
mod secrets;
mod shared_folders;
mod smart_host;
mod ssh;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::diagnostic::{self, Diagnostic, Scope, Span};
use crate::manifest::{Manifest, Node, defaults, duration, integer, switch};
use crate::model::role::Role;
use crate::model::{Host, Murder, Rollout, Topology};
use crate::name::RoleName;
use crate::nearest;
use crate::policy::{self, Policy};
use crate::secret::{SecretName, SecretSource};

use self::facts::probes;
use self::parameters::Parameters;

/// Between two batches, where `rollout` says nothing.
const NO_PAUSE: Duration = Duration::from_secs(defaults::ROLLOUT_PAUSE);

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
    /// What could be made of it.
    pub meaning: Meaning,
    /// What there is to say, in the order of the texts.
    pub problems: Vec<Diagnostic>,
}

/// What could be made of a manifest.
#[derive(Debug)]
pub enum Meaning {
    /// The whole murder: none of the problems is an error.
    Whole(Murder),
    /// The murder without the values that are wrong: each error is of one value alone.
    WithoutFaults(Murder),
    /// Every host that could be read at all. It may lack roles and anything that a problem is about.
    Hosts(Vec<Host>),
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
        without_role: Vec::new(),
    };
    let murder = resolver.murder();
    let mut problems = resolver.problems;
    problems.sort_by_key(|problem| problem.at.as_ref().map(|(span, _)| *span));
    let meaning = match diagnostic::widest(&problems) {
        None => Meaning::Whole(murder),
        Some(Scope::Value) => Meaning::WithoutFaults(murder),
        Some(_) => {
            let mut hosts = resolver.without_role;
            hosts.extend(murder.hosts.into_values());
            Meaning::Hosts(hosts)
        }
    };
    Resolved { meaning, problems }
}

struct Resolver<'a> {
    root: &'a Node,
    context: &'a Context<'a>,
    parameters: Parameters<'a>,
    secrets: BTreeMap<SecretName, (SecretSource, Span)>,
    problems: Vec<Diagnostic>,
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
        self.lmtp_once();
        let servers = self.servers();
        let postuser = self
            .root
            .get("cyrus")
            .and_then(|cyrus| cyrus.get("postuser")?.text())
            .unwrap_or(defaults::POSTUSER)
            .to_owned();
        let delimiter = self
            .root
            .get("recipient_delimiter")
            .and_then(Node::text)
            .unwrap_or(defaults::RECIPIENT_DELIMITER)
            .to_owned();
        let smart_host = self.smart_host(&hosts, &external);
        let shared_folders = self.shared_folders(&hosts, &servers, &domains, &postuser, &delimiter);
        let probes = probes(self.root.get("probe"));
        self.probe_addresses(&postuser, &delimiter, &domains);
        self.host_rules(&hosts, &external, &domains);
        self.server_rules(&servers, &hosts);
        let asks = ldap.is_some() || hosts.built.values().any(|host| host.ldap.is_some());
        let verifies_in_plan = self.verifies_in_plan(asks);
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
            servers,
            smart_host,
            external,
            recipient_delimiter: delimiter,
            shared_folders,
            rollout: self.rollout(hosts.built.values()),
            keep: self.keep(),
            verifies_in_plan,
            probes,
            hosts: hosts.built,
            policies: self.policies(),
            secrets: std::mem::take(&mut self.secrets),
        }
    }

    fn policies(&mut self) -> Vec<Policy> {
        let node = self.root.get("policies");
        let read =
            node.map(|node| policy::read(node, "the manifest's `policies`", &mut self.problems));
        read.into_iter().collect()
    }

    fn topology(&mut self) -> Topology {
        let node = self.root.get("topology");
        let (topology, fault) = match node.and_then(Node::text).unwrap_or(defaults::TOPOLOGY) {
            "unified" => (
                Topology::Unified,
                "`mupdate_config: unified` is broken in Cyrus 3.6 and 3.10: a few seconds after a mailbox is created, the mupdate slave of its own server overwrites the record without its unique ID, and LMTP answers 451",
            ),
            "replicated" => (
                Topology::Replicated,
                "`mupdate_config: replicated` is broken in Cyrus 3.6 and 3.10: the partition's name is taken for the server's, so that LMTP answers 451 on every server within seconds",
            ),
            _ => return Topology::Discrete,
        };
        if let Some(node) = node {
            self.say(
                Diagnostic::error("only the discrete topology works with Cyrus")
                    .at(node.span, "refused")
                    .detail(fault)
                    .hint(
                        "write `topology: discrete`, or leave the key out: frontends, backends and the mupdate master are servers of their own. For both roles on one host, run two Cyrus instances there, and describe the backend's",
                    ),
            );
        }
        topology
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
                None => problem.hint(format!(
                    "to define this role yourself, add `modules/{role}/module.yaml`"
                )),
            };
            self.say(problem);
        }
        known
    }

    /// How the hosts of each role are taken in turn: what `rollout` says of the role, with its `max_deferred` for all roles
    /// where the role has none of its own.
    fn rollout<'h>(&self, hosts: impl Iterator<Item = &'h Host>) -> BTreeMap<RoleName, Rollout> {
        let section = self.root.get("rollout");
        let of_all = section.and_then(|node| small_number(node, "max_deferred"));
        let entries = section.map_or(&[][..], Node::entries).iter();
        let said = entries.filter_map(|entry| {
            let pause = entry.value.get("pause").and_then(|node| node.text());
            let rollout = Rollout {
                serial: small_number(&entry.value, "serial"),
                pause: pause.and_then(duration).unwrap_or(NO_PAUSE),
                canary: small_number(&entry.value, "canary"),
                max_deferred: small_number(&entry.value, "max_deferred").or(of_all),
            };
            Some((RoleName::new(entry.key.as_str()).ok()?, rollout))
        });
        let mut rollouts: BTreeMap<_, _> = said.collect();
        if of_all.is_some() {
            for role in hosts.flat_map(|host| &host.roles) {
                rollouts.entry(role.clone()).or_insert(Rollout {
                    pause: NO_PAUSE,
                    max_deferred: of_all,
                    ..Rollout::default()
                });
            }
        }
        rollouts
    }

    /// Whether plans are judged by the directory, which needs servers to ask: `asks` says whether there are any.
    fn verifies_in_plan(&mut self, asks: bool) -> bool {
        let node = self.root.get("verify").and_then(|node| node.get("in_plan"));
        let Some(node) = node.filter(|node| switch(node) == Some(true)) else {
            return defaults::VERIFY_IN_PLAN;
        };
        if !asks {
            self.say(
                Diagnostic::error(
                    "`verify.in_plan` needs LDAP servers, and the manifest has no `ldap`",
                )
                .at(node.span, "asks the directory at each plan")
                .hint("add `ldap`, or give an export to each plan: `murder plan --ldif FILE`"),
            );
        }
        true
    }

    fn keep(&self) -> u32 {
        let node = self.root.get("history").and_then(|node| node.get("keep"));
        let number = node.and_then(Node::text).and_then(integer);
        number
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(defaults::HISTORY_KEEP)
    }
}

/// A number of a map that the grammar has judged.
fn small_number(map: &Node, key: &str) -> Option<u32> {
    let number = integer(map.get(key)?.text()?)?;
    u32::try_from(number).ok()
}
