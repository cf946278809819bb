//! Finds parameter names that this host's Postfix does not know, in names that are set and in references.

use std::collections::BTreeSet;

use crate::postfix::catalogue;
use crate::postfix::configuration::ValueSource;
use crate::state::{Remark, Want};
use crate::thing::Thing;

use super::super::{Refusal, RefusalKind};
use super::draft::Draft;

impl Draft<'_> {
    /// Refuses parameters that the host's own list does not have. Distributions backport parameters and versions differ, so
    /// that only this list is certain.
    pub(super) fn names(&mut self) {
        let facts = &self.input.live.facts;
        if facts.parameters.is_empty() {
            return;
        }
        let unknown: Vec<&str> = self
            .desired
            .values
            .iter()
            .filter_map(|(thing, want)| match (thing, want) {
                (Thing::Parameter(name), Want::Present(_)) => Some(name.as_str()),
                _ => None,
            })
            .filter(|name| !facts.parameters.contains(name))
            .collect();
        if unknown.is_empty() {
            return;
        }
        let mut services: BTreeSet<String> = self
            .live
            .master_cf
            .services()
            .iter()
            .map(crate::postfix::MasterEntry::name)
            .collect();
        // Services that this plan adds have parameters of their own.
        services.extend(self.desired.values.iter().filter_map(|(thing, want)| {
            match (thing, want) {
                (Thing::Field(service, _), Want::Present(_)) => Some(service.parts().0.to_owned()),
                _ => None,
            }
        }));
        let mut mentioned: BTreeSet<String> = BTreeSet::new();
        for (_, value) in self.live.main_cf.iter() {
            mentioned.append(&mut catalogue::referenced_names(value));
        }
        for want in self.desired.values.values() {
            if let Want::Present(value) = want {
                mentioned.append(&mut catalogue::referenced_names(value));
            }
        }
        let of_a_service = |name: &str| {
            catalogue::service_parameter(name)
                .is_some_and(|(service, _)| services.contains(service))
        };
        let refused = unknown
            .into_iter()
            .filter(|name| !of_a_service(name) && !mentioned.contains(*name));
        self.refusals.extend(refused.map(|name| Refusal {
            summary: format!(
                "the Postfix {} of this host has no parameter `{name}`",
                facts.postfix_version
            ),
            kind: RefusalKind::UnknownParameter,
        }));
    }

    /// Warns of `$name` in a desired value if neither the manifest nor this host sets the name.
    pub(super) fn undefined(&mut self) {
        let (desired, live) = (self.desired, self.input.live);
        let (before, after) = (self.live_settings(), self.planned_settings());
        let views = [
            self.configuration(&before).main(),
            self.configuration(&after).main(),
        ];
        let mut remarks = Vec::new();
        for (thing, want) in &desired.values {
            let (Thing::Parameter(parameter) | Thing::Option(_, parameter), Want::Present(value)) =
                (thing, want)
            else {
                continue;
            };
            if !value.contains('$') || !catalogue::is_expanded(parameter.as_str()) {
                continue;
            }
            let set = |name: &str| {
                catalogue::is_own(name)
                    || live.facts.parameters.contains(name)
                    || views.iter().any(|view| {
                        let value = view.get(name);
                        value.is_ok_and(|value| value.source == ValueSource::MainCf)
                    })
                    || desired.values.iter().any(|(thing, want)| {
                        let of_that_name =
                            matches!(thing, Thing::Option(_, other) if other.as_str() == name);
                        of_that_name && matches!(want, Want::Present(_))
                    })
            };
            let names = catalogue::needed_names(value);
            remarks.extend(names.iter().filter(|name| !set(name)).map(|name| Remark {
                text: format!("`${name}` in `{thing}` refers to no parameter of this host: Postfix replaces it with nothing", thing = self.service.shown(thing)),
                hint: Some(format!("set `{name}` under `settings`, or write `$$` for a `$`")),
            }));
        }
        self.remarks.append(&mut remarks);
    }
}
