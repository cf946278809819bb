//! What can be said of values before any Postfix reads them: Postfix takes any text, and the
//! program that needs the value dies when mail comes.
//!
//! [`judge`] looks at values and facts alone, so it serves whole hosts and those of a manifest
//! that means nothing yet ([`value_problems`]).

mod expansion;
mod master;
mod names;
mod restrictions;
pub(in crate::compile) mod tables;
mod unresolved;

pub use unresolved::value_problems;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::work::{Origin, Work};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::name::Parameter;
use crate::postfix::catalogue::{self, Problem};
use crate::postfix::expand;
use crate::state::{Facts, Want};
use crate::thing::Thing;

/// The values of one host, and what is known of it.
struct Values<'a> {
    all: &'a BTreeMap<Thing, Want<String>>,
    place: &'a dyn Fn(&Thing) -> Span,
    /// Where a word of a thing's value was given.
    place_of: &'a dyn Fn(&Thing, &str) -> Span,
    facts: &'a Facts,
}

/// What was found in them.
#[derive(Debug, Default)]
struct Found {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Warnings by facts that nobody has observed.
    guesses: Vec<Diagnostic>,
    /// Things with an error of their own: what depends on them is not judged.
    wrong: BTreeSet<Thing>,
}

impl Work<'_> {
    /// Looks at every value, whoever gave it.
    pub(in crate::compile) fn check_values(&mut self) {
        let origins = &self.compiled.origins;
        let here = self.host.at;
        let place = |thing: &Thing| {
            origins
                .get(thing)
                .and_then(|origins| origins.first())
                .map_or(here, |origin| origin.at)
        };
        let place_of = |thing: &Thing, word: &str| {
            let origins = origins.get(thing).map_or(&[][..], Vec::as_slice);
            word_of(origins, word).unwrap_or(here)
        };
        let found = judge(&Values {
            all: &self.compiled.desired.values,
            place: &place,
            place_of: &place_of,
            facts: self.facts,
        });
        self.problems.extend(found.errors);
        self.compiled.warnings.extend(found.warnings);
        self.compiled.guesses.extend(found.guesses);
    }
}

/// The place of a word: that of the member which has it, in the nearest layer that puts it into the list, or of the
/// value that the lists below begin with.
fn word_of(origins: &[Origin], word: &str) -> Option<Span> {
    let given = origins.iter().find_map(|origin| match &origin.members {
        None => Some(origin.at),
        Some(members) => members
            .iter()
            .find(|(member, _)| member.contains(word))
            .map(|(_, at)| *at),
    });
    given.or_else(|| origins.first().map(|origin| origin.at))
}

/// Looks at every value.
fn judge(values: &Values<'_>) -> Found {
    let mut found = Found::default();
    let services = LazyCell::new(|| names::services(values));
    let classes = restrictions::classes(values);
    let set = LazyCell::new(|| names::set(values));
    for (thing, text) in values.present() {
        let at = (values.place)(thing);
        // Values are one line: postconf(1) takes no line ends.
        if text.contains(['\n', '\r', '\0']) {
            let problem = Diagnostic::error(format!("the value of `{thing}` has a line end"))
                .at(at, "")
                .hint("write it on one line, or fold it with `>-`");
            found.error(thing, problem);
            continue;
        }
        if let Some((summary, hint)) = master::unfit(thing, text) {
            found.error(thing, Diagnostic::error(summary).at(at, "").hint(hint));
        }
        let Some(name) = parameter(thing) else {
            continue;
        };
        let name = name.as_str();
        names::version(values, thing, name, &mut found);
        // The plan looks at the services that the host has.
        if !values.facts.observed() {
            names::service(values, thing, name, &services, &mut found);
        }
        if !catalogue::is_expanded(name) {
            continue;
        }
        if let Err(problem) = expand::syntax(text.as_bytes()) {
            found.error(thing, expansion::fatal(thing, at, &problem));
        } else if let Err(problem) = catalogue::check(name, text) {
            found.error(thing, diagnostic(problem).at(at, ""));
        }
        if text.contains('$') {
            names::references(values, thing, text, &set, &mut found);
        }
        tables::types(values, thing, name, text, &mut found);
        restrictions::words(values, thing, name, text, &classes, &mut found);
    }
    if !values.facts.observed() {
        names::entries(values, &mut found);
    }
    restrictions::guard(values, &classes, &mut found);
    expansion::judge(values, &mut found);
    found
}

impl Values<'_> {
    /// What is set, without what must not be.
    fn present(&self) -> impl Iterator<Item = (&Thing, &str)> {
        self.all.iter().filter_map(|(thing, want)| match want {
            Want::Present(text) => Some((thing, text.as_str())),
            Want::Absent => None,
        })
    }
}

impl Found {
    fn error(&mut self, thing: &Thing, problem: Diagnostic) {
        self.wrong.insert(thing.clone());
        self.errors.push(problem);
    }

    /// An error where a host has said so; where its facts are only assumed, a warning.
    fn by_facts(&mut self, facts: &Facts, thing: &Thing, problem: Diagnostic) {
        if facts.observed() {
            self.error(thing, problem);
        } else {
            self.guess(problem);
        }
    }

    /// A warning of what would be wrong if the host is as is assumed.
    fn guess(&mut self, problem: Diagnostic) {
        self.guesses.push(Diagnostic {
            level: Severity::Warning,
            ..problem
        });
    }
}

/// The parameter whose value a thing is.
fn parameter(thing: &Thing) -> Option<&Parameter> {
    match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => Some(name),
        _ => None,
    }
}

fn diagnostic(problem: Problem) -> Diagnostic {
    let mut said = Diagnostic::error(problem.summary);
    said.detail = problem.detail;
    said.hint = problem.hint;
    said
}
