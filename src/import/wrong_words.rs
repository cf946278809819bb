//! Finds the words of a manifest that an error is about, by the place of the error in its text.

use super::draft::{Draft, HostDraft};
use super::word::{WordKey, Words};
use crate::diagnostic::Diagnostic;

/// A word that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The key of its host. None for a key at the top.
    pub host: Option<String>,
    /// The key at the top, or the section of the host (`settings`).
    pub key: String,
    /// The keys below it.
    pub below: Vec<String>,
    /// What is wrong.
    pub why: String,
}

/// The words that errors are about. `texts` have each key on a line of its own.
#[must_use]
pub fn places(texts: &[&str], problems: &[Diagnostic]) -> Vec<Wrong> {
    let mut found: Vec<Wrong> = Vec::new();
    for problem in problems {
        let Some((span, _)) = &problem.at else {
            continue;
        };
        // Sources are numbered in the order of the texts.
        let source = texts
            .iter()
            .enumerate()
            .find(|(number, _)| u32::try_from(*number).is_ok_and(|number| number == span.source.0));
        let Some(path) = source.and_then(|(_, text)| path(text, span.start as usize)) else {
            continue;
        };
        let mut path = path.into_iter();
        let Some(first) = path.next() else {
            continue;
        };
        let (host, key) = match first.as_str() {
            "hosts" => match (path.next(), path.next()) {
                (Some(host), Some(section)) => (Some(host), section),
                _ => continue,
            },
            _ => (None, first),
        };
        let wrong = Wrong {
            host,
            key,
            below: path.collect(),
            why: problem.summary.clone(),
        };
        if !found.contains(&wrong) {
            found.push(wrong);
        }
    }
    found
}

/// The keys that lead to a place of a text.
fn path(text: &str, offset: usize) -> Option<Vec<String>> {
    let before = text.get(..offset)?;
    let line_number = before.matches('\n').count();
    let lines: Vec<&str> = text.lines().collect();
    let mut depth = usize::MAX;
    let mut keys = Vec::new();
    for line in lines.get(..=line_number)?.iter().rev() {
        let indent = line.len() - line.trim_start().len();
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') || indent >= depth {
            continue;
        }
        if let Some(item) = content.strip_prefix("- ") {
            keys.push(unquoted(item));
        } else {
            keys.push(unquoted(key_of(content)));
        }
        depth = indent;
    }
    keys.reverse();
    Some(keys)
}

fn key_of(content: &str) -> &str {
    if content.starts_with('"')
        && let Some(end) = content[1..].find('"')
    {
        return &content[..end + 2];
    }
    let end = content.find(": ").or_else(|| content.rfind(':'));
    end.map_or(content, |end| &content[..end])
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text).to_owned()
}

/// The word of a host that is wrong.
#[must_use]
pub fn word(words: &Words, wrong: &Wrong) -> Option<WordKey> {
    let first = wrong.below.first()?;
    let is_it = |key: &&WordKey| match (wrong.key.as_str(), key) {
        ("vars", WordKey::Variable(name)) | ("settings", WordKey::Setting(name)) => name == first,
        ("files", WordKey::File(path)) => path == first,
        ("leave", WordKey::Leave(thing)) => thing == first,
        ("services", WordKey::Column(service, column)) => {
            service == first && wrong.below.get(1).is_none_or(|key| key == column)
        }
        ("services", WordKey::Option(service, name)) => {
            service == first && wrong.below.get(2).is_none_or(|key| key == name)
        }
        _ => false,
    };
    words.keys().find(is_it).cloned()
}

/// Takes a key at the top out of a manifest. True if it was there.
pub fn drop_key(draft: &mut Draft, key: &str) -> bool {
    match key {
        "ldap" => {
            draft.sites.clear();
            for host in draft.hosts.values_mut() {
                host.site = None;
            }
            draft.ldap.take().is_some()
        }
        "sites" => {
            for host in draft.hosts.values_mut() {
                host.site = None;
            }
            let had = !draft.sites.is_empty();
            draft.sites.clear();
            had
        }
        "cyrus" => {
            let had = draft.postuser.is_some() || draft.lmtp.is_some() || !draft.servers.is_empty();
            draft.postuser = None;
            draft.lmtp = None;
            draft.servers.clear();
            had
        }
        "shared_folders" => {
            let had = !draft.shared_folders.is_empty();
            draft.shared_folders.clear();
            had
        }
        "smart_host" | "external" => {
            draft.external.clear();
            draft.smart_host.take().is_some()
        }
        "recipient_delimiter" => draft.recipient_delimiter.take().is_some(),
        "domains" if draft.domains.len() > 1 => draft.domains.pop().is_some(),
        _ => false,
    }
}

/// Takes a key of a host that is no layer's word out of a manifest. True if it was there.
pub fn drop_host_key(host: &mut HostDraft, key: &str) -> bool {
    match key {
        "mailhost" => host.mailhost.take().is_some(),
        "lmtp" => host.lmtp.take().is_some(),
        "site" => host.site.take().is_some(),
        _ => false,
    }
}
