//! The things that words are about, and words that contradict each other.

use super::word::{WordKey, Words};
use crate::name::{Parameter, RemotePath};
use crate::state::DesiredService;
use crate::thing::Thing;

/// The word that leaves alone what a module would manage in the place of this one. None where no module does.
#[must_use]
pub fn left_alone(key: &WordKey, desired: &DesiredService) -> Option<WordKey> {
    let thing = match key {
        WordKey::File(path) => Thing::File(RemotePath::new(path.as_str()).ok()?),
        WordKey::Setting(name) => Thing::Parameter(Parameter::new(name.as_str()).ok()?),
        WordKey::Column(service, _) | WordKey::Option(service, _) => {
            return Some(WordKey::Leave(service.clone()));
        }
        WordKey::Variable(_) | WordKey::Leave(_) => return None,
    };
    let is_wanted = match &thing {
        Thing::File(path) => desired.files.contains_key(path),
        thing => desired.values.contains_key(thing),
    };
    is_wanted.then(|| match key {
        WordKey::File(name) | WordKey::Setting(name) => WordKey::Leave(name.clone()),
        other => other.clone(),
    })
}

/// A layer must not both set a thing and leave it alone: the newer word counts.
pub fn contradict(words: &mut Words, key: &WordKey) {
    let service_of = |thing: &str, service: &str| thing == service;
    match key {
        WordKey::Leave(thing) => words.retain(|known, _| match known {
            WordKey::Setting(name) | WordKey::File(name) => name != thing,
            WordKey::Column(service, _) | WordKey::Option(service, _) => {
                !service_of(thing, service)
            }
            WordKey::Variable(_) | WordKey::Leave(_) => true,
        }),
        WordKey::Setting(name) | WordKey::File(name) => {
            words.remove(&WordKey::Leave(name.clone()));
        }
        WordKey::Column(service, _) | WordKey::Option(service, _) => {
            words.remove(&WordKey::Leave(service.clone()));
        }
        WordKey::Variable(_) => {}
    }
}

/// The thing that a word is about, as reports name it.
#[must_use]
pub fn thing_of(key: &WordKey) -> String {
    match key {
        WordKey::Variable(name) => format!("vars.{name}"),
        WordKey::Setting(name) => format!("main.cf:{name}"),
        WordKey::Column(service, column) => format!("master.cf:{service}/{column}"),
        WordKey::Option(service, name) => format!("master.cf:{service}:{name}"),
        WordKey::File(path) | WordKey::Leave(path) => path.clone(),
    }
}
