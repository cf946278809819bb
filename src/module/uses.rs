//! Which variables decide what a module says of a thing.

use std::collections::BTreeSet;

use super::{Check, Module, names};
use crate::model::{ContentSpec, FileSpec, ServiceSpec, SettingSpec};
use crate::thing::Thing;

/// Templates that include each other in a circle are no reason to go round for ever.
const DEEP: usize = 8;

impl Module {
    /// The variables that decide whether and how the module names a thing: those in its value or
    /// template, in templates included there, and in its condition.
    #[must_use]
    pub fn variables_of(&self, thing: &Thing) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if let Some(text) = self.text_of(thing) {
            self.collect(text, DEEP, &mut found);
        }
        found.append(&mut self.variables_of_condition(thing));
        found
    }

    /// The variables in the condition of a thing.
    #[must_use]
    pub fn variables_of_condition(&self, thing: &Thing) -> BTreeSet<String> {
        let whole = match thing {
            Thing::Field(service, _) | Thing::Option(service, _) => {
                Some(Thing::Service(service.clone()))
            }
            _ => None,
        };
        [Some(thing), whole.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|thing| self.when.get(thing))
            .flat_map(|when| names::variables(&format!("{{% if {} %}}", when.value)))
            .collect()
    }

    /// Whether the module may set a thing. A file with `per:` has several paths.
    #[must_use]
    pub fn may_name(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Parameter(name) => self.settings.contains_key(name),
            Thing::File(path) => {
                let copy = |stem: &str| path.as_str().starts_with(&format!("{stem}-"));
                self.files.contains_key(path)
                    || self
                        .per
                        .keys()
                        .any(|of| copy(of.as_str().trim_end_matches(".cf")))
            }
            Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
                self.services.contains_key(service)
            }
        }
    }

    /// Everything that the module may set, as `leave:` names it.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let settings = self.settings.keys().map(ToString::to_string);
        let files = self.files.keys().map(ToString::to_string);
        let services = self.services.keys().map(ToString::to_string);
        settings.chain(files).chain(services).collect()
    }

    fn text_of(&self, thing: &Thing) -> Option<&str> {
        let entry = |service| match self.services.get(service).map(|layer| &layer.value) {
            Some(ServiceSpec::Entry { fields, options }) => Some((fields, options)),
            _ => None,
        };
        match thing {
            Thing::Parameter(name) => match &self.settings.get(name)?.value {
                SettingSpec::Value(text) => Some(text),
                _ => None,
            },
            Thing::File(path) => match &self.files.get(path)?.value {
                FileSpec::Present {
                    content: ContentSpec::Literal(text) | ContentSpec::Template { text, .. },
                    ..
                } => Some(text),
                FileSpec::Absent => None,
            },
            Thing::Field(service, field) => entry(service)?.0.get(field).map(String::as_str),
            Thing::Option(service, name) => entry(service)?.1.get(name)?.as_deref(),
            Thing::Service(_) => None,
        }
    }

    fn collect(&self, text: &str, deep: usize, found: &mut BTreeSet<String>) {
        found.append(&mut names::variables(text));
        if deep == 0 {
            return;
        }
        for (_, rest) in text
            .match_indices("include \"")
            .map(|(at, word)| (at, &text[at + word.len()..]))
        {
            let name = rest.split('"').next().unwrap_or_default();
            if let Some(template) = self.templates.get(name) {
                self.collect(&template.text, deep - 1, found);
            }
        }
    }
}

impl Check {
    /// The variables that decide whether the check has something to say.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        names::variables(&format!("{{% if {} %}}", self.when.value))
    }
}
