//! What values with `$name` in them come to, as far as that can be known without the host.
//!
//! A name that the host's desired state gives is known. A built-in default holds unless the
//! host's own main.cf says otherwise. All else only the host knows, and what depends on it is
//! not judged here.

use std::collections::BTreeSet;

use super::{Found, Values, diagnostic, parameter};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::name::Parameter;
use crate::postfix::{catalogue, defaults, expand};
use crate::state::Want;
use crate::thing::Thing;

/// Names that double each other grow without end; what needs more look-ups than this is left alone.
const LOOKUPS: usize = 1000;

/// What an expansion depended on.
#[derive(Debug, Default)]
struct Sources {
    /// Things of the desired state.
    desired: BTreeSet<Thing>,
    /// A built-in default that the host may override.
    assumed: bool,
    /// Something that only the host knows.
    unknown: bool,
    lookups: usize,
}

/// Judges every value that refers to others, and whose own text is right.
pub(super) fn judge(values: &Values<'_>, found: &mut Found) {
    for (thing, text) in values.present() {
        let Some(name) = parameter(thing) else {
            continue;
        };
        if !text.contains('$')
            || found.wrong.contains(thing)
            || !catalogue::is_expanded(name.as_str())
        {
            continue;
        }
        let mut sources = Sources::default();
        let expanded = expand::expand(text.as_bytes(), &mut |name| {
            sources.look_up(values, thing, name)
        });
        if sources.unknown || !sources.desired.is_disjoint(&found.wrong) {
            continue;
        }
        let at = (values.place)(thing);
        match expanded {
            Err(problem) if sources.desired.contains(thing) => {
                found.error(thing, fatal(thing, at, &problem));
            }
            // A circle that others go around in: each of them is told so.
            Err(_) => {}
            Ok(value) => {
                let value = String::from_utf8_lossy(&value);
                if let Err(problem) = catalogue::check(name.as_str(), &value) {
                    let mut said = diagnostic(problem).at(at, format!("comes to `{value}`"));
                    for other in &sources.desired {
                        said =
                            said.related((values.place)(other), format!("`{other}` is set here"));
                    }
                    if sources.assumed {
                        said.level = Severity::Warning;
                        found.warnings.push(said.detail(format!(
                            "`{text}` comes to that where the host's main.cf leaves the defaults alone"
                        )));
                    } else {
                        found.error(thing, said);
                    }
                }
            }
        }
    }
}

/// A value that Postfix cannot expand at all.
pub(super) fn fatal(thing: &Thing, at: Span, problem: &str) -> Diagnostic {
    let hint = if problem.starts_with("unreasonable") {
        "it refers to itself; write out what it shall be"
    } else {
        "write `$name` or `${name}`; a `$` itself is written `$$`"
    };
    Diagnostic::error(format!("the value of `{thing}` cannot be expanded"))
        .at(at, "")
        .detail(format!("every program that reads it would die: {problem}"))
        .hint(hint)
}

impl Sources {
    /// What a name stands for in the value of `thing`: a service's own option counts before main.cf.
    fn look_up(&mut self, values: &Values<'_>, thing: &Thing, name: &[u8]) -> Option<Vec<u8>> {
        self.lookups += 1;
        let name = std::str::from_utf8(name).ok()?;
        let Ok(parameter) = Parameter::new(name) else {
            return None;
        };
        if self.lookups > LOOKUPS {
            self.unknown = true;
            return None;
        }
        if let Thing::Option(service, _) = thing {
            let option = Thing::Option(service.clone(), parameter.clone());
            if let Some(Want::Present(text)) = values.all.get(&option) {
                self.desired.insert(option);
                return Some(text.clone().into_bytes());
            }
        }
        let wanted = Thing::Parameter(parameter);
        match values.all.get(&wanted) {
            Some(Want::Present(text)) => {
                self.desired.insert(wanted);
                return Some(text.clone().into_bytes());
            }
            Some(Want::Absent) => {}
            None => self.assumed = true,
        }
        let default = defaults::value(name).filter(|_| !defaults::OF_THE_MACHINE.contains(&name));
        self.unknown |= default.is_none();
        default.map(|default| default.as_bytes().to_vec())
    }
}
