//! master.cf entries: field by field and option by option.

use std::collections::{BTreeMap, BTreeSet};

use super::layer;
use super::layer::plain_origin;
use super::setting::RoleValue;
use super::work::Work;
use crate::model::{Layer, ServiceSpec};
use crate::name::ServiceName;
use crate::postfix::command_of;
use crate::state::Want;
use crate::thing::{Field, Thing};

impl Work<'_> {
    pub(super) fn services(&mut self) {
        let mut names: BTreeSet<&ServiceName> = self.host.services.keys().collect();
        for role in &self.roles {
            names.extend(role.module.services.keys());
        }
        let names: Vec<ServiceName> = names.into_iter().cloned().collect();
        for name in names {
            self.service(&name);
        }
    }

    fn service(&mut self, name: &ServiceName) {
        let whole = Thing::Service(name.clone());
        let layers = self.host.services.get(name);
        let mut by_thing: BTreeMap<Thing, Vec<(usize, RoleValue)>> = BTreeMap::new();
        let mut spoken = false;
        for role in 0..self.roles.len() {
            let Some(module) = self.roles.get(role).map(|role| role.module) else {
                continue;
            };
            let own = match module.services.get(name) {
                Some(own) if self.named(&whole, role) => Some(own),
                _ => None,
            };
            if own.is_none() && !layer::has_word(layers, &module.role) {
                continue;
            }
            spoken = true;
            let chain = layer::of_role(layers, Some(&module.role));
            for (thing, word) in self.entry(name, &chain, own.map(|own| (role, own))) {
                by_thing.entry(thing).or_default().push((role, word));
            }
        }
        if !spoken {
            let chain = layer::of_role(layers, None);
            for (thing, word) in self.entry(name, &chain, None) {
                by_thing.entry(thing).or_default().push((0, word));
            }
        }
        // One role that takes the entry away and one that sets a field of it cannot both be right.
        if let Some((absent_role, absent)) = by_thing.get(&whole).and_then(|words| words.first()) {
            let other = by_thing
                .iter()
                .filter(|(thing, _)| **thing != whole)
                .find_map(|(_, words)| words.first());
            if let Some((role, word)) = other
                && let (Some(one), Some(two)) =
                    (self.role_name(*absent_role), self.role_name(*role))
            {
                let here = self.host.at;
                let at = |word: &RoleValue| word.origins.first().map_or(here, |origin| origin.at);
                let problem = layer::conflict(
                    &whole,
                    (one, "null", at(absent)),
                    (two, "an entry", at(word)),
                    here,
                );
                self.problems.push(problem);
                return;
            }
        }
        for (thing, words) in by_thing {
            if let Some(word) = self.agree(&thing, words) {
                self.take(thing, word);
            }
        }
    }

    /// The words of one role on the parts of an entry. Layers below one that takes the entry
    /// away do not count.
    fn entry(
        &mut self,
        name: &ServiceName,
        chain: &[&Layer<ServiceSpec>],
        own: Option<(usize, &Layer<ServiceSpec>)>,
    ) -> BTreeMap<Thing, RoleValue> {
        let mut words: BTreeMap<Thing, RoleValue> = BTreeMap::new();
        let own_role = own.map(|(role, _)| role);
        let layers = chain
            .iter()
            .copied()
            .map(|layer| (None, layer))
            .chain(own.into_iter().map(|(_, layer)| (own_role, layer)));
        for (role, layer) in layers {
            let (fields, options) = match &layer.value {
                ServiceSpec::Absent => {
                    if words.is_empty() {
                        let word = RoleValue {
                            want: Want::Absent,
                            origins: vec![plain_origin(&layer.level, layer.at, "null")],
                        };
                        words.insert(Thing::Service(name.clone()), word);
                    }
                    break;
                }
                ServiceSpec::Entry { fields, options } => (fields, options),
            };
            let parts = fields
                .iter()
                .map(|(field, value)| (Thing::Field(name.clone(), *field), Some(value)))
                .chain(options.iter().map(|(option, value)| {
                    (Thing::Option(name.clone(), option.clone()), value.as_ref())
                }));
            for (thing, value) in parts {
                let Some(want) = self.part(&thing, value, role) else {
                    continue;
                };
                let shown = match &want {
                    Want::Present(text) => text.as_str(),
                    Want::Absent => "null",
                };
                let origin = plain_origin(&layer.level, layer.at, shown);
                words
                    .entry(thing)
                    .and_modify(|word| word.origins.push(origin.clone()))
                    .or_insert_with(|| RoleValue {
                        want,
                        origins: vec![origin],
                    });
            }
        }
        words
    }

    /// What one layer wants of a part of an entry. `role` is the module's where the layer is a module, whose values
    /// are templates. None where its template fails, which is among the problems then.
    fn part(
        &mut self,
        thing: &Thing,
        value: Option<&String>,
        role: Option<usize>,
    ) -> Option<Want<String>> {
        let text = match (value, role) {
            (None, _) => return Some(Want::Absent),
            (Some(text), None) => text.clone(),
            (Some(_), Some(role)) => {
                let name = crate::module::value_name(self.role_name(role)?.as_str(), thing);
                self.render(&name, role)?
            }
        };
        Some(Want::Present(match thing {
            // One form to compare by. A text that is not a command is reported with the other values.
            Thing::Field(_, Field::Command) => command_of(&text).unwrap_or(text),
            _ => text,
        }))
    }
}
