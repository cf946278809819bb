//! Cyrus: where it takes LMTP, and its servers that have no Postfix.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::lmtp::LmtpDestination;
use crate::manifest::{MapEntry, Node, range};
use crate::model::resolve::Resolver;
use crate::model::resolve::hosts::Hosts;
use crate::model::{CyrusServer, HostState, MAILBOXES};
use crate::name::HostName;

/// What a layer says of LMTP, under either name of the key.
fn lmtp_entry(node: &Node) -> Option<&MapEntry> {
    node.entry("lmtp").or_else(|| node.entry("lmtp_socket"))
}

impl<'a> Resolver<'a> {
    /// Where Cyrus takes LMTP for a host with these layers, the nearest first; none where no layer says it.
    pub(super) fn lmtp(&self, layers: &[&Node]) -> Option<LmtpDestination> {
        layers
            .iter()
            .copied()
            .chain(self.root.get("cyrus"))
            .find_map(lmtp_entry)
            .and_then(|entry| entry.value.text()?.parse().ok())
    }

    /// Refuses a layer that has both names of the key.
    pub(super) fn lmtp_once(&mut self) {
        let sections = ["sites", "hosts"].into_iter();
        let layers = sections
            .filter_map(|key| self.root.get(key))
            .flat_map(|section| section.entries().iter().map(|entry| &entry.value))
            .chain(self.root.get("defaults"))
            .chain(self.root.get("cyrus"));
        let both: Vec<(Span, Span)> = layers
            .filter_map(|layer| Some((layer.entry("lmtp")?.at, layer.entry("lmtp_socket")?.at)))
            .collect();
        for (at, other) in both {
            self.say(
                Diagnostic::error("`lmtp` and `lmtp_socket` are two names of one key")
                    .at(other, "again")
                    .related(at, "first here")
                    .hint("keep `lmtp`"),
            );
        }
    }

    /// The Cyrus servers that have no Postfix.
    pub(super) fn servers(&mut self) -> Vec<CyrusServer> {
        let listed = self.root.get("cyrus").and_then(|node| node.get("servers"));
        let mut servers: Vec<CyrusServer> = Vec::new();
        let mut seen: BTreeMap<HostName, Span> = BTreeMap::new();
        let mut room = range::MOST_HOSTS;
        for entry in listed.map_or(&[][..], Node::entries) {
            // A name that is none has been refused by the grammar.
            let count = range::count(&entry.key).unwrap_or_default();
            if count > room {
                self.say(
                    Diagnostic::error(format!(
                        "`cyrus.servers` names more than {} servers",
                        range::MOST_HOSTS
                    ))
                    .at(entry.at, "too many with this")
                    .hint("write a smaller range"),
                );
                break;
            }
            room -= count;
            for name in range::expand(&entry.key).unwrap_or_default() {
                if let Some(first) = seen.insert(name.clone(), entry.at) {
                    self.say(
                        Diagnostic::error(format!("the server `{name}` is named twice"))
                            .at(entry.at, "again")
                            .related(first, "first here")
                            .hint("keep one of the two"),
                    );
                    break;
                }
                servers.push(server(name, entry));
            }
        }
        servers
    }

    /// A server is no host, and its mailhost is no other's: mail for one mailbox has one way.
    pub(super) fn server_rules(&mut self, servers: &[CyrusServer], hosts: &Hosts<'a>) {
        let mut owners: BTreeMap<&HostName, (&HostName, Span)> = BTreeMap::new();
        for host in hosts.built.values() {
            if host.state != HostState::Retired
                && hosts.provides(host, MAILBOXES, self.context.roles)
            {
                owners.insert(&host.mailhost, (&host.name, host.at));
            }
        }
        let mut told: Option<Span> = None;
        for server in servers {
            let mut problem = None;
            if let Some(first) = hosts.named.get(&server.name) {
                problem = Some(
                    Diagnostic::error(format!(
                        "`{}` is a Cyrus server without Postfix, and a host of this murder",
                        server.name
                    ))
                    .at(server.at, "in `cyrus.servers`")
                    .related(*first, "managed as a host")
                    .hint("remove it from `cyrus.servers` if `murder` manages its Postfix"),
                );
            } else if let Some((first, at)) =
                owners.insert(&server.mailhost, (&server.name, server.at))
            {
                problem = Some(
                    Diagnostic::error(format!(
                        "two servers have the mailhost `{}`",
                        server.mailhost
                    ))
                    .detail(format!(
                        "mail for `{}` would reach `{first}` or `{}` at random",
                        server.mailhost, server.name
                    ))
                    .at(server.at, "again")
                    .related(at, "first here")
                    .hint(
                        "write imapd.conf's `servername` of each server; the default is its name",
                    ),
                );
            }
            // A range with one mailhost is one mistake.
            if let Some(problem) = problem.filter(|_| told != Some(server.at)) {
                told = Some(server.at);
                self.say(problem);
            }
        }
    }
}

fn server(name: HostName, entry: &MapEntry) -> CyrusServer {
    let text = |key: &str| entry.value.get(key).and_then(Node::text);
    CyrusServer {
        mailhost: text("mailhost")
            .and_then(|text| HostName::new(text).ok())
            .unwrap_or_else(|| name.clone()),
        lmtp: text("lmtp")
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| LmtpDestination::default_port(name.clone())),
        name,
        at: entry.at,
    }
}
