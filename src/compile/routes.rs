//! The ways that hosts have for mail, as their values and tables spell them out: none may lead to
//! a host that goes.

use std::collections::BTreeSet;

use super::work::Work;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Host, HostState, Murder};
use crate::name::HostName;
use crate::state::Want;
use crate::thing::Thing;

/// The parameters whose value is a next hop without a transport before it (postconf(5)).
const BARE: [&str; 4] = [
    "relayhost",
    "smtp_fallback_relay",
    "lmtp_fallback_relay",
    "fallback_relay",
];

/// A host that goes, and what it is called where mail is routed.
#[derive(Debug)]
pub(super) struct Leaving {
    name: HostName,
    names: BTreeSet<String>,
    at: Span,
}

/// The retired hosts of a murder. A mailhost that a living host took over is that one's.
pub(super) fn leaving(murder: &Murder) -> Vec<Leaving> {
    let (gone, living): (Vec<&Host>, Vec<&Host>) = murder
        .hosts
        .values()
        .partition(|host| host.state == HostState::Retired);
    let taken: BTreeSet<&HostName> = living
        .iter()
        .flat_map(|host| [&host.name, &host.mailhost])
        .collect();
    gone.into_iter()
        .map(|host| Leaving {
            name: host.name.clone(),
            names: [&host.name, &host.mailhost]
                .into_iter()
                .filter(|name| !taken.contains(name))
                .map(ToString::to_string)
                .collect(),
            at: host.at,
        })
        .collect()
}

impl Work<'_> {
    /// Refuses what still leads to a host that goes.
    pub(super) fn ways_to_leaving(&mut self, leaving: &[Leaving]) {
        if leaving.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for (thing, text) in self.texts() {
            let hops = next_hops(&thing, &text);
            for gone in leaving {
                if hops.iter().any(|hop| gone.names.contains(host_of(hop))) {
                    found.push((thing.clone(), gone));
                }
            }
        }
        for (thing, gone) in found {
            let at = self.word_on(&thing);
            self.problems.push(
                Diagnostic::error(format!(
                    "`{}` is retired, and `{thing}` still routes mail to it",
                    gone.name
                ))
                .at(at, "leads there")
                .related(gone.at, "is retired")
                .hint("route the mail elsewhere first, or write `state: draining`"),
            );
        }
    }

    /// Every value and every file's text of the host, without the secrets.
    pub(super) fn texts(&self) -> Vec<(Thing, String)> {
        let desired = self.compiled.wanted();
        let values = desired
            .values
            .iter()
            .filter_map(|(thing, want)| match want {
                Want::Present(text) => Some((thing.clone(), text.clone())),
                Want::Absent => None,
            });
        let files = desired.files.keys().cloned().map(Thing::File);
        let files = files.filter_map(|file| Some((file.clone(), self.text_of_file(&file)?)));
        values.chain(files).collect()
    }

    pub(super) fn text_of_file(&self, file: &Thing) -> Option<String> {
        let Thing::File(path) = file else { return None };
        let Want::Present(file) = self.compiled.wanted().files.get(path)? else {
            return None;
        };
        Some(file.body.masked())
    }

    /// Where the manifest decided on a thing: its own word, or that of a variable behind a module's.
    pub(super) fn word_on(&self, thing: &Thing) -> Span {
        let origin = self
            .compiled
            .origins
            .get(thing)
            .and_then(|origins| origins.first());
        match origin {
            Some(origin) if !matches!(origin.level, crate::model::Level::Module(_)) => origin.at,
            Some(_) => self
                .roles
                .iter()
                .flat_map(|role| super::variable::behind(role.module, thing, self.host))
                .map(|word| word.at)
                .next()
                .unwrap_or(self.host.at),
            None => self.host.at,
        }
    }
}

/// The next hops in a text, as they are there: `[host]:25`, `host:25`, or `host`.
pub(super) fn next_hops<'t>(thing: &Thing, text: &'t str) -> BTreeSet<&'t str> {
    let bare = matches!(thing, Thing::Parameter(name) | Thing::Option(_, name)
        if BARE.contains(&name.as_str()));
    let comment = |line: &&str| !line.trim_start().starts_with('#');
    text.lines()
        .filter(comment)
        .flat_map(|line| line.split(|c: char| c.is_whitespace() || ",{}()\"'".contains(c)))
        .filter(|word| !word.is_empty())
        .filter_map(|word| match word.split_once(':') {
            _ if word.starts_with('[') || bare => Some(word),
            // `transport:nexthop` of transport(5), and no URI or table.
            Some((transport, hop))
                if !hop.is_empty()
                    && !hop.starts_with('/')
                    && transport
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') =>
            {
                Some(hop)
            }
            _ => None,
        })
        .collect()
}

/// The host of a next hop, without brackets and port.
pub(super) fn host_of(hop: &str) -> &str {
    match hop.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => hop.split(':').next().unwrap_or(hop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hops(thing: &str, text: &str) -> Vec<String> {
        let Ok(thing) = thing.parse::<Thing>() else {
            return Vec::new();
        };
        next_hops(&thing, text)
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn next_hops_are_found_in_values_and_tables() {
        assert_eq!(hops("relayhost", "[a.b]:25, c.d"), ["[a.b]:25", "c.d"]);
        assert_eq!(hops("local_transport", "relay:[a.b]:25"), ["[a.b]:25"]);
        assert_eq!(
            hops(
                "/etc/postfix/transport",
                "# x smtp:[no]\nx.y relay:a.b:26\n"
            ),
            ["a.b:26"]
        );
        assert_eq!(
            hops("transport_maps", "hash:/etc/postfix/transport"),
            [""; 0]
        );
        assert_eq!(hops("smtpd_banner", "$myhostname of a.b"), [""; 0]);
    }

    #[test]
    fn a_hop_has_its_host() {
        assert_eq!(host_of("[a.b]:25"), "a.b");
        assert_eq!(host_of("a.b:25"), "a.b");
        assert_eq!(host_of("a.b"), "a.b");
    }
}
