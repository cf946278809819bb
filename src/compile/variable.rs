//! A module's variables on one host.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use tera::Value;

use super::layer;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Host, Level};
use crate::module::{Module, Modules};
use crate::nearest::nearest;
use crate::secret::Body;
use crate::thing::Thing;

/// A module must declare every variable that the manifest sets: one for a host by a module of that host,
/// one for a role by that role's module, and one of a wider layer by any module.
pub(super) fn check_names(modules: &Modules, host: &Host, problems: &mut Vec<Diagnostic>) {
    for (name, layers) in &host.vars {
        for word in layers {
            let among: Vec<&Module> = match &word.level {
                Level::Host | Level::Range => host
                    .roles
                    .iter()
                    .filter_map(|role| modules.0.get(role))
                    .collect(),
                Level::Role(role) | Level::Module(role) => {
                    modules.0.get(role).into_iter().collect()
                }
                Level::Site(_) | Level::Defaults | Level::Postfix => modules.0.values().collect(),
            };
            let known: BTreeSet<&str> = among
                .iter()
                .flat_map(|module| module.vars.keys().map(String::as_str))
                .collect();
            if known.contains(name.as_str()) {
                continue;
            }
            let roles: Vec<&str> = among.iter().map(|module| module.role.as_str()).collect();
            let problem = Diagnostic::error(format!("there is no variable `{name}`"))
                .at(word.at, "")
                .detail(format!(
                    "the roles `{}` have no such variable",
                    roles.join("`, `")
                ));
            let known: Vec<&str> = known.into_iter().collect();
            problems.push(match nearest(name, &known) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None if known.is_empty() => {
                    problem.hint("remove it: these modules have no variables")
                }
                None => problem.hint(format!("write one of `{}`", known.join("`, `"))),
            });
        }
    }
}

/// Whether the manifest sets a variable of the module on this host.
pub(super) fn any_set(module: &Module, host: &Host) -> bool {
    host.vars.keys().any(|name| module.vars.contains_key(name))
}

/// The variables of a module, all with their defaults.
pub(super) fn defaults(module: &Module) -> Value {
    let values: BTreeMap<String, Value> = module
        .vars
        .iter()
        .map(|(name, variable)| (name.clone(), Value::from_serializable(&variable.default)))
        .collect();
    Value::from(values)
}

/// The variables of a module as its templates see them: every declared one is set.
pub(super) fn values(module: &Module, host: &Host, problems: &mut Vec<Diagnostic>) -> Value {
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for (name, variable) in &module.vars {
        let chain = layer::of_role(host.vars.get(name), Some(&module.role));
        let value = match chain.first() {
            Some(word) if !variable.kind.admits(&word.value) => {
                problems.push(
                    Diagnostic::error(format!("`{name}` is not {}", variable.kind.wanted()))
                        .at(word.at, "")
                        .detail(variable.doc.trim())
                        .hint(variable.kind.hint()),
                );
                &variable.default
            }
            Some(word) if Body::reserved(&word.value.to_string()) => {
                problems.push(
                    Diagnostic::error(format!("`{name}` holds a reserved character"))
                        .at(word.at, "")
                        .detail("U+FDD0 and U+FDD1 are not characters of any text")
                        .hint("take it out"),
                );
                &variable.default
            }
            Some(word) => {
                if let Some((text, wanted, why)) = variable.wrong_text(&word.value) {
                    let what = wanted.what();
                    problems.push(
                        Diagnostic::error(format!("`{text}` in `{name}` is not {what}"))
                            .at(word.at, why)
                            .hint(variable.doc.trim()),
                    );
                }
                &word.value
            }
            None => &variable.default,
        };
        values.insert(name.clone(), Value::from_serializable(value));
    }
    Value::from(values)
}

/// What the manifest says of a variable that decides what a module says of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The variable.
    pub name: String,
    /// Which layer sets it.
    pub level: Level,
    /// Where.
    pub at: Span,
    /// To what.
    pub value: Json,
}

/// The variables that a module's word on a thing is made of, as far as the manifest sets them.
/// Only `explain` and messages need it, so it is made on demand.
pub(super) fn behind(module: &Module, thing: &Thing, host: &Host) -> Vec<Behind> {
    set(module, module.variables_of(thing), host)
}

/// Those of the variables that the manifest sets, with its nearest word on each.
pub(super) fn set(module: &Module, names: BTreeSet<String>, host: &Host) -> Vec<Behind> {
    let words = names.into_iter().filter_map(|name| {
        let chain = layer::of_role(host.vars.get(&name), Some(&module.role));
        let word = chain.first()?;
        Some(Behind {
            level: word.level.clone(),
            at: word.at,
            value: word.value.clone(),
            name,
        })
    });
    words.collect()
}
