//! The words that a host needs so that it must have what it has: where its files and values differ from what the manifest says
//! so far, and what it has of its own.

use std::collections::BTreeMap;

use super::own_files::{FileUse, OwnFiles, is_indexed};
use super::seen::SeenHost;
use super::word::{Word, WordKey, Words};
use super::yaml::Yaml;
use crate::digest::sha256_hex;
use crate::name::{Parameter, RemotePath, ServiceName};
use crate::plan::reads_alike;
use crate::postfix::catalogue::lists;
use crate::postfix::catalogue::tables::Table;
use crate::postfix::{same_value, split_list};
use crate::secret::Secrets;
use crate::secret::mask::mask_value;
use crate::state::{DesiredService, File, LiveFile, LiveState, PostfixLive, Stock, Want};
use crate::thing::{Field, Thing};

/// A thing that the manifest does not manage, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotManaged {
    /// The thing.
    pub thing: String,
    /// Why, as a clause.
    pub why: String,
}

/// What a host needs beside what the manifest says so far.
pub struct Difference<'a> {
    host: &'a SeenHost,
    postfix: &'a PostfixLive,
    desired: &'a DesiredService,
    secrets: &'a Secrets,
    password: Option<&'a str>,
    tables: BTreeMap<String, (Vec<String>, Table)>,
    /// The words.
    pub words: Words,
    /// What is not managed.
    pub not_managed: Vec<NotManaged>,
}

impl<'a> Difference<'a> {
    /// A host, and what it must have by the manifest so far. None where it has no Postfix.
    #[must_use]
    pub fn new(
        host: &'a SeenHost,
        desired: &'a DesiredService,
        secrets: &'a Secrets,
        password: Option<&'a str>,
    ) -> Option<Self> {
        Some(Self {
            postfix: host.postfix()?,
            tables: host.table_files(),
            host,
            desired,
            secrets,
            password,
            words: Words::new(),
            not_managed: Vec::new(),
        })
    }

    /// Compares everything that the manifest names so far. `said` are the host's own words.
    pub fn compare(&mut self, said: &Words, files: &mut OwnFiles) {
        for (thing, want) in &self.desired.values {
            self.value(thing, want, said);
        }
        for (path, want) in &self.desired.files {
            self.file(path, want, files);
        }
    }

    /// How much is to be said: each file counts as much as some values.
    #[must_use]
    pub fn cost(&self) -> usize {
        /// A file of one's own is a page to read.
        const FILE: usize = 8;
        let costs = self.words.keys().map(|key| match key {
            WordKey::File(_) => FILE,
            WordKey::Setting(_) => 3,
            _ => 2,
        });
        costs.sum()
    }

    fn say(&mut self, key: WordKey, value: Yaml) {
        self.words.insert(
            key,
            Word {
                value,
                comment: None,
            },
        );
    }

    fn leave(&mut self, thing: String) {
        self.say(WordKey::Leave(thing), Yaml::Null);
    }

    fn value(&mut self, thing: &Thing, want: &Want<String>, said: &Words) {
        let live = self.postfix.value(thing);
        let wanted = match want {
            Want::Present(value) => Some(value.as_str()),
            Want::Absent => None,
        };
        let alike = match (wanted, live.as_deref()) {
            (Some(wanted), Some(live)) => same(thing, wanted, live),
            (None, None) => true,
            _ => false,
        };
        if alike {
            return;
        }
        match (thing, live) {
            (Thing::Parameter(name), Some(value)) => {
                let key = WordKey::Setting(name.to_string());
                let edit = wanted
                    .filter(|_| !said.contains_key(&key) && !is_secret(name.as_str(), &value))
                    .and_then(|wanted| list_edit(name.as_str(), wanted, &value));
                match edit {
                    Some(edit) => self.say(key, edit),
                    None => self.setting(name, &value),
                }
            }
            (Thing::Parameter(name), None) => self.leave(name.to_string()),
            (Thing::Field(service, field), Some(value)) => {
                let key = WordKey::Column(service.to_string(), field.as_str());
                self.say(key, Yaml::text(value));
            }
            (Thing::Option(service, name), Some(value)) if !is_secret(name.as_str(), &value) => {
                let key = WordKey::Option(service.to_string(), name.to_string());
                self.say(key, Yaml::text(value));
            }
            (Thing::Field(service, _) | Thing::Option(service, _) | Thing::Service(service), _) => {
                self.leave(service.to_string());
            }
            (Thing::File(_), _) => {}
        }
    }

    fn setting(&mut self, name: &Parameter, value: &str) {
        if is_secret(name.as_str(), value) {
            self.leave(name.to_string());
            self.not_managed.push(NotManaged {
                thing: format!("main.cf:{name}"),
                why: "its value holds a secret, and every user of the host can read main.cf"
                    .to_owned(),
            });
            return;
        }
        self.say(WordKey::Setting(name.to_string()), Yaml::text(value));
    }

