//! What must hold between the parts of a manifest.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Kind, Node};
use crate::model::resolve::Resolver;
use crate::model::resolve::hints::provider_hint;
use crate::model::resolve::hosts::Hosts;
use crate::model::role::MAILBOXES;
use crate::model::{CyrusServer, Domain, Host, HostState};
use crate::name::{HostName, RoleName};
use crate::nearest;

impl<'a> Resolver<'a> {
    /// Rules over all hosts.
    pub(super) fn host_rules(
        &mut self,
        hosts: &Hosts<'a>,
        external: &[HostName],
        domains: &[Domain],
    ) {
        self.external_hosts(hosts, external);
        self.hosts_and_domains(hosts, domains);
        self.one_at_most(hosts);
        self.mailhosts(hosts);
        self.ways_in_service(hosts);
        self.hosts_of_one_machine(hosts);
        self.jump_circles(hosts);
    }

    fn external_hosts(&mut self, hosts: &Hosts<'a>, external: &[HostName]) {
        let nodes = self.root.get("external").map_or(&[][..], Node::list);
        for node in nodes {
            if let Some(name) = node.text().and_then(|text| HostName::new(text).ok())
                && external.contains(&name)
                && let Some(first) = hosts.named.get(&name)
            {
                self.say(
                    Diagnostic::error(format!("`{name}` is external, and a host of this murder"))
                        .at(node.span, "listed as external")
                        .related(*first, "managed as a host")
                        .hint("remove it from `external`"),
                );
            }
        }
    }

    /// A host takes mail for its own name as local (`mydestination = $myhostname`, postconf(5)): were that a mail
    /// domain, none of its addresses would be looked up in the directory there.
    fn hosts_and_domains(&mut self, hosts: &Hosts<'a>, domains: &[Domain]) {
        for domain in domains {
            if let Some(host) = hosts.built.get(&domain.name) {
                self.say(
                    Diagnostic::error(format!(
                        "`{}` is both a mail domain and a host",
                        domain.name
                    ))
                    .at(
                        host.at,
                        "the host would deliver the domain's mail as local mail",
                    )
                    .hint("give the host a name of its own, such as the one in its MX record"),
                );
            }
        }
    }

    /// Roles that a murder has one host with at most.
    fn one_at_most(&mut self, hosts: &Hosts<'a>) {
        let mut holders: BTreeMap<&RoleName, &Host> = BTreeMap::new();
        for host in hosts
            .built
            .values()
            .filter(|host| host.state != HostState::Retired)
        {
            for role in &host.roles {
                if !self
                    .context
                    .roles
                    .get(role)
                    .is_some_and(|role| role.at_most_one)
                {
                    continue;
                }
                if let Some(first) = holders.get(role) {
                    self.say(
                        Diagnostic::error(format!(
                            "only one host can have the role `{role}`"
                        ))
                        .at(host.at, format!("`{}` has it", host.name))
                        .related(first.at, format!("`{}` has it", first.name))
                        .hint(format!(
                            "take the role from one of them, or write `state: retired` for `{}` or `{}`",
                            first.name, host.name
                        )),
                    );
                } else {
                    holders.insert(role, host);
                }
            }
        }
    }

