//! Named values: main.cf parameters and the fields and options of master.cf entries.

use std::collections::BTreeSet;

use crate::ledger::{Origin, Previous};
use crate::postfix::catalogue;
use crate::state::Want;
use crate::thing::Thing;

use super::super::{Cause, Change, Failure, Refusal, Step};
use super::{Draft, live_value, same};

impl Draft<'_> {
    pub(super) fn named_values(&mut self) -> Result<(), Failure> {
        if self.at.desired.retired {
            return Ok(());
        }
        self.names()?;
        let new = self.new_services()?;
        for (thing, want) in &self.at.desired.values {
            match thing {
                // A new entry is one step, which carries its fields and options.
                Thing::Field(service, _) | Thing::Option(service, _) if new.contains(service) => {
                    if let Want::Present(value) = want {
                        self.manage(thing.clone(), Origin::Created, Some(value.clone()));
                    }
                }
                _ => self.value(thing, want),
            }
        }
        Ok(())
    }

    fn value(&mut self, thing: &Thing, want: &Want<String>) {
        let live = live_value(self.at.live, thing);
        let origin = live.clone().map_or(Origin::Created, |value| {
            Origin::Adopted(Previous::Value(value))
        });
        let cause = self.cause(thing, live.as_deref());
        let (change, value) = match (want, live) {
            (Want::Present(value), Some(live)) if same(value, &live) => {
                self.record(thing, Some(value));
                self.manage(thing.clone(), origin, Some(value.clone()));
                return;
            }
            (Want::Present(value), Some(live)) => (
                Change::Update {
                    before: live,
                    after: value.clone(),
                },
                Some(value.clone()),
            ),
            (Want::Present(value), None) => (
                Change::Create {
                    after: value.clone(),
                },
                Some(value.clone()),
            ),
            (Want::Absent, Some(live)) => (Change::Delete { before: live }, None),
            (Want::Absent, None) => {
                if let Some(managed) = self.ours.managed(thing) {
                    self.record(thing, None);
                    self.manage(thing.clone(), managed.origin.clone(), None);
                }
                return;
            }
        };
        self.going_back(thing, cause);
        self.push_value(thing.clone(), change, cause);
        self.manage(thing.clone(), origin, value);
    }

    pub(super) fn push_value(&mut self, thing: Thing, change: Change<String>, cause: Cause) {
        let list = if matches!(thing, Thing::Parameter(_)) {
            &mut self.settings
        } else {
            &mut self.services
        };
        list.push(Step::Value {
            thing,
            change,
            cause,
        });
    }

    /// The live host has the last word on names: distributions backport, and versions differ.
    fn names(&mut self) -> Result<(), Failure> {
        let facts = &self.at.live.facts;
        if facts.parameters.is_empty() {
            return Ok(());
        }
        let unknown: Vec<&str> = self
            .at
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
            return Ok(());
        }
        let mut services: BTreeSet<String> = self
            .at
            .live
            .master_cf
            .services()
            .iter()
            .map(crate::postfix::Entry::name)
            .collect();
        // Those that this plan adds come with their parameters.
        services.extend(self.at.desired.values.iter().filter_map(|(thing, want)| {
            match (thing, want) {
                (Thing::Field(service, _), Want::Present(_)) => Some(service.parts().0.to_owned()),
                _ => None,
            }
        }));
        let mut mentioned: BTreeSet<String> = BTreeSet::new();
        for (_, value) in self.at.live.main_cf.iter() {
            mentioned.append(&mut catalogue::referenced_names(value));
        }
        for want in self.at.desired.values.values() {
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
            flag: None,
        }));
        Ok(())
    }
}
