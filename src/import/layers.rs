//! Puts what most hosts agree on into the widest layer: all hosts, or the hosts of a role. The others keep a word of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::assembly::Assembly;
use super::connection::most_common;
use super::word::{Word, WordKey, Words};
use crate::name::{HostName, RoleName};

/// Moves words of hosts to `modules.<role>` and `defaults`.
pub fn hoist(assembly: &mut Assembly<'_>) {
    let mut by_role: BTreeMap<RoleName, Vec<HostName>> = BTreeMap::new();
    for (name, host) in &assembly.draft.hosts {
        if let [role] = host.roles.as_slice() {
            by_role.entry(role.clone()).or_default().push(name.clone());
        }
    }
    let everyone: Vec<HostName> = assembly.draft.hosts.keys().cloned().collect();
    if everyone.len() > 2 && by_role.len() > 1 {
        let common = common(assembly, &everyone, |key| {
            matches!(
                key,
                WordKey::Setting(_) | WordKey::Column(..) | WordKey::Option(..) | WordKey::File(_)
            )
        });
        move_words(assembly, &everyone, common, None);
    }
    for (role, hosts) in by_role {
        if hosts.len() < 2 {
            continue;
        }
        let common = common(assembly, &hosts, |_| true);
        move_words(assembly, &hosts, common, Some(&role));
    }
}

/// The words that all of these hosts have, or all but a few that have another one at the same place.
fn common(assembly: &Assembly<'_>, hosts: &[HostName], may: impl Fn(&WordKey) -> bool) -> Words {
    let mut found = Words::new();
    let words: Vec<&Words> = hosts
        .iter()
        .filter_map(|host| assembly.draft.hosts.get(host))
        .map(|host| &host.words)
        .collect();
    let candidates: BTreeSet<&WordKey> = words.iter().flat_map(|words| words.keys()).collect();
    for key in candidates {
        if !may(key) {
            continue;
        }
        let own: Vec<&Word> = words.iter().filter_map(|words| words.get(key)).collect();
        // A host without a word there would need one to undo it.
        if own.len() < words.len() {
            continue;
        }
        let value = most_common(own.iter().map(|word| word.value.clone()));
        if let Some(value) = value
            && own.iter().filter(|word| word.value == value).count() * 2 > own.len()
        {
            found.insert(
                key.clone(),
                Word {
                    value,
                    comment: None,
                },
            );
        }
    }
    found
}

fn move_words(
    assembly: &mut Assembly<'_>,
    hosts: &[HostName],
    common: Words,
    role: Option<&RoleName>,
) {
    for host in hosts {
        let Some(draft) = assembly.draft.hosts.get_mut(host) else {
            continue;
        };
        draft
            .words
            .retain(|key, word| common.get(key).is_none_or(|wide| wide.value != word.value));
    }
    let layer = match role {
        Some(role) => assembly.draft.modules.entry(role.clone()).or_default(),
        None => &mut assembly.draft.defaults,
    };
    for (key, word) in common {
        layer.insert(key, word);
    }
}
