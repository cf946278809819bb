//! The words that a host needs so that it must have what it has: where its files and values differ from what the manifest says
//! so far, and what it has of its own.

use super::list_edit::list_edit;
use super::own_files::{FileUse, OwnFiles, is_indexed};
use super::seen::{OpenedTableFiles, SeenHost};
use super::word::{Word, WordKey, Words};
use super::yaml::Yaml;
use crate::digest::sha256_hex;
use crate::name::{Parameter, RemotePath};
use crate::plan::reads_alike;
use crate::postfix::catalogue::lists;
use crate::postfix::same_value;
use crate::secret::Secrets;
use crate::secret::mask::mask_value;
use crate::state::{DesiredService, File, LiveFile, LiveState, PostfixLive, Want};
use crate::thing::Thing;

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
    pub(super) host: &'a SeenHost,
    pub(super) postfix: &'a PostfixLive,
    pub(super) desired: &'a DesiredService,
    secrets: &'a Secrets,
    password: Option<&'a str>,
    pub(super) tables: &'a OpenedTableFiles,
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

    pub(super) fn say(&mut self, key: WordKey, value: Yaml) {
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
        if !self.is_recorded(thing) {
            self.leave_value(thing);
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
            (Thing::Field(service, field), Some(value)) => {
                let key = WordKey::Column(service.to_string(), field.as_str());
                self.say(key, Yaml::text(value));
            }
            (Thing::Option(service, name), Some(value)) if !is_secret(name.as_str(), &value) => {
                let key = WordKey::Option(service.to_string(), name.to_string());
                self.say(key, Yaml::text(value));
            }
            (thing, _) => self.leave_value(thing),
        }
    }

    /// Whether an apply managed the thing before. On a host without a ledger everything may be managed.
    fn is_recorded(&self, thing: &Thing) -> bool {
        self.host.live.ledger.as_ref().is_none_or(|ledger| {
            let mut services = ledger.services.values();
            services.any(|service| service.managed.contains_key(thing))
        })
    }

    /// Leaves alone a value of a module: a part of an entry by itself, where the host has the entry.
    fn leave_value(&mut self, thing: &Thing) {
        let word = match thing {
            Thing::Parameter(name) => name.to_string(),
            Thing::Field(service, _) | Thing::Option(service, _) | Thing::Service(service)
                if self.postfix.master_cf.service(service).is_none() =>
            {
                service.to_string()
            }
            Thing::Field(service, field) => format!("{service}/{}", field.as_str()),
            Thing::Option(service, name) => format!("{service}:{name}"),
            Thing::Service(service) => service.to_string(),
            Thing::File(_) => return,
        };
        self.leave(word);
    }

    pub(super) fn setting(&mut self, name: &Parameter, value: &str) {
        if let Some(why) = unsayable(name.as_str(), value) {
            self.leave(name.to_string());
            self.not_managed.push(NotManaged {
                thing: format!("main.cf:{name}"),
                why: why.to_owned(),
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
        if state.is_none() || !self.is_recorded(&Thing::File(path.clone())) {
            self.leave(path.to_string());
            return;
        }
        self.own_file(path.as_str(), files, true);
    }

    pub(super) fn own_file(&mut self, path: &str, files: &mut OwnFiles, of_module: bool) {
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
}

/// Whether a value holds a secret, as a plan masks it.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    mask_value(name, value) != value
}

/// Why a manifest cannot hold a value of main.cf; none where it can.
pub(super) fn unsayable(name: &str, value: &str) -> Option<&'static str> {
    if is_secret(name, value) {
        return Some("its value holds a secret, and every user of the host can read main.cf");
    }
    // Bytes that are no UTF-8 were read as this character.
    let is_foreign = value.contains(char::REPLACEMENT_CHARACTER);
    is_foreign.then_some("its value is not UTF-8")
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
