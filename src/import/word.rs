//! What one layer of a manifest says: variables, settings, services, files, and what is left alone.

use std::collections::BTreeMap;

use super::yaml::{Yaml, YamlEntry};

/// A place in a layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WordKey {
    /// A variable of a module.
    Variable(String),
    /// A parameter of main.cf.
    Setting(String),
    /// A column of an entry of master.cf.
    Column(String, &'static str),
    /// An option of an entry of master.cf.
    Option(String, String),
    /// A whole file.
    File(String),
    /// A thing that is left alone.
    Leave(String),
}

/// What is said there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The value; for a thing that is left alone, nothing.
    pub value: Yaml,
    /// Where it comes from, where a reader would ask.
    pub comment: Option<String>,
}

/// A layer: its words by their places.
pub type Words = BTreeMap<WordKey, Word>;

/// The keys of a layer in the order of docs/manifest.md.
#[must_use]
pub fn entries(words: &Words) -> Vec<YamlEntry> {
    let mut vars = Vec::new();
    let mut settings = Vec::new();
    let mut services: Vec<(String, Vec<YamlEntry>, Vec<YamlEntry>)> = Vec::new();
    let mut files = Vec::new();
    let mut leave = Vec::new();
    for (key, word) in words {
        let entry = |key: &str| YamlEntry {
            key: key.to_owned(),
            value: word.value.clone(),
            comment: word.comment.clone(),
        };
        match key {
            WordKey::Variable(name) => vars.push(entry(name)),
            WordKey::Setting(name) => settings.push(entry(name)),
            WordKey::Column(service, column) => {
                of_service(&mut services, service).1.push(entry(column))
            }
            WordKey::Option(service, name) => {
                of_service(&mut services, service).2.push(entry(name))
            }
            WordKey::File(path) => files.push(entry(path)),
            WordKey::Leave(thing) => leave.push(Yaml::text(thing.as_str())),
        }
    }
    let services = services.into_iter().map(|(name, mut columns, options)| {
        if !options.is_empty() {
            columns.push(YamlEntry::new("options", Yaml::Map(options)));
        }
        YamlEntry::new(name, Yaml::Map(columns))
    });
    let services: Vec<YamlEntry> = services.collect();
    let mut found = Vec::new();
    let parts = [
        ("vars", vars),
        ("settings", settings),
        ("services", services),
        ("files", files),
    ];
    for (name, entries) in parts {
        if !entries.is_empty() {
            found.push(YamlEntry::new(name, Yaml::Map(entries)));
        }
    }
    if !leave.is_empty() {
        found.push(YamlEntry::new("leave", Yaml::List(leave)));
    }
    found
}

type ServiceParts = (String, Vec<YamlEntry>, Vec<YamlEntry>);

fn of_service<'s>(services: &'s mut Vec<ServiceParts>, name: &str) -> &'s mut ServiceParts {
    let known = services.iter().position(|(service, ..)| service == name);
    let at = known.unwrap_or_else(|| {
        services.push((name.to_owned(), Vec::new(), Vec::new()));
        services.len() - 1
    });
    &mut services[at]
}
