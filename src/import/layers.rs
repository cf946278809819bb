//! Puts what most hosts agree on into the widest layer: all hosts, the hosts of a role, or those of a site. The others keep a
//! word of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::assembly::Assembly;
use super::connection::most_common;
use super::seen::SeenHost;
use super::word::{Word, WordKey, Words};
use crate::name::{HostName, RoleName};

/// A layer that holds for several hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wide {
    All,
    Role(RoleName),
    Site(String),
}

/// Moves words of hosts to `defaults`, `modules.<role>` and the sites. Hosts that have no such word may need one afterwards, as
/// [`Assembly::settle`] finds them. True if there are such hosts.
pub fn hoist(assembly: &mut Assembly<'_>) -> bool {
    let mut by_role: BTreeMap<RoleName, Vec<HostName>> = BTreeMap::new();
    let mut by_site: BTreeMap<String, Vec<HostName>> = BTreeMap::new();
    for (name, host) in &assembly.draft.hosts {
        if let [role] = host.roles.as_slice() {
            by_role.entry(role.clone()).or_default().push(name.clone());
        }
        if let Some(site) = &host.site {
            by_site.entry(site.clone()).or_default().push(name.clone());
        }
    }
    let everyone: Vec<HostName> = assembly.draft.hosts.keys().cloned().collect();
    let mut layers = Vec::new();
    if everyone.len() > 2 && by_role.len() > 1 {
        layers.push((Wide::All, everyone));
    }
    let sites = by_site.into_iter();
    let sites = sites.map(|(site, hosts)| (Wide::Site(site), hosts));
    let roles = by_role.into_iter();
    layers.extend(roles.map(|(role, hosts)| (Wide::Role(role), hosts)));
    layers.extend(sites);
    let mut has_exceptions = false;
    for (wide, hosts) in layers {
        if hosts.len() < 2 {
            continue;
        }
        let (common, exceptions) = common(assembly, &hosts, &wide);
        has_exceptions |= exceptions;
        move_words(assembly, &hosts, common, &wide);
    }
    has_exceptions
}

/// Whether a layer may hold a word. What a variable means, and what is left alone, depends on the role.
fn may_hold(wide: &Wide, key: &WordKey) -> bool {
    match (wide, key) {
        (Wide::Role(_), _) => true,
        (_, WordKey::Variable(_) | WordKey::Leave(_)) => false,
        _ => true,
    }
}

/// The words that most of these hosts have, and whether some hosts have none at such a place.
fn common(assembly: &Assembly<'_>, hosts: &[HostName], wide: &Wide) -> (Words, bool) {
    let mut found = Words::new();
    let mut has_exceptions = false;
    let words: Vec<&Words> = hosts
        .iter()
        .filter_map(|host| assembly.draft.hosts.get(host))
        .map(|host| &host.words)
        .collect();
    let candidates: BTreeSet<&WordKey> = words.iter().flat_map(|words| words.keys()).collect();
    for key in candidates {
        if !may_hold(wide, key) {
            continue;
        }
        let own: Vec<&Word> = words.iter().filter_map(|words| words.get(key)).collect();
        // A host without a word there needs one that undoes it.
        let without = words.len() - own.len();
        let may_be_undone = matches!(key, WordKey::Setting(_) | WordKey::File(_));
        if without > 0 && !may_be_undone {
            continue;
        }
        let Some(value) = most_common(own.iter().map(|word| word.value.clone())) else {
            continue;
        };
        let count = own.iter().filter(|word| word.value == value).count();
        let is_most = match without {
            0 => count * 2 > words.len(),
            _ => count > 2 && count >= 2 * (words.len() - count),
        };
        if is_most {
            has_exceptions |= without > 0;
            let comment = None;
            found.insert(key.clone(), Word { value, comment });
        }
    }
    (found, has_exceptions)
}

fn move_words(assembly: &mut Assembly<'_>, hosts: &[HostName], common: Words, wide: &Wide) {
    for host in hosts {
        let Some(draft) = assembly.draft.hosts.get_mut(host) else {
            continue;
        };
        draft
            .words
            .retain(|key, word| common.get(key).is_none_or(|wide| wide.value != word.value));
    }
    let layer = match wide {
        Wide::Role(role) => assembly.draft.modules.entry(role.clone()).or_default(),
        Wide::All => &mut assembly.draft.defaults,
        Wide::Site(site) => match assembly.draft.sites.get_mut(site) {
            Some(site) => &mut site.words,
            None => return,
        },
    };
    for (key, word) in common {
        layer.insert(key, word);
    }
}

/// Says of each exception where on the host it is: of a value that a wider layer says in another way.
pub fn comment(assembly: &mut Assembly<'_>) {
    for host in assembly.hosts {
        let Some(draft) = assembly.draft.hosts.get(&host.name) else {
            continue;
        };
        let site = draft.site.as_ref();
        let site = site.and_then(|site| assembly.draft.sites.get(site));
        let roles = draft.roles.iter();
        let wider: Vec<&Words> = roles
            .filter_map(|role| assembly.draft.modules.get(role))
            .chain(site.map(|site| &site.words))
            .chain([&assembly.draft.defaults])
            .collect();
        let odd: Vec<(WordKey, String)> = draft
            .words
            .keys()
            .filter(|key| wider.iter().any(|words| words.contains_key(key)))
            .filter_map(|key| Some((key.clone(), place(host, key)?)))
            .collect();
        let Some(draft) = assembly.draft.hosts.get_mut(&host.name) else {
            continue;
        };
        for (key, place) in odd {
            if let Some(word) = draft.words.get_mut(&key) {
                word.comment = Some(place);
            }
        }
    }
}

/// The line of main.cf or of an entry of master.cf that a word comes from.
fn place(host: &SeenHost, key: &WordKey) -> Option<String> {
    let file = match key {
        WordKey::Setting(_) => "main.cf",
        WordKey::Column(..) | WordKey::Option(..) => "master.cf",
        WordKey::Variable(_) | WordKey::File(_) | WordKey::Leave(_) => return None,
    };
    let text = host.text(&format!("/etc/postfix/{file}"))?;
    let is_it = |line: &str| match key {
        WordKey::Setting(name) => line
            .strip_prefix(name.as_str())
            .is_some_and(|rest| rest.trim_start().starts_with('=')),
        WordKey::Column(service, _) | WordKey::Option(service, _) => {
            let mut words = line.split_whitespace();
            let entry = words.next().zip(words.next());
            entry.is_some_and(|(name, kind)| *service == format!("{name}/{kind}"))
        }
        _ => false,
    };
    // The last line counts where there are several.
    let lines: Vec<&str> = text.lines().collect();
    let number = lines.iter().rposition(|line| is_it(line))? + 1;
    Some(format!("{file}, line {number}"))
}
