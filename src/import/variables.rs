//! Which variables of a module say what its hosts have: those with which the least is left to say.

use std::collections::{BTreeMap, BTreeSet};

use super::assembly::Assembly;
use super::differences::Difference;
use super::evidence::comparisons;
use super::own_files::OwnFiles;
use super::seen::SeenHost;
use super::word::{Word, WordKey};
use super::yaml::{Yaml, YamlEntry};
use crate::module::{TextKind, Variable, VariableKind};
use crate::name::{HostName, RoleName};

/// Hosts of a role that are compared for each candidate; the others are like one of them, or few.
const SAMPLES: usize = 3;

/// Chooses the variables of each role.
pub fn choose(assembly: &mut Assembly<'_>) {
    let roles: BTreeSet<RoleName> = assembly
        .draft
        .hosts
        .values()
        .flat_map(|host| host.roles.iter().cloned())
        .collect();
    // What a manifest cannot hold goes first: nothing could be compared with it.
    if assembly.compiling().is_none() {
        return;
    }
    for role in roles {
        of_role(assembly, &role);
    }
}

fn of_role(assembly: &mut Assembly<'_>, role: &RoleName) {
    let Some(module) = assembly.shipped.modules.0.get(role) else {
        return;
    };
    let samples = samples(assembly, role);
    let seen: Vec<&SeenHost> = assembly
        .hosts
        .iter()
        .filter(|host| samples.contains(&host.name))
        .collect();
    let Some(mut best) = cost(assembly, &seen) else {
        return;
    };
    // A second turn, because one variable may matter only with another one.
    for _ in 0..2 {
        let before = best;
        for (name, variable) in &module.vars {
            for candidate in candidates(name, variable, &seen, assembly) {
                let key = WordKey::Variable(name.clone());
                let words = assembly.draft.modules.entry(role.clone()).or_default();
                let word = Word {
                    value: candidate,
                    comment: None,
                };
                let old = words.insert(key.clone(), word);
                // A variable is a line, too.
                let price = usize::from(old.is_none());
                match cost(assembly, &seen) {
                    Some(found) if found + price < best => best = found,
                    _ => {
                        let words = assembly.draft.modules.entry(role.clone()).or_default();
                        match old {
                            Some(old) => words.insert(key, old),
                            None => words.remove(&key),
                        };
                    }
                }
            }
        }
        if best == before {
            break;
        }
    }
    drop_idle(assembly, role, &seen, best);
}

/// Takes out variables that say nothing any more, since another one was chosen after them.
fn drop_idle(assembly: &mut Assembly<'_>, role: &RoleName, seen: &[&SeenHost], best: usize) {
    let words = assembly.draft.modules.get(role);
    let keys: Vec<WordKey> = words
        .into_iter()
        .flat_map(|words| words.keys().cloned())
        .collect();
    for key in keys {
        let words = assembly.draft.modules.entry(role.clone()).or_default();
        let Some(word) = words.remove(&key) else {
            continue;
        };
        if cost(assembly, seen).is_none_or(|found| found > best) {
            let words = assembly.draft.modules.entry(role.clone()).or_default();
            words.insert(key, word);
        }
    }
}

/// Some hosts of a role, each of another kind.
fn samples(assembly: &Assembly<'_>, role: &RoleName) -> BTreeSet<HostName> {
    let mut kinds: BTreeMap<String, (usize, HostName)> = BTreeMap::new();
    for host in assembly.hosts {
        let draft = assembly.draft.hosts.get(&host.name);
        if !draft.is_some_and(|draft| draft.roles.contains(role)) {
            continue;
        }
        let main = host
            .postfix()
            .map(|postfix| postfix.main_cf.bytes().to_vec());
        let text =
            String::from_utf8_lossy(&main.unwrap_or_default()).replace(host.name.as_str(), "");
        kinds.entry(text).or_insert((0, host.name.clone())).0 += 1;
    }
    let mut kinds: Vec<(usize, HostName)> = kinds.into_values().collect();
    kinds.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    kinds
        .into_iter()
        .take(SAMPLES)
        .map(|(_, name)| name)
        .collect()
}

/// How much is to be said of these hosts beside the manifest so far. None if it does not compile for any of them.
fn cost(assembly: &mut Assembly<'_>, hosts: &[&SeenHost]) -> Option<usize> {
    let texts = assembly.draft.texts(0);
    let texts = [texts.0.as_str(), texts.1.as_str()];
    let murder = assembly
        .shipped
        .murder(&texts, &assembly.files.templates, &assembly.files.secrets)
        .ok()?;
    let compiler = assembly.shipped.compiler(&murder.murder).ok()?;
    /// A host for which it does not compile: worse than all that could be said of it.
    const BROKEN: usize = 10_000;
    let (mut sum, mut whole) = (0, false);
    for host in hosts {
        let Ok(compiled) = compiler.compile(&host.name, &host.live.facts) else {
            sum += BROKEN;
            continue;
        };
        whole = true;
        let password = assembly.password(&host.name);
        let desired = compiled.desired.postfix();
        let mut difference = Difference::new(host, desired, &murder.secrets, password.as_deref())?;
        // The files are only looked at: nothing of them is kept.
        let mut files = OwnFiles::default();
        difference.compare(&<_>::default(), &mut files);
        difference.own(&<_>::default(), &mut files);
        sum += difference.cost();
    }
    whole.then_some(sum)
}

