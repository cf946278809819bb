//! The layers of a host: which of several values of one thing wins.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Host, Layer, Level};
use crate::module::{Module, Modules};
use crate::name::{Parameter, RemotePath, RoleName, ServiceName};
use crate::nearest::nearest;
use crate::secret::{Body, MASK};
use crate::thing::Thing;

use super::work::{ValueOrigin, Work};

/// The layers that count for one role, the nearest first.
pub(super) fn of_role<'l, T>(
    layers: Option<&'l Vec<Layer<T>>>,
    role: Option<&RoleName>,
) -> Vec<&'l Layer<T>> {
    layers
        .into_iter()
        .flatten()
        .filter(|layer| match &layer.level {
            Level::Role(of) => Some(of) == role,
            _ => true,
        })
        .collect()
}

/// Whether a role has its own word on a thing, in the manifest under `modules.<role>`.
pub(super) fn has_word<T>(layers: Option<&Vec<Layer<T>>>, role: &RoleName) -> bool {
    layers
        .into_iter()
        .flatten()
        .any(|layer| layer.level == Level::Role(role.clone()))
}

/// Two roles of one host want one thing differently.
pub(super) fn conflict(
    thing: &Thing,
    one: (&RoleName, &str, Span),
    other: (&RoleName, &str, Span),
    host: Span,
) -> Diagnostic {
    Diagnostic::error(format!(
        "the roles `{}` and `{}` set `{thing}` to different values",
        one.0, other.0
    ))
    .at(host, "this host has both roles")
    .related(one.2, format!("`{}` sets `{}`", one.0, shorten(one.1)))
    .related(
        other.2,
        format!("`{}` sets `{}`", other.0, shorten(other.1)),
    )
    .hint("set the value on the host")
}

fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() > 60 {
        line.chars().take(60).chain("…".chars()).collect()
    } else {
        line.to_owned()
    }
}

/// How the warnings of [`check_leave`] begin.
const NO_MODULE: &str = "no module manages";

/// What is left alone should be something that a module would manage, or that the manifest names
/// on a wider layer: anything else is never touched in any case, and mostly a slip.
pub(super) fn check_leave(modules: &Modules, host: &Host, warnings: &mut Vec<Diagnostic>) {
    for word in &host.leave {
        let Ok(thing) = left_thing(&word.value) else {
            continue;
        };
        let among: Vec<&Module> = match &word.level {
            Level::Host | Level::Range => host
                .roles
                .iter()
                .filter_map(|role| modules.0.get(role))
                .collect(),
            Level::Role(role) | Level::Module(role) => modules.0.get(role).into_iter().collect(),
            Level::Site(_) | Level::Defaults | Level::Postfix => modules.0.values().collect(),
        };
        if among.iter().any(|module| module.may_name(&thing)) || said_by(host, &thing) {
            continue;
        }
        let known: BTreeSet<String> = among.iter().flat_map(|module| module.names()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let problem = Diagnostic::warning(format!("{NO_MODULE} `{}`", word.value))
            .at(word.at, "left alone anyway");
        warnings.push(match nearest(&word.value, &known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint(
                "remove it, unless an earlier apply managed it: then the next one forgets it, and it stays as it is",
            ),
        });
    }
}

/// Whether a warning is one of [`check_leave`].
pub(super) fn is_about_leave(warning: &Diagnostic) -> bool {
    warning.summary.starts_with(NO_MODULE)
}

fn said_by(host: &Host, thing: &Thing) -> bool {
    match thing {
        Thing::Parameter(name) => host.settings.contains_key(name),
        Thing::File(path) => host.files.contains_key(path),
        Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
            host.services.contains_key(service)
        }
    }
}

impl Work<'_> {
    /// Reads `leave:`: what is not managed here, and who said so.
    pub(super) fn leave(&mut self) {
        for layer in &self.host.leave {
            let Ok(thing) = left_thing(&layer.value) else {
                self.problems.push(
                    Diagnostic::error(format!(
                        "`{}` is not a parameter, a file or a service",
                        layer.value
                    ))
                    .at(layer.at, "")
                    .hint(
                        "write a parameter's name, the path of a file, or a service as in \
                             `lmtp/unix`, `lmtp/unix/chroot` or `lmtp/unix:soft_bounce`",
                    ),
                );
                continue;
            };
            // Layers come nearest first: the nearest word is kept.
            self.left
                .entry(thing.clone())
                .or_insert_with(|| (layer.level.clone(), layer.at));
        }
    }

    /// Adds what is left alone and no layer names: an apply that managed it before forgets it, and it stays as it is.
    pub(super) fn keep_left(&mut self) {
        let left: Vec<Thing> = self.left.keys().cloned().collect();
        let wanted = self.compiled.wanted_mut();
        for thing in left {
            let is_wanted = match &thing {
                Thing::File(path) => wanted.files.contains_key(path),
                Thing::Service(service) => {
                    let parts = wanted.values.keys().chain(&wanted.leave);
                    parts.into_iter().any(|known| match known {
                        Thing::Field(of, _) | Thing::Option(of, _) => of == service,
                        _ => false,
                    })
                }
                thing => wanted.values.contains_key(thing),
            };
            if !is_wanted {
                wanted.leave.insert(thing);
            }
        }
    }

    /// Whether a thing, whose winner is of that level, is left alone. A nearer layer that names
    /// the thing has the last word; one layer that does both contradicts itself.
    pub(super) fn is_left(&mut self, thing: &Thing, winner: &Level, at: Span) -> bool {
        let whole = match thing {
            Thing::Field(service, _) | Thing::Option(service, _) => {
                Some(Thing::Service(service.clone()))
            }
            _ => None,
        };
        for left in [Some(thing.clone()), whole].into_iter().flatten() {
            let Some((level, left_at)) = self.left.get(&left) else {
                continue;
            };
            if level == winner {
                self.problems.push(
                    Diagnostic::error(format!("one layer both sets `{thing}` and leaves it alone"))
                        .at(*left_at, "left alone here")
                        .related(at, "set here")
                        .hint("remove one of the two"),
                );
                return true;
            }
            if level < winner {
                let word = plain_origin(level, *left_at, "left alone");
                self.compiled.left.insert(thing.clone(), word);
                self.compiled.wanted_mut().leave.insert(thing.clone());
                return true;
            }
        }
        false
    }
}

/// An origin of a value that is given as text.
pub(super) fn plain_origin(level: &Level, at: Span, value: &str) -> ValueOrigin {
    ValueOrigin {
        level: level.clone(),
        at,
        value: if Body::reserved(value) {
            MASK.to_owned()
        } else {
            value.to_owned()
        },
        members: None,
    }
}

fn left_thing(text: &str) -> Result<Thing, crate::name::NameError> {
    if text.starts_with('/') {
        return RemotePath::new(text).map(Thing::File);
    }
    if text.starts_with("main.cf:") || text.starts_with("master.cf:") {
        return text.parse();
    }
    if text.contains('/') {
        return match ServiceName::new(text) {
            Ok(service) => Ok(Thing::Service(service)),
            Err(_) => format!("master.cf:{text}").parse(),
        };
    }
    Parameter::new(text).map(Thing::Parameter)
}