    /// The LDAP mailHost value must lead to one host.
    fn mailhosts(&mut self, hosts: &Hosts<'a>) {
        let mut owners: HashMap<&HostName, &Host> = HashMap::new();
        let mut told: Option<Span> = None;
        for host in hosts.built.values() {
            // One that goes leaves its mailhost to the host that replaces it.
            if host.state == HostState::Retired
                || !hosts.provides(host, MAILBOXES, self.context.roles)
            {
                continue;
            }
            let Some(first) = owners.insert(&host.mailhost, host) else {
                continue;
            };
            let place = |host: &Host| {
                hosts
                    .said(&host.name, "mailhost")
                    .map_or(host.at, |node| node.span)
            };
            let (at, before) = (place(host), place(first));
            // A range with one mailhost is one mistake, not four hundred.
            if told == Some(at) {
                continue;
            }
            told = Some(at);
            let mut problem =
                Diagnostic::error(format!("two hosts have the mailhost `{}`", host.mailhost))
                    .detail(format!(
                        "mail for `{}` would reach `{}` or `{}` at random",
                        host.mailhost, first.name, host.name
                    ));
            problem = if at == before {
                problem
                    .at(at, "every host of this range gets it")
                    .hint("remove it if it is each host's own name, or write the hosts one by one")
            } else {
                problem.at(at, "again").related(before, "first here").hint(
                    "write imapd.conf's `servername` of each host; the default is the host's name",
                )
            };
            self.say(problem);
        }
    }

    /// Mail is routed to hosts that are in service only: not to one that goes, and not yet to one
    /// that comes. A murder that goes as a whole routes nothing any more.
    fn ways_in_service(&mut self, hosts: &Hosts<'a>) {
        if !hosts.any_living() {
            return;
        }
        let mut ways: Vec<(&Node, &str)> = Vec::new();
        ways.extend(
            self.root
                .get("smart_host")
                .map(|node| (node, "is the smart host")),
        );
        let folders = self.root.get("shared_folders").map_or(&[][..], Node::list);
        ways.extend(
            folders
                .iter()
                .filter_map(|folder| folder.get("backend"))
                .map(|node| (node, "is where a shared folder is")),
        );
        for (node, why) in ways {
            let host = node
                .text()
                .and_then(|name| HostName::new(name).ok())
                .and_then(|name| hosts.built.get(&name));
            let Some(host) = host else { continue };
            let at = hosts.state_place(host);
            match host.state {
                HostState::Retired => self.say(
                    Diagnostic::error(format!(
                        "`{}` is retired, and mail is still routed to it",
                        host.name
                    ))
                    .at(at, "cannot be retired yet")
                    .related(node.span, why)
                    .hint("route the mail elsewhere first, or write `state: draining`"),
                ),
                HostState::Joining => self.say(joining(host, at).related(node.span, why)),
                HostState::Active | HostState::Draining => {}
            }
        }
    }

    /// A shared folder lives on a host that holds mailboxes.
    pub(super) fn mailbox_host(&mut self, node: &Node, hosts: &Hosts<'a>, servers: &[CyrusServer]) {
        let Some(name) = node.text().and_then(|text| HostName::new(text).ok()) else {
            return;
        };
        if servers.iter().any(|server| server.name == name) {
            return;
        }
        let Some(host) = hosts.built.get(&name) else {
            if !hosts.named.contains_key(&name) {
                let servers = servers.iter().map(|server| server.name.as_str());
                let names = hosts.named.keys().map(HostName::as_str).chain(servers);
                let problem = Diagnostic::error(format!("`{name}` is not a host of this murder"))
                    .at(node.span, "not in `hosts`");
                self.say(match nearest::nearest(name.as_str(), names) {
                    Some(near) => problem.hint(format!("did you mean `{near}`?")),
                    None => {
                        problem.hint("name one of `hosts` that holds mailboxes, or add it there")
                    }
                });
            }
            return;
        };
        if !hosts.provides(host, MAILBOXES, self.context.roles) {
            self.say(
                Diagnostic::error(format!("`{name}` holds no mailboxes"))
                    .at(node.span, "a shared folder cannot be there")
                    .related(host.at, "has no role that holds mailboxes")
                    .hint(provider_hint(self.context.roles, MAILBOXES)),
            );
        }
    }

    /// An address that must be in one of our domains.
    pub(super) fn own_address(&mut self, node: &Node, domains: &[Domain]) {
        let Some((_, domain)) = parts(node) else {
            return;
        };
        if domains.is_empty() || domains.iter().any(|known| known.name == domain) {
            return;
        }
        let problem = Diagnostic::error(format!("`{domain}` is not a domain of this murder"))
            .at(node.span, "no mail for it arrives here");
        let known = domains.iter().map(|domain| domain.name.as_str());
        self.say(match nearest::hint(domain.as_str(), known) {
            Some(hint) => problem.hint(hint),
            None => problem.hint("add the domain under `domains`"),
        });
    }

