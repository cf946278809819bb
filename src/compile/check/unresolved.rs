//! Checks the values and variables of a manifest that has other errors. No template is rendered, so that one mistake does
//! not hide another.

use std::collections::BTreeMap;

use super::{Values, check};
use crate::compile::variable;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Host, HostState, Layer, ServiceSpec, SettingSpec};
use crate::module::Modules;
use crate::service::Service;
use crate::state::Want;
use crate::thing::Thing;

const LINE_ENDS: [char; 3] = ['\n', '\r', '\0'];

/// The errors of a host's values as the manifest has them. Warnings are left out until the manifest has no other errors.
#[must_use]
pub fn value_problems(host: &Host, modules: &Modules) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    // `murder` removes everything from a retired host, so that its values do not matter.
    if host.state == HostState::Retired {
        return problems;
    }
    let mut services = host.roles_on();
    // A host none of whose roles exists is judged all the same, so that all errors come in one run.
    if services.is_empty() {
        services.insert(&Service::POSTFIX);
    }
    for service in services {
        for problem in problems_of_part(&host.part(service), modules) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

/// The same for what is on one instance of Postfix.
fn problems_of_part(host: &Host, modules: &Modules) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let left: Vec<Thing> = host
        .leave
        .iter()
        .filter_map(|layer| layer.value.parse().ok())
        .collect();
    for module in host.roles.iter().filter_map(|role| modules.0.get(role)) {
        variable::values(module, host, &mut problems);
    }
    let mut values: BTreeMap<Thing, Want<String>> = BTreeMap::new();
    let mut places: BTreeMap<Thing, Span> = BTreeMap::new();
    for (name, layers) in &host.settings {
        // The nearest layer wins. A list edit is skipped, because its result depends on the layers below.
        if let Some(layer) = layers.first()
            && let Some(want) = plain(layer)
        {
            let thing = Thing::Parameter(name.clone());
            places.insert(thing.clone(), layer.at);
            values.insert(thing, want);
        }
    }
    for (service, layers) in &host.services {
        for layer in layers {
            let ServiceSpec::Entry { options, .. } = &layer.value else {
                break;
            };
            for (option, value) in options {
                // The grammar refuses line ends itself.
                if value.as_ref().is_some_and(|text| text.contains(LINE_ENDS)) {
                    continue;
                }
                let thing = Thing::Option(service.clone(), option.clone());
                places.entry(thing.clone()).or_insert(layer.at);
                let want = value.clone().map_or(Want::Absent, Want::Present);
                values.entry(thing).or_insert(want);
            }
        }
    }
    values.retain(|thing, _| !left.contains(thing));
    let place = |thing: &Thing| places.get(thing).copied().unwrap_or(host.at);
    let found = check(&Values {
        all: &values,
        place: &place,
        place_of: &|thing, _| place(thing),
        facts: &host.facts,
    });
    problems.extend(found.errors);
    problems
}

fn plain(layer: &Layer<SettingSpec>) -> Option<Want<String>> {
    match &layer.value {
        SettingSpec::Value(text) if text.contains(LINE_ENDS) => None,
        SettingSpec::Value(text) => Some(Want::Present(text.clone())),
        SettingSpec::Unset => Some(Want::Absent),
        SettingSpec::Edit(_) => None,
    }
}
