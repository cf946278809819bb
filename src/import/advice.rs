//! What a module would do in another way than the hosts do: yours, recommended, why, and the line that takes it over.
//!
//! The first rows are what loses, bounces or delays mail on real sites. Then comes every other word of the manifest that takes
//! the place of what a module sets.

use std::collections::{BTreeMap, BTreeSet};

use super::advice_row::Advice;
use super::assembly::Assembly;
use super::faults_of_hosts::faults_of_host;
use super::known_faults::{DIRECTORY, MAILHOST, PASSWORD, TABLES, known_faults};
use super::word::{WordKey, Words};
use super::word_things::thing_of;
use super::yaml::Yaml;
use crate::every_core::on_every_core;
use crate::name::{HostName, Parameter, RemotePath, RoleName, ServiceName};
use crate::state::{DesiredService, Want};
use crate::thing::{Field, Thing};

/// The differences, the worst first, each with its hosts.
#[must_use]
pub fn of(assembly: &Assembly<'_>) -> Vec<(Advice, Vec<HostName>)> {
    // Several tables of one host may give the same row.
    let mut found: BTreeMap<Advice, BTreeSet<HostName>> = BTreeMap::new();
    for host in assembly.hosts {
        let faults = known_faults(host).into_iter().chain(faults_of_host(host));
        for mut advice in faults {
            advice.line = line_of(assembly, &host.name, &advice.line);
            found.entry(advice).or_default().insert(host.name.clone());
        }
    }
    // What is in a row of a fault already is not said again.
    let said: BTreeSet<(HostName, String)> = found
        .iter()
        .flat_map(|(row, hosts)| hosts.iter().map(|host| (host.clone(), row.line.clone())))
        .collect();
    let others = others(assembly)
        .into_iter()
        .filter(|(host, row)| !said.contains(&(host.clone(), row.line.clone())));
    for (host, advice) in others {
        found.entry(advice).or_default().insert(host);
    }
    let rows = found.into_iter();
    rows.map(|(advice, hosts)| (advice, hosts.into_iter().collect()))
        .collect()
}

/// The manifest's way to take a thing over: which word has to go.
fn line_of(assembly: &Assembly<'_>, host: &HostName, thing: &str) -> String {
    if thing == DIRECTORY {
        let draft = assembly.draft.hosts.get(host);
        let site = draft.and_then(|draft| draft.site.as_ref());
        let own = site.filter(|site| {
            let site = assembly.draft.sites.get(*site);
            site.is_some_and(|site| site.ldap.is_some())
        });
        return match own {
            Some(site) => format!("set sites.{site}.ldap.tls, and remove the tables of your own"),
            None => "set ldap.tls, and remove the tables of your own under files".to_owned(),
        };
    }
    if thing == PASSWORD {
        return "change it in the directory and in the file that ldap.bind_pw names, and remove the tables of your own under files".to_owned();
    }
    if thing == TABLES {
        return "remove the tables of your own under files".to_owned();
    }
    if thing == MAILHOST {
        return format!(
            "set mailhost under hosts.{host}, and remove the tables of your own under files"
        );
    }
    let is_it = |key: &WordKey| subject(key) == thing;
    let mut words: Vec<String> = Vec::new();
    for (place, of_layer) in layers(assembly, host) {
        let keys = of_layer.keys().filter(|key| is_it(key));
        words.extend(keys.map(|key| format!("{} under {place}", shown_key(key))));
    }
    words.extend(variables_behind(assembly, host, thing));
    if !words.is_empty() {
        return format!("remove {}", words.join(", and "));
    }
    let draft = assembly.draft.hosts.get(host);
    let place = match draft.map(|draft| draft.roles.as_slice()) {
        Some([role]) => format!("modules.{role}"),
        _ => format!("hosts.{host}"),
    };
    match thing.strip_prefix("main.cf:") {
        Some(name) => format!("set settings.{name} under {place}"),
        None => match thing
            .strip_prefix("master.cf:")
            .and_then(|of| of.rsplit_once(':'))
        {
            Some((service, option)) => {
                format!("set services.{service}.options.{option} under {place}")
            }
            None => format!("change {thing}"),
        },
    }
}