    /// A shared folder's address is in a domain that holds addresses: its backend knows no other.
    pub(super) fn address_of_no_alias(&mut self, node: &Node, domains: &[Domain]) {
        let Some((local, domain)) = parts(node) else {
            return;
        };
        let alias = domains.iter().find(|known| known.name == domain);
        if let Some(target) = alias.and_then(|alias| alias.alias_of.as_ref()) {
            self.say(
                Diagnostic::error(format!("`{domain}` is an alias of `{target}`"))
                    .at(node.span, "no backend takes mail for it")
                    .hint(format!("write `{local}@{target}`")),
            );
        }
    }

    /// Postfix rewrites a shared folder's address to `postuser+folder@…`; were `postuser` an
    /// address itself, it would rewrite its own result for ever, and answer 451.
    pub(super) fn postuser_collision(&mut self, node: &Node, postuser: &str, delimiter: &str) {
        let Some((local, _)) = node.text().and_then(|text| text.rsplit_once('@')) else {
            return;
        };
        let user = local.split(delimiter).next().unwrap_or(local);
        if !user.eq_ignore_ascii_case(postuser) {
            return;
        }
        let mut problem = Diagnostic::error(format!(
            "the local part of `{}` is the postuser of Cyrus",
            node.text().unwrap_or_default()
        ))
        .at(node.span, "Postfix would rewrite it to itself, and defer the mail forever")
        .hint("choose a `postuser` in imapd.conf that is not the local part of any address, and set `cyrus.postuser` to it");
        if let Some(postuser) = self
            .root
            .get("cyrus")
            .and_then(|cyrus| cyrus.get("postuser"))
        {
            problem = problem.related(postuser.span, "the postuser");
        }
        self.say(problem);
    }

    /// What probes ask for must be possible.
    pub(super) fn probe_addresses(&mut self, postuser: &str, delimiter: &str, domains: &[Domain]) {
        let sections = ["sites", "hosts"]
            .into_iter()
            .filter_map(|key| self.root.get(key));
        let layers = sections
            .flat_map(|section| section.entries().iter().map(|entry| &entry.value))
            .chain(self.root.get("defaults"))
            .chain([self.root]);
        let probes: Vec<&Node> = layers.filter_map(|layer| layer.get("probe")).collect();
        for probe in probes {
            let accept = probe.get("accept").map_or(&[][..], Node::list);
            for address in accept {
                self.own_address(address, domains);
                self.postuser_collision(address, postuser, delimiter);
            }
            for address in probe.get("refuse").map_or(&[][..], Node::list) {
                if let Kind::Scalar { text, .. } = &address.kind
                    && let Some(accepted) = accept.iter().find(|node| node.text() == Some(text))
                {
                    self.say(
                        Diagnostic::error(format!("`{text}` is in both `accept` and `refuse`"))
                            .at(address.span, "in `refuse`")
                            .related(accepted.span, "in `accept`")
                            .hint("remove it from one of the two"),
                    );
                }
            }
        }
    }
}

/// An address as its local part and its domain.
fn parts(address: &Node) -> Option<(&str, HostName)> {
    let (local, domain) = address.text()?.rsplit_once('@')?;
    Some((local, HostName::new(domain).ok()?))
}

/// Nothing routes to a joining host.
pub(super) fn joining(host: &Host, at: Span) -> Diagnostic {
    Diagnostic::error(format!(
        "`{}` is joining, but mail is already routed to it",
        host.name
    ))
    .at(at, "a joining host takes no mail yet")
    .hint("apply once with mail routed elsewhere, then write `state: active`")
}
