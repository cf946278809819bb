//! The form of an address apart from its letters and digits, and what else tells it from others of its form.

use std::collections::HashSet;

use regex::RegexSet;

use crate::mail::MailMurder;
use crate::mail::address::{internal, is_routed, quoted, split};
use crate::mail::table::TablePart;

/// Local parts that Postfix treats in a way of their own.
pub(super) const SPECIAL: [&str; 3] = ["postmaster", "mailer-daemon", "double-bounce"];

/// A length from which limits of Postfix may matter.
const LONG: usize = 250;

/// What the tables of all hosts that are not LDAP tables say about addresses.
#[derive(Debug)]
pub(super) struct FixedLooks {
    /// The keys of all tables in lower case.
    keys: HashSet<String>,
    /// The expressions of all tables; none if they do not fit into one set.
    patterns: Option<RegexSet>,
    /// The names of the hosts.
    hosts: HashSet<String>,
    /// The delimiters of extensions of all hosts.
    pub(super) delimiters: String,
}

impl FixedLooks {
    /// The tables of a murder.
    pub(super) fn of(murder: &MailMurder) -> Self {
        let mut keys: HashSet<String> = SPECIAL.iter().map(|name| (*name).to_owned()).collect();
        let (mut patterns, mut delimiters) = (Vec::new(), String::new());
        let mut kinds = HashSet::new();
        for host in &murder.hosts {
            // The expressions of hosts that differ in their names only tell no more addresses apart.
            let is_first = kinds.insert(host.anonymous.as_str());
            for table in &host.opened {
                table.parts(false, &mut |part| match part {
                    TablePart::Keys(own) => keys.extend(own.iter().map(|key| key.to_lowercase())),
                    TablePart::Patterns(_) if !is_first => {}
                    TablePart::Patterns(own) => {
                        patterns.extend(own.iter().map(|pattern| (*pattern).to_owned()));
                    }
                    TablePart::Ldap(_) => {}
                });
            }
            delimiters.extend(host.delimiters.chars().filter(|c| !c.is_whitespace()));
        }
        patterns.sort_unstable();
        patterns.dedup();
        Self {
            keys,
            patterns: RegexSet::new(patterns).ok(),
            hosts: murder
                .hosts
                .iter()
                .flat_map(|host| host.names.clone())
                .collect(),
            delimiters,
        }
    }

    /// Whether tables tell the address from others by its letters, so that it is in a class of its own.
    pub(super) fn is_own(&self, address: &str) -> bool {
        let (local, domain) = split(address);
        if is_routed(local) || domain.is_some_and(|name| self.hosts.contains(name)) {
            return true;
        }
        let bare = local
            .find(|c| self.delimiters.contains(c))
            .map_or(local, |at| &local[..at]);
        let is_key = |text: &str| self.keys.contains(text);
        self.patterns.is_none()
            || is_key(address)
            || is_key(local)
            || is_key(bare)
            || is_key(&format!("{local}@"))
            || domain.is_some_and(|domain| bare != local && is_key(&format!("{bare}@{domain}")))
    }

    /// Takes the form of an address, given in lower case.
    pub(super) fn form(&self, address: &str, take: &mut dyn FnMut(&[u8])) {
        let (local, domain) = split(address);
        let mut within = false;
        let mut buffer = [0; 4];
        for c in local.chars() {
            if c.is_ascii_alphanumeric() {
                if !within {
                    take(b"a");
                }
                within = true;
                continue;
            }
            within = false;
            let c = if c.is_ascii() { c } else { '\u{80}' };
            take(c.encode_utf8(&mut buffer).as_bytes());
        }
        take(b"@");
        take(domain.unwrap_or_default().as_bytes());
        if address.len() > LONG {
            take(&address.len().to_le_bytes());
        }
        if local.starts_with("owner-") || local.ends_with("-request") {
            take(b" list");
        }
        if let Some(patterns) = &self.patterns
            && !patterns.is_empty()
        {
            let command = format!("RCPT TO:<{}>", quoted(&internal(address)));
            for text in [address, command.as_str()] {
                for found in &patterns.matches(text) {
                    take(&found.to_le_bytes());
                }
                take(b";");
            }
        }
    }
}
