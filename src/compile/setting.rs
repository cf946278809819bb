//! main.cf parameters.

use std::collections::BTreeSet;

use super::layer::plain_origin;
use super::work::{ValueOrigin, Work};
use super::{layer, list};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Layer, Level, SettingSpec};
use crate::name::Parameter;
use crate::postfix::catalogue;
use crate::secret::{Body, MASK};
use crate::state::Want;
use crate::thing::Thing;

/// What the layers of one role say of a value.
pub(super) struct RoleValue {
    pub want: Want<String>,
    pub origins: Vec<ValueOrigin>,
}

impl RoleValue {
    /// The wanted text, for comparison and for messages.
    fn text(&self) -> &str {
        match &self.want {
            Want::Present(text) => text,
            Want::Absent => "null",
        }
    }

    fn at(&self, fallback: Span) -> Span {
        self.origins.first().map_or(fallback, |origin| origin.at)
    }
}

impl Work<'_> {
    pub(super) fn settings(&mut self) {
        let mut names: BTreeSet<&Parameter> = self.host.settings.keys().collect();
        for role in &self.roles {
            names.extend(role.module.settings.keys());
        }
        let names: Vec<Parameter> = names.into_iter().cloned().collect();
        for name in names {
            let thing = Thing::Parameter(name.clone());
            let Some(word) = self.setting(&name, &thing) else {
                continue;
            };
            self.take(thing, word);
        }
    }

    /// Takes a word as the last one on a value, unless the value is left alone.
    pub(super) fn take(&mut self, thing: Thing, word: RoleValue) {
        if let Some(winner) = word.origins.first().cloned()
            && self.is_left(&thing, &winner.level, winner.at)
        {
            return;
        }
        if let Want::Present(text) = &word.want
            && Body::reserved(text)
        {
            self.problems.push(
                Diagnostic::error(format!("`{thing}` would hold a secret"))
                    .at(word.at(self.host.at), "")
                    .detail("main.cf and master.cf are readable by every user of the host")
                    .hint(
                        "put it into a table under `files` with `secrets`, and set the parameter to that table",
                    ),
            );
            return;
        }
        self.compiled.origins.insert(thing.clone(), word.origins);
        self.compiled.wanted_mut().values.insert(thing, word.want);
    }

    /// What the layers say of a parameter. None where no layer sets it, or where two roles differ.
    fn setting(&mut self, name: &Parameter, thing: &Thing) -> Option<RoleValue> {
        let layers = self.host.settings.get(name);
        let mut words: Vec<(usize, RoleValue)> = Vec::new();
        for role in 0..self.roles.len() {
            let module = self.roles.get(role)?.module;
            let own = match module.settings.get(name) {
                Some(own) if self.named(thing, role) => Some(own),
                _ => None,
            };
            if own.is_none() && !layer::has_word(layers, &module.role) {
                continue;
            }
            let mut chain: Vec<Layer<SettingSpec>> = layer::of_role(layers, Some(&module.role))
                .into_iter()
                .cloned()
                .collect();
            // What is plainly said nearer makes the module's own word a matter for `explain` only.
            if let Some(own) = own {
                chain.push(self.rendered(own, thing, role)?);
            }
            words.push((role, self.fold(thing, &chain)?));
        }
        if words.is_empty() {
            let chain: Vec<Layer<SettingSpec>> =
                layer::of_role(layers, None).into_iter().cloned().collect();
            if chain.is_empty() {
                return None;
            }
            return self.fold(thing, &chain);
        }
        self.agree(thing, words)
    }

    /// One word of several roles, or a diagnostic that names two that differ.
    pub(super) fn agree(
        &mut self,
        thing: &Thing,
        mut words: Vec<(usize, RoleValue)>,
    ) -> Option<RoleValue> {
        let (first_role, first) = words.remove(0);
        for (role, word) in &words {
            if word.want != first.want {
                let here = self.host.at;
                let one = self.role_name(first_role)?;
                let other = self.role_name(*role)?;
                let problem = layer::conflict(
                    thing,
                    (one, first.text(), first.at(here)),
                    (other, word.text(), word.at(here)),
                    here,
                );
                self.problems.push(problem);
                return None;
            }
        }
        Some(first)
    }

    fn rendered(
        &mut self,
        own: &Layer<SettingSpec>,
        thing: &Thing,
        role: usize,
    ) -> Option<Layer<SettingSpec>> {
        let value = match &own.value {
            SettingSpec::Value(_) => {
                let name = crate::module::value_name(self.role_name(role)?.as_str(), thing);
                // A folded YAML text may hold line ends, and a loop may end a list with a comma.
                let text = self.render(&name, role)?;
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                SettingSpec::Value(text.trim_end_matches([',', ' ']).to_owned())
            }
            other => other.clone(),
        };
        Some(Layer {
            level: own.level.clone(),
            at: own.at,
            value,
        })
    }

    /// The list that an edit changes: what the layers below give, or Postfix's own default.
    fn base(
        &mut self,
        thing: &Thing,
        at: Span,
        below: &[Layer<SettingSpec>],
    ) -> Result<Option<String>, Diagnostic> {
        if !below.is_empty() {
            match self.fold(thing, below).map(|word| word.want) {
                Some(Want::Present(base)) => return Ok(Some(base)),
                Some(Want::Absent) => {}
                // A problem of that layer, which has been reported.
                None => return Ok(None),
            }
        }
        match own_default(thing) {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(Diagnostic::error(format!("`{thing}` has no list to edit"))
                .at(at, "")
                .detail("no wider layer sets the list, and its default differs from host to host")
                .hint("write the whole value as a text")),
        }
    }

    /// Folds layers, the nearest first, into one word.
    fn fold(&mut self, thing: &Thing, chain: &[Layer<SettingSpec>]) -> Option<RoleValue> {
        let (nearest, below) = chain.split_first()?;
        let mut origins: Vec<ValueOrigin> = chain.iter().map(origin).collect();
        if let SettingSpec::Edit(_) = &nearest.value
            && let Some(text) = below.is_empty().then(|| own_default(thing)).flatten()
        {
            origins.push(plain_origin(&Level::Postfix, nearest.at, text));
        }
        let want = match &nearest.value {
            SettingSpec::Value(text) => Want::Present(text.clone()),
            SettingSpec::Unset => Want::Absent,
            SettingSpec::Edit(edit) => {
                let base = match self.base(thing, nearest.at, below) {
                    Ok(base) => base?,
                    Err(problem) => {
                        self.problems.push(problem);
                        return None;
                    }
                };
                if base.is_empty() && edit.prepend.is_empty() && edit.append.is_empty() {
                    self.problems.push(
                        Diagnostic::error(format!("`{thing}` is an empty list"))
                            .at(nearest.at, "nothing to remove"),
                    );
                    return None;
                }
                let (text, missing) = list::edit(&base, edit);
                for word in missing {
                    self.compiled.warnings.push(
                        Diagnostic::warning(format!("`{word}` is not in the list of `{thing}`"))
                            .at(nearest.at, "nothing to remove")
                            .detail(format!("the list is `{base}`")),
                    );
                }
                Want::Present(text)
            }
        };
        Some(RoleValue { want, origins })
    }
}

/// Postfix's own default for a parameter, where it is known and the same on every machine.
fn own_default(thing: &Thing) -> Option<&'static str> {
    match thing {
        Thing::Parameter(name) => catalogue::default_value(name.as_str()),
        _ => None,
    }
}

fn origin(layer: &Layer<SettingSpec>) -> ValueOrigin {
    let value = match &layer.value {
        SettingSpec::Value(text) if Body::reserved(text) => MASK.to_owned(),
        SettingSpec::Value(text) => text.clone(),
        SettingSpec::Unset => "null".to_owned(),
        SettingSpec::Edit(edit) => {
            let part = |word: &str, list: &[String]| {
                (!list.is_empty()).then(|| format!("{word} {}", list.join(", ")))
            };
            [
                part("prepend", &edit.prepend),
                part("append", &edit.append),
                part("remove", &edit.remove),
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ")
        }
    };
    ValueOrigin {
        level: layer.level.clone(),
        at: layer.at,
        value,
        members: match &layer.value {
            SettingSpec::Edit(edit) => Some(edit.places.clone()),
            _ => None,
        },
    }
}
