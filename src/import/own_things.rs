//! What a host has that the manifest does not name yet.

use super::differences::{Difference, NotManaged, is_secret, unsayable};
use super::own_files::OwnFiles;
use super::seen::SeenHost;
use super::word::{WordKey, Words};
use super::yaml::Yaml;
use crate::name::{Parameter, RemotePath, ServiceName};
use crate::state::{Stock, debian_entry};
use crate::thing::{Field, Thing};

impl Difference<'_> {
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
            Thing::Option(service, name) if !known => match live {
                Some(value) if is_secret(name.as_str(), &value) => {
                    self.secret_option(thing);
                    self.say(WordKey::Leave(format!("{service}:{name}")), Yaml::Null);
                }
                Some(value) => self.say(
                    WordKey::Option(service.to_string(), name.to_string()),
                    Yaml::text(value),
                ),
                None => {}
            },
            Thing::File(path) => {
                let is_said = self.desired.files.contains_key(path)
                    || self.desired.leave.contains(thing)
                    || said.contains_key(&WordKey::File(path.to_string()));
                if !is_said && has_value && self.host.file(path.as_str()).is_some() {
                    // What the ledger records would be deleted, were it not left alone.
                    self.own_file(path.as_str(), files, true);
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
            let is_stock = stock.wrote(&thing, &value) && !is_own_word(&name, &value);
            if known || is_stock || is_own_name(self.host, &name, &value) {
                continue;
            }
            if let Some(why) = unsayable(&name, &value) {
                self.not_managed.push(NotManaged {
                    thing: format!("main.cf:{name}"),
                    why: why.to_owned(),
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
            let is_stock = debian_entry(&service).is_some();
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
                        self.secret_option(&thing);
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

    fn secret_option(&mut self, thing: &Thing) {
        self.not_managed.push(NotManaged {
            thing: thing.to_string(),
            why: "its value holds a secret".to_owned(),
        });
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

/// Whether a value is the site's own where packages write several.
fn is_own_word(name: &str, value: &str) -> bool {
    match name {
        "smtpd_banner" => {
            value != "$myhostname ESMTP" && !value.starts_with("$myhostname ESMTP $mail_name")
        }
        "unknown_local_recipient_reject_code" => value != "550",
        _ => false,
    }
}

/// Whether a value is only the host's own name, which differs on every host.
fn is_own_name(host: &SeenHost, name: &str, value: &str) -> bool {
    name == "myhostname" && value.eq_ignore_ascii_case(host.name.as_str())
}
