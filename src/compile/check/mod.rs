//! Checks values before any Postfix reads them. Postfix accepts any text, and the program that needs the value stops with a
//! fatal error when mail arrives.
//!
//! [`check`] needs only values and facts, so that it also serves the hosts of a manifest with errors ([`value_problems`]).

mod expansion;
mod master;
mod names;
mod policies;
mod programs;
mod restrictions;
mod settings;
pub(in crate::compile) mod tables;
mod unresolved;

pub use unresolved::value_problems;

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use super::work::{ValueOrigin, Work};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::name::Parameter;
use crate::postfix::catalogue::{self, Problem};
use crate::postfix::configuration::{Configuration, HostEnvironment, Release, View};
use crate::postfix::expand;
use crate::state::{Facts, Want};
use crate::thing::Thing;
use settings::DesiredSettings;

/// The values of one host, its facts, and the places of the values.
struct Values<'a> {
    all: &'a BTreeMap<Thing, Want<String>>,
    place: &'a dyn Fn(&Thing) -> Span,
    /// The place in the manifest or a module that gives a word of a thing's value.
    place_of: &'a dyn Fn(&Thing, &str) -> Span,
    facts: &'a Facts,
}

/// The problems of one host's values.
#[derive(Debug, Default)]
struct Found {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Warnings that depend on assumed facts.
    guesses: Vec<Diagnostic>,
    /// Things with an error of their own. Values that depend on them are not checked.
    wrong: BTreeSet<Thing>,
}

impl Work<'_> {
    /// Checks every value of the host, from the manifest and from modules.
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
        let found = check(&Values {
            all: &self.compiled.wanted().values,
            place: &place,
            place_of: &place_of,
            facts: self.facts,
        });
        let known: Vec<String> = self.problems.iter().filter_map(word_of_summary).collect();
        // A word of a variable that is wrong already is also wrong where a module writes it.
        let is_new = |problem: &Diagnostic| {
            word_of_summary(problem).is_none_or(|word| !known.contains(&word))
        };
        self.problems
            .extend(found.errors.into_iter().filter(is_new));
        self.compiled.warnings.extend(found.warnings);
        self.compiled.guesses.extend(found.guesses);
    }
}

/// The first word in backticks of a problem's summary.
fn word_of_summary(problem: &Diagnostic) -> Option<String> {
    problem.summary.split('`').nth(1).map(str::to_owned)
}

/// The place of a word: the list member that has it, in the nearest layer that adds it, or the whole value that the list
/// starts from.
fn word_of(origins: &[ValueOrigin], word: &str) -> Option<Span> {
    let given = origins.iter().find_map(|origin| match &origin.members {
        None => Some(origin.at),
        Some(members) => members
            .iter()
            .find(|(member, _)| member.contains(word))
            .map(|(_, at)| *at),
    });
    given.or_else(|| origins.first().map(|origin| origin.at))
}

/// Checks every value.
fn check(values: &Values<'_>) -> Found {
    let mut found = Found::default();
    let services = LazyCell::new(|| names::service_names(values));
    let classes = restrictions::classes(values);
    for (thing, text) in values.present() {
        let at = (values.place)(thing);
        // A value is one line: postconf(1) accepts no line breaks.
        if text.contains(['\n', '\r', '\0']) {
            let problem = Diagnostic::error(format!("the value of `{thing}` has a line break"))
                .at(at, "")
                .hint("write it on one line, or fold it with `>-`");
            found.error(thing, problem);
            continue;
        }
        if let Some((summary, hint)) = master::unwritable(thing, text) {
            found.error(thing, Diagnostic::error(summary).at(at, "").hint(hint));
        }
        programs::check(values, thing, text, &mut found);
        let Some(name) = parameter(thing) else {
            continue;
        };
        let name = name.as_str();
        names::check_release(values, thing, name, &mut found);
        // On an observed host the plan checks this with the host's own services.
        if !values.facts.observed() {
            names::check_service(values, thing, name, &services, &mut found);
        }
        if !catalogue::is_expanded(name) {
            continue;
        }
        if let Err(problem) = expand::syntax(text.as_bytes()) {
            found.error(thing, expansion::cannot_expand(thing, at, &problem));
        } else if let Err(problem) = catalogue::check(name, text) {
            let at = problem
                .word
                .as_deref()
                .map_or(at, |word| (values.place_of)(thing, word));
            found.error(thing, diagnostic(problem).at(at, ""));
        }
        if text.contains('$') {
            names::check_references(values, thing, text, &mut found);
        }
        tables::check_types(values, thing, name, text, &mut found);
        restrictions::check_list(values, thing, name, text, &classes, &mut found);
    }
    if !values.facts.observed() {
        names::check_entries(values, &mut found);
    }
    restrictions::check_relay_guard(values, &classes, &mut found);
    expansion::check_references(values, &mut found);
    found
}

impl<'a> Values<'a> {
    /// The values as a source for a configuration.
    fn settings(&self) -> DesiredSettings<'a> {
        DesiredSettings(self.all)
    }

    /// The effective configuration of these settings, as far as it is known without the host.
    fn configuration<'s>(&self, settings: &'s DesiredSettings<'a>) -> Configuration<'s> {
        configuration_of(settings, self.facts)
    }

    /// The things that must be present, with their values.
    fn present(&self) -> impl Iterator<Item = (&Thing, &str)> {
        self.all.iter().filter_map(|(thing, want)| match want {
            Want::Present(text) => Some((thing, text.as_str())),
            Want::Absent => None,
        })
    }
}

/// The effective configuration of a desired state on a host with these facts.
fn configuration_of<'s>(settings: &'s DesiredSettings<'_>, facts: &Facts) -> Configuration<'s> {
    let release = Release::new(&facts.postfix_version);
    Configuration::new(settings, release, HostEnvironment::UNKNOWN)
}

/// The expanded text of a value in main.cf, as far as these values decide it without the host.
pub(super) fn fixed_value(
    values: &BTreeMap<Thing, Want<String>>,
    facts: &Facts,
    text: &str,
) -> Option<String> {
    let settings = DesiredSettings(values);
    tables::certain(configuration_of(&settings, facts).main().expand(text))
}

/// The configuration that applies to a thing: that of its service for an option, else that of main.cf.
fn view_of<'a>(configuration: Configuration<'a>, thing: &'a Thing) -> View<'a> {
    match thing {
        Thing::Option(service, _) => configuration.service(service),
        _ => configuration.main(),
    }
}

impl Found {
    fn error(&mut self, thing: &Thing, problem: Diagnostic) {
        self.wrong.insert(thing.clone());
        self.errors.push(problem);
    }

    /// Adds an error if the host's facts were observed, or a warning if they are assumed.
    fn error_or_guess(&mut self, facts: &Facts, thing: &Thing, problem: Diagnostic) {
        if facts.observed() {
            self.error(thing, problem);
        } else {
            self.guess(problem);
        }
    }

    /// Adds a warning that depends on assumed facts.
    fn guess(&mut self, problem: Diagnostic) {
        self.guesses.push(Diagnostic {
            level: Severity::Warning,
            ..problem
        });
    }
}

/// The parameter of a thing that is a parameter or an option.
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