/// The variables of the manifest that decide whether and how a module sets a thing.
fn variables_behind(assembly: &Assembly<'_>, host: &HostName, thing: &str) -> Vec<String> {
    let parsed = match thing.strip_prefix("main.cf:") {
        Some(name) => parameter(name).map(Thing::Parameter),
        None => RemotePath::new(thing).ok().map(Thing::File),
    };
    let (Some(thing), Some(draft)) = (parsed, assembly.draft.hosts.get(host)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for role in &draft.roles {
        let (Some(module), Some(words)) = (
            assembly.shipped.modules.0.get(role),
            assembly.draft.modules.get(role),
        ) else {
            continue;
        };
        let behind = module.variables_of(&thing);
        let said = words.keys().filter_map(|key| match key {
            WordKey::Variable(name) if behind.contains(name) => Some(name),
            _ => None,
        });
        found.extend(said.map(|name| format!("vars.{name} under modules.{role}")));
    }
    found
}

/// What a word is about, as rows name it: the same for a word that sets a thing and for one that leaves it alone.
fn subject(key: &WordKey) -> String {
    match key {
        WordKey::Leave(thing) if thing.starts_with('/') => thing.clone(),
        WordKey::Leave(thing) if thing.contains('/') => format!("master.cf:{thing}"),
        WordKey::Leave(thing) => format!("main.cf:{thing}"),
        key => thing_of(key),
    }
}

fn layers<'a>(assembly: &'a Assembly<'_>, host: &HostName) -> Vec<(String, &'a Words)> {
    let mut found = Vec::new();
    if let Some(draft) = assembly.draft.hosts.get(host) {
        found.push((format!("hosts.{host}"), &draft.words));
        if let Some(site) = &draft.site
            && let Some(words) = assembly.draft.sites.get(site)
        {
            found.push((format!("sites.{site}"), &words.words));
        }
        for role in &draft.roles {
            if let Some(words) = assembly.draft.modules.get(role) {
                found.push((format!("modules.{role}"), words));
            }
        }
    }
    found.push(("defaults".to_owned(), &assembly.draft.defaults));
    found
}

fn shown_key(key: &WordKey) -> String {
    match key {
        WordKey::Variable(name) => format!("vars.{name}"),
        WordKey::Setting(name) => format!("settings.{name}"),
        WordKey::Column(service, column) => format!("services.{service}.{column}"),
        WordKey::Option(service, name) => format!("services.{service}.options.{name}"),
        WordKey::File(path) => format!("files.{path}"),
        WordKey::Leave(thing) => format!("leave: {thing}"),
    }
}

/// Every other word that takes the place of what a module sets.
fn others(assembly: &Assembly<'_>) -> Vec<(HostName, Advice)> {
    let mut found = Vec::new();
    let bare = without_words(assembly);
    for (host, desired) in &bare {
        let mut seen = BTreeSet::new();
        for (place, words) in layers(assembly, host) {
            for (key, word) in words {
                // The nearest word is what the host has.
                if !seen.insert(subject(key)) {
                    continue;
                }
                let Some(recommended) = recommended(key, desired, assembly, host) else {
                    continue;
                };
                let yours = match (key, &word.value) {
                    (WordKey::Leave(thing), _) => format!("{thing}: left alone"),
                    (WordKey::File(path), _) => format!("{path}, your own"),
                    (key, value) => format!("{} = {}", thing_of(key), short(value)),
                };
                let advice = Advice {
                    rank: Advice::HARMLESS,
                    yours,
                    recommended: recommended.0,
                    why: recommended.1,
                    line: format!("remove {} under {place}", shown_key(key)),
                };
                found.push((host.clone(), advice));
            }
        }
    }
    found
}