    fn file(&mut self, path: &RemotePath, want: &Want<File>, files: &mut OwnFiles) {
        let live = self.host.live.files.get(path);
        let state = match (want, live) {
            (Want::Absent, None | Some(LiveFile::Absent)) => return,
            (Want::Present(file), Some(LiveFile::Present(state))) => {
                if alike(file, state, self.secrets) {
                    return;
                }
                Some(state)
            }
            (_, Some(LiveFile::Present(state))) => Some(state),
            _ => None,
        };
        if state.is_none() {
            self.leave(path.to_string());
            return;
        }
        self.own_file(path.as_str(), files, true);
    }

    fn own_file(&mut self, path: &str, files: &mut OwnFiles, of_module: bool) {
        let opened = self.tables.get(path);
        let in_ledger = || {
            let ledger = self.host.live.ledger.as_ref();
            let path = RemotePath::new(path).ok();
            path.zip(ledger).is_some_and(|(path, ledger)| {
                ledger
                    .services
                    .values()
                    .any(|service| service.indexes.contains_key(&path))
            })
        };
        let use_ = FileUse {
            table: opened.map(|(_, table)| table),
            parameters: opened.map_or(&[], |(parameters, _)| parameters),
            is_indexed: opened.is_some_and(|(_, table)| is_indexed(&table.kind)) || in_ledger(),
        };
        match files.take(self.host, path, &use_, self.password) {
            Ok(value) => self.say(WordKey::File(path.to_owned()), value),
            Err(why) => {
                if of_module {
                    self.leave(path.to_owned());
                }
                self.not_managed.push(NotManaged {
                    thing: path.to_owned(),
                    why: why.to_owned(),
                });
            }
        }
    }

    /// What the host has that the manifest does not name yet. A host with a ledger has what the ledger records; any other
    /// one what its distribution's package did not write.
    pub fn own(&mut self, said: &Words, files: &mut OwnFiles) {
        match &self.host.live.ledger {
            Some(ledger) => {
                let things: Vec<(Thing, bool)> = ledger
                    .services
                    .values()
                    .flat_map(|service| &service.managed)
                    .map(|(thing, managed)| (thing.clone(), managed.value.is_some()))
                    .collect();
                for (thing, has_value) in things {
                    self.recorded(&thing, has_value, said, files);
                }
            }
            None => {
                self.own_settings(said);
                self.own_entries(said);
                self.own_tables(said, files);
            }
        }
    }

    fn recorded(&mut self, thing: &Thing, has_value: bool, said: &Words, files: &mut OwnFiles) {
        let known = self.desired.values.contains_key(thing) || self.desired.leave.contains(thing);
        let live = self.postfix.value(thing);
        match thing {
            Thing::Parameter(name) => {
                let key = WordKey::Setting(name.to_string());
                if known || said.contains_key(&key) {
                    return;
                }
                match live {
                    Some(value) => self.setting(name, &value),
                    None if !has_value => self.say(key, Yaml::Null),
                    None => {}
                }
            }
            Thing::Field(service, field) if !known => {
                if let Some(value) = live {
                    self.say(
                        WordKey::Column(service.to_string(), field.as_str()),
                        Yaml::text(value),
                    );
                }
            }
            Thing::Option(service, name) if !known => {
                if let Some(value) = live.filter(|value| !is_secret(name.as_str(), value)) {
                    self.say(
                        WordKey::Option(service.to_string(), name.to_string()),
                        Yaml::text(value),
                    );
                }
            }
            Thing::File(path) => {
                let is_said = self.desired.files.contains_key(path)
                    || self.desired.leave.contains(thing)
                    || said.contains_key(&WordKey::File(path.to_string()));
                if !is_said && has_value && self.host.file(path.as_str()).is_some() {
                    self.own_file(path.as_str(), files, false);
                }
            }
            Thing::Service(_) | Thing::Field(..) | Thing::Option(..) => {}
        }
    }

    fn own_settings(&mut self, said: &Words) {
        let stock = Stock::new(&self.host.live.facts, self.postfix);
        let values: Vec<(String, String)> = self
            .postfix
            .main_cf
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (name, value) in values {
            let Ok(parameter) = Parameter::new(name.as_str()) else {
                self.not_managed.push(NotManaged {
                    thing: format!("main.cf:{name}"),
                    why: "it is not the name of a parameter".to_owned(),
                });
                continue;
            };
            let thing = Thing::Parameter(parameter.clone());
            let known = self.desired.values.contains_key(&thing)
                || self.desired.leave.contains(&thing)
                || said.contains_key(&WordKey::Setting(name.clone()));
            if known || stock.wrote(&thing, &value) || is_own_name(self.host, &name, &value) {
                continue;
            }
            if is_secret(&name, &value) {
                self.not_managed.push(NotManaged {
                    thing: format!("main.cf:{name}"),
                    why: "its value holds a secret, and every user of the host can read main.cf"
                        .to_owned(),
                });
                continue;
            }
            self.say(WordKey::Setting(name), Yaml::text(value));
        }
    }