/// The values that a variable may have, by what the hosts have.
fn candidates(
    name: &str,
    variable: &Variable,
    hosts: &[&SeenHost],
    assembly: &Assembly<'_>,
) -> Vec<Yaml> {
    let plain = |text: &str| Yaml::Plain(text.to_owned());
    match (&variable.kind, variable.of) {
        (VariableKind::Bool, _) => {
            let other = variable.default.as_bool() != Some(true);
            vec![plain(if other { "true" } else { "false" })]
        }
        (VariableKind::OneOf(values), _) => {
            let others = values
                .iter()
                .filter(|value| variable.default.as_str() != Some(value));
            others.map(Yaml::text).collect()
        }
        (VariableKind::String, Some(TextKind::Descriptor)) => attributes(hosts)
            .into_iter()
            .filter(|one| variable.default.as_str() != Some(one))
            .map(Yaml::text)
            .collect(),
        (VariableKind::List, Some(TextKind::Descriptor)) => classes(hosts),
        // A variable that is called like a parameter takes its value.
        (VariableKind::String, _) => hosts
            .iter()
            .map(|host| host.expanded(name))
            .filter(|value| !value.is_empty() && !value.starts_with('/'))
            .map(Yaml::Text)
            .collect(),
        (VariableKind::List, Some(kind)) => lists(kind, hosts, assembly),
        (VariableKind::Map, _) => role_maps(hosts),
        _ => Vec::new(),
    }
}

/// The attributes that the LDAP tables of the hosts name.
fn attributes(hosts: &[&SeenHost]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for table in hosts.iter().flat_map(|host| host.ldap_tables()) {
        let get = |name: &str| table.settings.get(name).map_or("", String::as_str);
        found.extend(
            comparisons(get("query_filter"))
                .into_iter()
                .map(|(name, _)| name),
        );
        let lists = [
            "result_attribute",
            "leaf_result_attribute",
            "special_result_attribute",
        ];
        for list in lists {
            found.extend(crate::postfix::split_list(get(list)));
        }
    }
    found.retain(|name| !name.eq_ignore_ascii_case("objectclass"));
    found
}

/// The groups of object classes that stand beside each other in a filter.
fn classes(hosts: &[&SeenHost]) -> Vec<Yaml> {
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for table in hosts.iter().flat_map(|host| host.ldap_tables()) {
        let filter = table
            .settings
            .get("query_filter")
            .map_or("", String::as_str);
        for group in filter.split(['&', '|', '!']) {
            let group: Vec<String> = comparisons(group)
                .into_iter()
                .filter(|(name, _)| name.eq_ignore_ascii_case("objectclass"))
                .map(|(_, class)| class)
                .collect();
            if !group.is_empty() {
                found.insert(group);
            }
        }
    }
    found.into_iter().map(Yaml::texts).collect()
}

/// Lists of one kind of text that the hosts' lists and tables hold.
fn lists(kind: TextKind, hosts: &[&SeenHost], assembly: &Assembly<'_>) -> Vec<Yaml> {
    let is_mail_domain = |name: &String| {
        assembly
            .draft
            .domains
            .iter()
            .any(|domain| domain.name == *name)
    };
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for host in hosts {
        match kind {
            TextKind::Domain => {
                let mut list = host.list("relay_domains");
                list.retain(|name| !is_mail_domain(name) && !name.contains([':', '/', '$']));
                found.insert(list);
            }
            TextKind::LocalPart => {
                let keys = host.entries("relay_recipient_maps").into_iter();
                let mut locals: Vec<String> = Vec::new();
                for (key, _) in keys {
                    if let Some((local, _)) = key.split_once('@')
                        && !local.is_empty()
                        && !locals.iter().any(|known| known == local)
                    {
                        locals.push(local.to_owned());
                    }
                }
                found.insert(locals.iter().take(3).cloned().collect());
                found.insert(locals);
            }
            TextKind::AddressOrDomain => {
                let keys = host
                    .entries("relay_recipient_maps")
                    .into_iter()
                    .map(|(key, _)| key);
                let keys: Vec<String> = keys.collect();
                // Role addresses come first in the modules' tables.
                let others = keys.iter().filter(|key| {
                    let local = key.split('@').next().unwrap_or_default();
                    !["postmaster", "abuse", "root"].contains(&local)
                });
                found.insert(others.cloned().collect());
                found.insert(keys);
            }
            _ => {}
        }
    }
    found.remove(&Vec::new());
    found.into_iter().map(Yaml::texts).collect()
}

/// Local parts with their recipients: a table whose keys are a local part in each mail domain.
fn role_maps(hosts: &[&SeenHost]) -> Vec<Yaml> {
    let mut found: Vec<Yaml> = vec![Yaml::Map(Vec::new())];
    for host in hosts {
        for table in host.tables("virtual_alias_maps") {
            let mut map: Vec<YamlEntry> = Vec::new();
            for (key, value) in host.entries_of(&table) {
                let Some((local, _)) = key.split_once('@') else {
                    continue;
                };
                let is_root = host
                    .own_names()
                    .iter()
                    .any(|own| value == format!("root@{own}"));
                let value = Yaml::text(if is_root { "" } else { value.as_str() });
                let known = map.iter().any(|entry| entry.key == local);
                if !local.is_empty() && !known && !value_is_folder(&value) {
                    map.push(YamlEntry::new(local, value));
                }
            }
            let map = Yaml::Map(map);
            if !found.contains(&map) {
                found.push(map);
            }
        }
    }
    found
}

fn value_is_folder(value: &Yaml) -> bool {
    matches!(value, Yaml::Text(text) if text.contains('/') || text.contains('+'))
}
