//! The changed lines that may cause a change: whom each concerns, and its words.

use std::collections::BTreeSet;

use super::Side;
use super::lines::ChangedLine;
use crate::manifest::range;
use crate::model::Host;
use crate::name::HostName;

/// Keys that say how hosts are reached and changed, and nothing of what they must have.
const OF_THE_RUN: [&str; 5] = ["ssh", "rollout", "history", "policies", "requires"];

/// Keys of a layer that set a thing or a variable by name.
const BY_NAME: [&str; 5] = ["settings", "services", "files", "leave", "vars"];

/// A changed line with what is asked of it.
pub(super) struct Candidate {
    pub(super) line: ChangedLine,
    /// The hosts of its key below `hosts`.
    pub(super) hosts: BTreeSet<HostName>,
    /// All words that it and its keys have.
    pub(super) words: BTreeSet<String>,
}

impl Candidate {
    pub(super) fn of(line: ChangedLine) -> Self {
        let hosts = match line.path.as_slice() {
            [section, key, ..] if section == "hosts" => range::expand(key).unwrap_or_default(),
            _ => Vec::new(),
        };
        let texts = line.path.iter().chain([&line.text]);
        Self {
            words: texts.flat_map(|text| words(text)).collect(),
            hosts: hosts.into_iter().collect(),
            line,
        }
    }

    /// Whether it is in a part of the manifest that a host is made of.
    pub(super) fn concerns(&self, host: &Host) -> bool {
        let path: Vec<&str> = self.line.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["hosts", ..] => self.hosts.contains(&host.name),
            ["sites", site, ..] => host.site.as_ref().is_some_and(|own| own.as_str() == *site),
            ["modules", role, ..] => host.roles.iter().any(|own| own.as_str() == *role),
            _ => true,
        }
    }

    /// Whether more than one named thing can depend on it.
    pub(super) fn is_general(&self) -> bool {
        let mut path = self.line.path.iter();
        !path.any(|key| BY_NAME.contains(&key.as_str()) || OF_THE_RUN.contains(&key.as_str()))
    }
}

/// The hosts that come, go, or have other names and addresses: what tables say of them, with the line of the host.
pub(super) fn roster_changes(sides: &[Side<'_>; 2]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for (number, side) in sides.iter().enumerate() {
        let others = &sides[1 - number].murder.hosts;
        for host in side.murder.hosts.values() {
            if others.contains_key(&host.name) {
                continue;
            }
            let mut words: BTreeSet<String> = words(host.name.as_str()).collect();
            words.extend(self::words(host.mailhost.as_str()));
            words.extend(
                host.addresses
                    .iter()
                    .flat_map(|address| self::words(address)),
            );
            candidates.push(Candidate {
                line: ChangedLine {
                    path: vec!["hosts".to_owned(), host.name.to_string()],
                    text: String::new(),
                    at: host.at,
                    is_old: number == 0,
                },
                hosts: BTreeSet::from([host.name.clone()]),
                words,
            });
        }
    }
    candidates
}

/// The words of a text, such as names, addresses and domains, in lower case.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    // A regular expression has a domain as `example\.org`.
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '\\');
    let words = text.split(move |c| !is_word(c));
    words
        .map(|word| word.replace('\\', "").trim_matches('.').to_lowercase())
        .filter(|word| word.len() > 1)
}
