//! Checks access restriction lists: unknown words, missing arguments, and lists that do not stop relaying.

use super::{Found, Values, diagnostic, parameter, view_of};
use crate::diagnostic::{Diagnostic, Severity};
use crate::name::Parameter;
use crate::postfix::catalogue::{self, guards, restrictions};
use crate::postfix::configuration::ValueSource;
use crate::postfix::split_list;
use crate::thing::Thing;

/// The parameter that names the restriction classes of a host.
const CLASSES: &str = "smtpd_restriction_classes";

/// Checks a list of restrictions, or a restriction class.
pub(super) fn check_list(
    values: &Values<'_>,
    thing: &Thing,
    name: &str,
    text: &str,
    classes: &[String],
    found: &mut Found,
) {
    if !restrictions::is_list(name) && !classes.iter().any(|class| class == name) {
        return;
    }
    let at = |word: &str| (values.place_of)(thing, word);
    let list = restrictions::read(text);
    for (word, what) in list.incomplete {
        let problem = Diagnostic::error(format!("`{word}` in `{thing}` has no argument"))
            .at(at(&word), "")
            .detail(BROKEN)
            .hint(format!("write {what} after it"));
        found.error(thing, problem);
    }
    for server in &list.servers {
        if let Some(problem) = catalogue::check_policy_server(server) {
            found.error(thing, diagnostic(problem).at(at(server), ""));
        }
    }
    for table in &list.tables {
        if let Some(problem) = catalogue::check_table(&thing.to_string(), table) {
            found.error(thing, diagnostic(problem).at(at(table), ""));
        }
    }
    if let Some((end, next)) = restrictions::dead(text) {
        found.warnings.push(
            Diagnostic::warning(format!("`{next}` in `{thing}` has no effect"))
                .at(at(&next), "")
                .detail(format!("smtpd(8) ignores what is behind `{end}`"))
                .hint(format!(
                    "move `{end}` to the end of the list, or remove what is behind it"
                )),
        );
    }
    check_unknown(values, thing, list.unknown, classes, found);
}

/// Checks words that are no restriction of Postfix: a restriction class of the host, or a mistake.
fn check_unknown(
    values: &Values<'_>,
    thing: &Thing,
    unknown: Vec<String>,
    classes: &[String],
    found: &mut Found,
) {
    let at = |word: &str| (values.place_of)(thing, word);
    for word in unknown {
        if classes.contains(&word) {
            continue;
        }
        let said = Diagnostic::error(format!("unknown restriction `{word}` in `{thing}`"))
            .at(at(&word), "")
            .detail(BROKEN);
        match restrictions::nearest(&word) {
            Some(near) => {
                found.error(thing, said.hint(format!("did you mean `{near}`?")));
            }
            // The host's own main.cf may define a class of that name.
            None => found.warnings.push(Diagnostic {
                level: Severity::Warning,
                ..said.hint(match restrictions::similar(&word) {
                    Some(near) => format!(
                        "did you mean `{near}`? Keep the word only if the host's `{CLASSES}` lists it"
                    ),
                    None => format!(
                        "keep the word only if the host's `{CLASSES}` lists it"
                    ),
                })
            }),
        }
    }
}

/// Checks that a restriction stops relaying, in main.cf and for each service with lists of its own. Without one smtpd(8) ends
/// each session with a fatal error.
pub(super) fn check_relay_guard(values: &Values<'_>, classes: &[String], found: &mut Found) {
    let mut problems = Vec::new();
    let settings = values.settings();
    let configuration = values.configuration(&settings);
    for (thing, _) in values.present() {
        let Some(name) = parameter(thing).map(Parameter::as_str) else {
            continue;
        };
        let other = match (name, thing) {
            (RELAY, _) => RECIPIENT,
            // In main.cf Postfix's own default of the other list has a guard.
            (RECIPIENT, Thing::Option(..)) => RELAY,
            _ => continue,
        };
        let view = view_of(configuration, thing);
        let lacks = |name: &str| {
            let list = view.get(name).ok()?;
            // The default depends on the compatibility level, which only the host knows.
            let is_set = matches!(list.source, ValueSource::MainCf | ValueSource::Option);
            let text = is_set.then(|| view.expand(&list.text).text.ok()).flatten();
            let text = text.unwrap_or_else(|| list.text.to_string());
            let class = |word: &str| {
                let is_class = classes.iter().any(|class| class == word);
                is_class.then(|| view.expanded(word).text.ok())
            };
            let lacks = guards::lacks_guard(&text, &class);
            Some((lacks, list.source))
        };
        if !lacks(name).is_some_and(|(lacks, _)| lacks) {
            continue;
        }
        let level = match lacks(other) {
            Some((false, _)) => continue,
            Some((true, source)) if source != ValueSource::Assumed => Severity::Error,
            // The host's own main.cf may set it.
            _ => Severity::Warning,
        };
        // Both lists of a service are one mistake.
        if name == RECIPIENT && values.all.contains_key(&sibling(thing, RELAY)) {
            continue;
        }
        problems.push((
            thing.clone(),
            Diagnostic {
                level,
                ..no_guard(thing).at((values.place)(thing), "")
            },
        ));
    }
    for (thing, problem) in problems {
        match problem.level {
            Severity::Error => found.error(&thing, problem),
            Severity::Warning => found.warnings.push(problem),
        }
    }
}

const RELAY: &str = "smtpd_relay_restrictions";
const RECIPIENT: &str = "smtpd_recipient_restrictions";

/// The same thing with another parameter.
fn sibling(thing: &Thing, name: &str) -> Thing {
    match (thing, Parameter::new(name)) {
        (Thing::Option(service, _), Ok(name)) => Thing::Option(service.clone(), name),
        (_, Ok(name)) => Thing::Parameter(name),
        _ => thing.clone(),
    }
}

fn no_guard(thing: &Thing) -> Diagnostic {
    Diagnostic::error(format!("`{thing}` does not stop relaying"))
        .detail(format!(
            "smtpd(8) ends each session with a fatal error if neither `{RELAY}` nor `{RECIPIENT}` stops relaying; what is behind `permit` or after `warn_if_reject` does not count"
        ))
        .hint("write `reject_unauth_destination` after the restrictions that permit relaying")
}

const BROKEN: &str = "smtpd(8) would answer `451 4.3.5 Server configuration error` to every client";

/// The restriction classes in the host's desired state.
pub(super) fn classes(values: &Values<'_>) -> Vec<String> {
    let settings = values.settings();
    let value = values.configuration(&settings).main().get(CLASSES);
    value.map_or_else(|_| Vec::new(), |value| split_list(&value.text))
}
