//! Checks the expansion of values with `$name`, as far as it is known without the host.
//!
//! The value of a name in the host's desired state is known. A built-in default is assumed, because the host's own main.cf
//! may set the parameter. Anything else is known only on the host, and a value that depends on it is not checked here.

use std::collections::BTreeSet;

use super::{Found, Values, diagnostic, parameter, view_of};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::name::Parameter;
use crate::postfix::catalogue;
use crate::postfix::configuration::{ExpandError, ValueSource};
use crate::postfix::expand::is_too_far;
use crate::thing::Thing;

/// Checks every value that refers to other parameters and whose own text has no error.
pub(super) fn check_references(values: &Values<'_>, found: &mut Found) {
    let settings = values.settings();
    let configuration = values.configuration(&settings);
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
        let expanded = view_of(configuration, thing).expand(text);
        let desired = desired_uses(thing, &expanded.uses);
        if !desired.is_disjoint(&found.wrong) {
            continue;
        }
        let assumed = expanded
            .uses
            .iter()
            .any(|(_, source)| *source == ValueSource::Assumed);
        match expanded.text {
            Err(ExpandError::Syntax(problem)) if desired.contains(thing) => {
                found.error(thing, cannot_expand(thing, (values.place)(thing), &problem));
            }
            Err(ExpandError::Syntax(problem)) if is_too_far(&problem) => {
                found.error(thing, too_far((values.place)(thing), &problem));
            }
            // Either it depends on the host, or another value refers to itself, which has an error of its own.
            Err(_) => {}
            Ok(value) => check_expanded(values, (thing, text), &value, (&desired, assumed), found),
        }
    }
}

/// A value that Postfix would need all memory for.
fn too_far(at: Span, problem: &str) -> Diagnostic {
    Diagnostic::error(problem)
        .at(at, "expands without end")
        .hint("let fewer of the values refer to each other")
}

/// The things of the desired state that an expansion in the value of `thing` used.
fn desired_uses(thing: &Thing, uses: &BTreeSet<(String, ValueSource)>) -> BTreeSet<Thing> {
    let used = uses.iter().filter_map(|(name, source)| {
        let name = Parameter::new(name.as_str()).ok()?;
        match (source, thing) {
            (ValueSource::Option, Thing::Option(service, _)) => {
                Some(Thing::Option(service.clone(), name))
            }
            (ValueSource::MainCf, _) => Some(Thing::Parameter(name)),
            _ => None,
        }
    });
    used.collect()
}

/// Checks an expanded value.
fn check_expanded(
    values: &Values<'_>,
    (thing, text): (&Thing, &str),
    value: &str,
    (desired, assumed): (&BTreeSet<Thing>, bool),
    found: &mut Found,
) {
    let Some(problem) =
        parameter(thing).and_then(|name| catalogue::check(name.as_str(), value).err())
    else {
        return;
    };
    let at = (values.place)(thing);
    let mut said = diagnostic(problem).at(at, format!("expands to `{value}`"));
    for other in desired {
        said = said.related((values.place)(other), format!("`{other}` is set here"));
    }
    if assumed {
        said.level = Severity::Warning;
        found.warnings.push(said.detail(format!(
            "`{text}` expands to that unless the host's main.cf changes a default"
        )));
    } else {
        found.error(thing, said);
    }
}

/// The error for a value that Postfix cannot expand.
pub(super) fn cannot_expand(thing: &Thing, at: Span, problem: &str) -> Diagnostic {
    let hint = if problem.starts_with("unreasonable") {
        "write the value without the reference to itself"
    } else {
        "write `$name` or `${name}`, and `$$` for a `$`"
    };
    Diagnostic::error(format!("the value of `{thing}` cannot be expanded"))
        .at(at, "")
        .detail(format!(
            "every program that reads it would stop with a fatal error: {problem}"
        ))
        .hint(hint)
}
