//! Checks access restriction lists: unknown words, missing arguments, and lists that do not stop relaying.

use super::{Found, Values, parameter, view_of};
use crate::diagnostic::{Diagnostic, Severity};
use crate::postfix::catalogue::restrictions;
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
    for word in list.unknown {
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

/// Checks that a restriction stops relaying. Without one smtpd(8) ends each session with a fatal error.
pub(super) fn check_relay_guard(values: &Values<'_>, classes: &[String], found: &mut Found) {
    const RELAY: &str = "smtpd_relay_restrictions";
    const RECIPIENT: &str = "smtpd_recipient_restrictions";
    let mut problems = Vec::new();
    let settings = values.settings();
    let configuration = values.configuration(&settings);
    for (thing, text) in values.present() {
        let is_relay = parameter(thing).is_some_and(|name| name.as_str() == RELAY);
        if !is_relay || !restrictions::lacks_guard(text, classes) {
            continue;
        }
        let level = match view_of(configuration, thing).get(RECIPIENT) {
            Ok(list) if !restrictions::lacks_guard(&list.text, classes) => continue,
            Ok(list) if list.source != ValueSource::Assumed => Severity::Error,
            // The host's own main.cf may set it.
            _ => Severity::Warning,
        };
        let said = Diagnostic::error(format!("`{thing}` does not stop relaying"))
            .at((values.place)(thing), "")
            .detail(format!(
                "smtpd(8) ends each session with a fatal error if neither `{RELAY}` nor `{RECIPIENT}` stops relaying"
            ))
            .hint("write `reject_unauth_destination` after the restrictions that permit relaying");
        problems.push((thing.clone(), Diagnostic { level, ..said }));
    }
    for (thing, problem) in problems {
        match problem.level {
            Severity::Error => found.error(&thing, problem),
            Severity::Warning => found.warnings.push(problem),
        }
    }
}

const BROKEN: &str = "smtpd(8) would answer `451 4.3.5 Server configuration error` to every client";

/// The restriction classes in the host's desired state.
pub(super) fn classes(values: &Values<'_>) -> Vec<String> {
    let settings = values.settings();
    let value = values.configuration(&settings).main().get(CLASSES);
    value.map_or_else(|_| Vec::new(), |value| split_list(&value.text))
}