fn short(value: &Yaml) -> String {
    let text = match value {
        Yaml::Null => "not set".to_owned(),
        Yaml::Text(text) | Yaml::Plain(text) if text.is_empty() => "empty".to_owned(),
        Yaml::Text(text) | Yaml::Plain(text) => text.clone(),
        Yaml::List(items) if items.is_empty() => "[]".to_owned(),
        Yaml::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Yaml::List(items) => items.iter().map(short).collect::<Vec<_>>().join(", "),
        Yaml::Map(entries) => entries
            .iter()
            .map(|entry| format!("{}: {}", entry.key, short(&entry.value)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    cut(&text)
}

fn cut(text: &str) -> String {
    const MOST: usize = 60;
    match text.chars().count() > MOST {
        true => text.chars().take(MOST).chain("…".chars()).collect(),
        false => text.to_owned(),
    }
}

/// What the modules say of each host by themselves; without the hosts for which they do not compile so.
fn without_words(assembly: &Assembly<'_>) -> Vec<(HostName, DesiredService)> {
    let mut draft = assembly.draft.clone();
    draft.modules.clear();
    draft.defaults.clear();
    for site in draft.sites.values_mut() {
        site.words.clear();
    }
    for host in draft.hosts.values_mut() {
        host.words.clear();
    }
    let texts = draft.texts(0);
    let texts = [texts.0.as_str(), texts.1.as_str()];
    let none = BTreeMap::new();
    let Ok(murder) = assembly
        .shipped
        .murder(&texts, &none, &assembly.files.secrets)
    else {
        return Vec::new();
    };
    let Ok(compiler) = assembly.shipped.compiler(&murder.murder) else {
        return Vec::new();
    };
    let compiled = on_every_core(assembly.hosts, |host| {
        let compiled = compiler.compile(&host.name, &host.live.facts).ok()?;
        Some((host.name.clone(), compiled.desired.postfix().clone()))
    });
    compiled.into_iter().flatten().collect()
}

/// What a module has in the place of a word, and why. None where no module says anything there.
fn recommended(
    key: &WordKey,
    desired: &DesiredService,
    assembly: &Assembly<'_>,
    host: &HostName,
) -> Option<(String, String)> {
    let roles = &assembly.draft.hosts.get(host)?.roles;
    let module = |role: &RoleName| assembly.shipped.modules.0.get(role);
    let of_modules = || {
        let names: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
        format!("as the module {} has it", names.join(", "))
    };
    let of_thing = |thing: &Thing| match desired.values.get(thing)? {
        Want::Present(value) => Some((cut(value), of_modules())),
        Want::Absent => Some(("not set".to_owned(), of_modules())),
    };
    match key {
        WordKey::Variable(name) => {
            let variable = roles
                .iter()
                .filter_map(module)
                .find_map(|module| module.vars.get(name))?;
            let default = match variable.default.as_str() {
                Some("") => "empty".to_owned(),
                Some(text) => text.to_owned(),
                None => variable.default.to_string(),
            };
            Some((cut(&default), variable.doc.clone()))
        }
        WordKey::Setting(name) => of_thing(&Thing::Parameter(parameter(name)?)),
        WordKey::Column(service, column) => {
            let field = Field::ALL
                .into_iter()
                .find(|field| field.as_str() == *column)?;
            of_thing(&Thing::Field(
                ServiceName::new(service.as_str()).ok()?,
                field,
            ))
        }
        WordKey::Option(service, name) => of_thing(&Thing::Option(
            ServiceName::new(service.as_str()).ok()?,
            parameter(name)?,
        )),
        WordKey::File(path) => {
            of_file(path, desired).then(|| ("the module's".to_owned(), of_modules()))
        }
        WordKey::Leave(thing) if thing.starts_with('/') => {
            of_file(thing, desired).then(|| ("the module's".to_owned(), of_modules()))
        }
        WordKey::Leave(thing) => match parameter(thing) {
            Some(name) => of_thing(&Thing::Parameter(name)),
            None => of_entry(thing, desired).then(|| ("the module's".to_owned(), of_modules())),
        },
    }
}

/// Whether a module says anything of an entry of master.cf, or of the part of one that a word names.
fn of_entry(word: &str, desired: &DesiredService) -> bool {
    let of_word = |thing: &Thing| match thing {
        Thing::Field(service, _) | Thing::Option(service, _) => {
            service.to_string() == word || thing.to_string() == format!("master.cf:{word}")
        }
        _ => false,
    };
    desired.values.keys().any(of_word)
}

fn of_file(path: &str, desired: &DesiredService) -> bool {
    RemotePath::new(path).is_ok_and(|path| desired.files.contains_key(&path))
}

fn parameter(name: &str) -> Option<Parameter> {
    Parameter::new(name).ok()
}