    fn own_entries(&mut self, said: &Words) {
        let stock = Stock::new(&self.host.live.facts, self.postfix);
        for entry in self.postfix.master_cf.services() {
            let name = format!("{}/{}", entry.name(), entry.kind());
            let Ok(service) = ServiceName::new(name.as_str()) else {
                self.not_managed.push(NotManaged {
                    thing: format!("master.cf:{name}"),
                    why: "a manifest cannot name this entry".to_owned(),
                });
                continue;
            };
            let is_stock = crate::state::debian_entry(&service).is_some();
            let mut parts: Vec<(Thing, String)> = Field::ALL
                .into_iter()
                .map(|field| {
                    let value = match field {
                        Field::Command => entry.command(),
                        _ => entry.field(field),
                    };
                    (Thing::Field(service.clone(), field), value)
                })
                .collect();
            for option in entry.option_names() {
                if let Some(value) = entry.option(&option) {
                    parts.push((Thing::Option(service.clone(), option), value));
                }
            }
            for (thing, value) in parts {
                let is_command = matches!(thing, Thing::Field(_, Field::Command));
                let known =
                    self.desired.values.contains_key(&thing) || self.desired.leave.contains(&thing);
                let needed = !is_stock && is_command;
                if known || (!needed && stock.wrote(&thing, &value)) {
                    continue;
                }
                let key = match &thing {
                    Thing::Field(_, field) => WordKey::Column(service.to_string(), field.as_str()),
                    Thing::Option(_, name) if is_secret(name.as_str(), &value) => {
                        self.not_managed.push(NotManaged {
                            thing: thing.to_string(),
                            why: "its value holds a secret".to_owned(),
                        });
                        continue;
                    }
                    Thing::Option(_, name) => {
                        WordKey::Option(service.to_string(), name.to_string())
                    }
                    _ => continue,
                };
                if !said.contains_key(&key) {
                    self.say(key, Yaml::text(value));
                }
            }
        }
    }

    fn own_tables(&mut self, said: &Words, files: &mut OwnFiles) {
        let paths: Vec<String> = self.tables.keys().cloned().collect();
        for path in paths {
            let Ok(remote) = RemotePath::new(path.as_str()) else {
                continue;
            };
            let thing = Thing::File(remote.clone());
            let known = self.desired.files.contains_key(&remote)
                || self.desired.leave.contains(&thing)
                || said.contains_key(&WordKey::File(path.clone()));
            let is_alias_file = path == "/etc/aliases";
            if known || is_alias_file || self.host.file(&path).is_none() {
                continue;
            }
            self.own_file(&path, files, false);
        }
    }
}

/// Whether a value is only the host's own name, which differs on every host.
fn is_own_name(host: &SeenHost, name: &str, value: &str) -> bool {
    name == "myhostname" && value.eq_ignore_ascii_case(host.name.as_str())
}

/// Whether a value holds a secret, as a plan masks it.
fn is_secret(name: &str, value: &str) -> bool {
    mask_value(name, value) != value
}

/// Whether Postfix reads two values as the same.
fn same(thing: &Thing, left: &str, right: &str) -> bool {
    match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => lists::same(name.as_str(), left, right),
        Thing::File(_) | Thing::Service(_) | Thing::Field(..) => same_value(left, right),
    }
}

/// Whether the host's file stays as it is when it must be the wanted one.
fn alike(file: &File, state: &LiveState, secrets: &Secrets) -> bool {
    let Ok(wanted) = file.body.reveal(secrets) else {
        return false;
    };
    let sha256 = sha256_hex(wanted.as_bytes());
    let same = state.sha256 == sha256
        && state.owner == file.owner.as_str()
        && state.group == file.group.as_str()
        && state.mode == file.mode;
    same || reads_alike(file, &wanted, &sha256, state)
}

/// The edit that makes a host's list of a module's, where that is short: members before it, behind it, and without some.
fn list_edit(name: &str, wanted: &str, live: &str) -> Option<Yaml> {
    /// A longer edit says no more than the list itself.
    const MOST: usize = 4;
    if !lists::is_list(name) || live.contains('$') {
        return None;
    }
    let (wanted, live) = (split_list(wanted), split_list(live));
    let kept: Vec<&String> = wanted.iter().filter(|one| live.contains(one)).collect();
    let first = live.iter().position(|one| Some(&one) == kept.first())?;
    let middle = live.get(first..first + kept.len())?;
    if !middle.iter().eq(kept.iter().copied()) {
        return None;
    }
    let removed: Vec<&String> = wanted.iter().filter(|one| !live.contains(one)).collect();
    let before = live.get(..first)?;
    let after = live.get(first + kept.len()..)?;
    if before.len() + after.len() + removed.len() > MOST || kept.len() < 2 {
        return None;
    }
    let parts = [
        ("prepend", before.iter().collect::<Vec<_>>()),
        ("append", after.iter().collect()),
        ("remove", removed),
    ];
    let parts = parts.into_iter().filter(|(_, members)| !members.is_empty());
    Some(Yaml::map(parts.map(|(key, members)| {
        (key, Yaml::texts(members.into_iter().map(String::as_str)))
    })))
}
