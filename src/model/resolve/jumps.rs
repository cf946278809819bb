//! Jump hosts that are hosts of the murder: none may lead back to the host that is reached by it.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::model::Host;
use crate::model::resolve::Resolver;
use crate::model::resolve::hosts::Hosts;
use crate::name::HostName;

/// The names of a host's jump hosts: `[user@]host[:port]`, with commas between them (ssh(1), `-J`).
fn jumps(host: &Host) -> impl Iterator<Item = HostName> {
    let list = host.ssh.jump.as_deref().unwrap_or_default();
    list.split(',').filter_map(|jump| {
        let bare = jump.rsplit_once('@').map_or(jump, |(_, bare)| bare).trim();
        let name = bare.split_once(':').map_or(bare, |(name, _)| name);
        HostName::new(name).ok()
    })
}

impl<'a> Resolver<'a> {
    /// Refuses jump hosts in a circle: the first host would be reached by itself.
    pub(super) fn jump_circles(&mut self, hosts: &Hosts<'a>) {
        let mut done: BTreeSet<&HostName> = BTreeSet::new();
        for host in hosts.built.values() {
            let Some(circle) = circle(host, hosts) else {
                continue;
            };
            // A circle is one mistake, whichever of its hosts comes first.
            if circle.iter().any(|host| done.contains(&host.name)) {
                continue;
            }
            done.extend(circle.iter().map(|host| &host.name));
            let at = |host: &Host| {
                let jump = hosts
                    .said(&host.name, "ssh")
                    .and_then(|ssh| ssh.get("jump"));
                jump.map_or(host.at, |node| node.span)
            };
            let said = match &circle[..] {
                [own] => Diagnostic::error(format!("`{}` is its own jump host", own.name)),
                _ => {
                    let mut names: Vec<String> = circle
                        .iter()
                        .map(|host| format!("`{}`", host.name))
                        .collect();
                    names.push(format!("`{}`", host.name));
                    Diagnostic::error(format!("jump hosts in a circle: {}", names.join(" by ")))
                }
            };
            let mut said = said.at(at(host), "").hint(
                "set `jump: none` under `ssh` on the jump host, or set `jump` only on the hosts and sites that are reached by it",
            );
            for other in circle.iter().skip(1) {
                said = said.related(at(other), format!("jump host of `{}`", other.name));
            }
            self.say(said);
        }
    }
}

/// The hosts on the way from a host by its jump hosts back to itself; none if there is no such way.
fn circle<'h>(start: &'h Host, hosts: &'h Hosts<'_>) -> Option<Vec<&'h Host>> {
    let mut seen: BTreeSet<&HostName> = BTreeSet::new();
    let mut ways: Vec<Vec<&Host>> = vec![vec![start]];
    while let Some(way) = ways.pop() {
        for name in jumps(way.last()?) {
            let Some(next) = hosts.built.get(&name) else {
                continue;
            };
            if next.name == start.name {
                return Some(way);
            }
            if seen.insert(&next.name) {
                let mut longer = way.clone();
                longer.push(next);
                ways.push(longer);
            }
        }
    }
    None
}
