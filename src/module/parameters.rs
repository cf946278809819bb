//! Names of main.cf parameters in modules of one's own: Postfix ignores a misspelt one without a word.

use std::collections::BTreeSet;

use super::{Module, Modules};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{ServiceSpec, SettingSpec};
use crate::name::Parameter;
use crate::postfix::catalogue;

/// Refuses names that Postfix does not know, that no value of a module refers to, and that are like a right one. What
/// is like none may be a name of the site's own, which its manifest refers to.
pub(super) fn check<'a>(
    owned: impl Iterator<Item = &'a Module>,
    all: &Modules,
    problems: &mut Vec<Diagnostic>,
) {
    let mut referenced: Option<BTreeSet<String>> = None;
    for module in owned {
        for (name, at) in names(module) {
            let text = name.as_str();
            if catalogue::is_own(text) {
                continue;
            }
            let referenced = referenced.get_or_insert_with(|| references(all));
            if referenced.contains(text) {
                continue;
            }
            if let Some(near) = catalogue::nearest(text) {
                problems.push(
                    Diagnostic::error(format!("unknown Postfix parameter `{name}`"))
                        .at(at, "Postfix would ignore it")
                        .hint(format!("did you mean `{near}`?")),
                );
            }
        }
    }
}

/// The parameters that a module sets, in main.cf and for services.
fn names(module: &Module) -> impl Iterator<Item = (&Parameter, Span)> {
    let settings = module.settings.iter().map(|(name, layer)| (name, layer.at));
    let options = module.services.values().flat_map(|layer| {
        let options = match &layer.value {
            ServiceSpec::Entry { options, .. } => Some(options),
            ServiceSpec::Absent => None,
        };
        options
            .into_iter()
            .flat_map(|options| options.keys())
            .map(|name| (name, layer.at))
    });
    settings.chain(options)
}

/// What the values of all modules refer to: as `$name`, or as a restriction class.
fn references(modules: &Modules) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for module in modules.0.values() {
        for (name, layer) in &module.settings {
            let SettingSpec::Value(text) = &layer.value else {
                continue;
            };
            names.append(&mut catalogue::referenced_names(text));
            if name.as_str() == "smtpd_restriction_classes" {
                names.extend(crate::postfix::split_list(text));
            }
        }
        for layer in module.services.values() {
            if let ServiceSpec::Entry { options, .. } = &layer.value {
                for text in options.values().flatten() {
                    names.append(&mut catalogue::referenced_names(text));
                }
            }
        }
    }
    names
}
