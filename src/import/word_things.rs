//! The things that words are about, and words that contradict each other.

use super::word::{WordKey, Words};
use crate::name::{Parameter, RemotePath, ServiceName};
use crate::state::DesiredService;
use crate::thing::{Field, Thing};

/// The word that leaves alone what a module would manage in the place of this one. None where no module does.
#[must_use]
pub fn left_alone(key: &WordKey, desired: &DesiredService) -> Option<WordKey> {
    let service = |name: &str| ServiceName::new(name).ok();
    let (thing, word) = match key {
        WordKey::File(path) => (
            Thing::File(RemotePath::new(path.as_str()).ok()?),
            path.clone(),
        ),
        WordKey::Setting(name) => (
            Thing::Parameter(Parameter::new(name.as_str()).ok()?),
            name.clone(),
        ),
        WordKey::Column(entry, column) => {
            let field = Field::ALL
                .into_iter()
                .find(|field| field.as_str() == *column)?;
            (Thing::Field(service(entry)?, field), part_of(key)?)
        }
        WordKey::Option(entry, name) => {
            let name = Parameter::new(name.as_str()).ok()?;
            (Thing::Option(service(entry)?, name), part_of(key)?)
        }
        WordKey::Variable(_) | WordKey::Leave(_) => return None,
    };
    let is_wanted = match &thing {
        Thing::File(path) => desired.files.contains_key(path),
        thing => desired.values.contains_key(thing),
    };
    is_wanted.then_some(WordKey::Leave(word))
}

/// A layer must not both set a thing and leave it alone: the newer word counts.
pub fn contradict(words: &mut Words, key: &WordKey) {
    match key {
        WordKey::Leave(thing) => words.retain(|known, _| match known {
            WordKey::Setting(name) | WordKey::File(name) => name != thing,
            WordKey::Column(service, _) | WordKey::Option(service, _) => {
                service != thing && part_of(known).as_ref() != Some(thing)
            }
            WordKey::Variable(_) | WordKey::Leave(_) => true,
        }),
        WordKey::Setting(name) | WordKey::File(name) => {
            words.remove(&WordKey::Leave(name.clone()));
        }
        WordKey::Column(service, _) | WordKey::Option(service, _) => {
            words.remove(&WordKey::Leave(service.clone()));
            if let Some(part) = part_of(key) {
                words.remove(&WordKey::Leave(part));
            }
        }
        WordKey::Variable(_) => {}
    }
}

/// A part of an entry of master.cf as `leave` names it.
fn part_of(key: &WordKey) -> Option<String> {
    match key {
        WordKey::Column(service, column) => Some(format!("{service}/{column}")),
        WordKey::Option(service, name) => Some(format!("{service}:{name}")),
        _ => None,
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
