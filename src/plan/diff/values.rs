//! Named values: main.cf parameters and the fields and options of master.cf entries.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Origin, Previous};
use crate::name::{Parameter, ServiceName};
use crate::postfix::catalogue;
use crate::state::Want;
use crate::thing::{Field, Thing};

use super::super::{Cause, Change, Failure, Refusal, Step};
use super::{Draft, live_value, same};

/// The parts of a master.cf entry that somebody wants.
#[derive(Default)]
struct WantedEntry<'a> {
    fields: BTreeMap<Field, &'a str>,
    options: BTreeMap<&'a Parameter, &'a str>,
}

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

    /// Entries that master.cf does not have yet, each one step that creates its whole line.
    fn new_services(&mut self) -> Result<BTreeSet<ServiceName>, Failure> {
        let mut wanted: BTreeMap<&ServiceName, WantedEntry<'_>> = BTreeMap::new();
        for (thing, want) in &self.at.desired.values {
            let Want::Present(value) = want else { continue };
            match thing {
                Thing::Field(service, field) => {
                    wanted
                        .entry(service)
                        .or_default()
                        .fields
                        .insert(*field, value);
                }
                Thing::Option(service, name) => {
                    wanted
                        .entry(service)
                        .or_default()
                        .options
                        .insert(name, value);
                }
                _ => {}
            }
        }
        let mut new = BTreeSet::new();
        for (service, WantedEntry { fields, options }) in wanted {
            if self.at.live.master_cf.service(service).is_some() {
                continue;
            }
            let Some(command) = fields.get(&Field::Command) else {
                return Err(Failure {
                    summary: format!(
                        "master.cf has no service `{service}`, and the manifest gives no `command` to make one"
                    ),
                    detail: None,
                    hint: Some(format!(
                        "correct the name, or give `services: {{{service}: {{command: …}}}}` whole"
                    )),
                });
            };
            let (name, kind) = service.parts();
            let mut line = format!("{name} {kind}");
            for field in &Field::ALL[..5] {
                line.push(' ');
                line.push_str(fields.get(field).copied().unwrap_or("-"));
            }
            line.push(' ');
            line.push_str(command);
            for (name, value) in options {
                // The braced form takes blanks, too (master(5), Postfix 3.0 and later).
                line.push_str(&if value.contains(char::is_whitespace) {
                    format!(" -o {{ {name} = {value} }}")
                } else {
                    format!(" -o {name}={value}")
                });
            }
            let thing = Thing::Service(service.clone());
            let cause = self.cause(&thing, None);
            self.going_back(&thing, cause);
            self.push_value(
                thing.clone(),
                Change::Create {
                    after: line.clone(),
                },
                cause,
            );
            self.manage(thing, Origin::Created, Some(line));
            new.insert(service.clone());
        }
        // An entry that we once created is still ours while somebody names a part of it.
        for (thing, want) in &self.at.desired.values {
            if let (Thing::Field(service, _) | Thing::Option(service, _), Want::Present(_)) =
                (thing, want)
                && !new.contains(service)
                && let Some(managed) = self.ours.managed(&Thing::Service(service.clone()))
                && managed.origin == Origin::Created
            {
                let value = live_value(self.at.live, &Thing::Service(service.clone()));
                self.manage(Thing::Service(service.clone()), Origin::Created, value);
            }
        }
        Ok(new)
    }

    /// The live host has the last word on names: distributions backport, and versions differ.
    fn names(&mut self) -> Result<(), Failure> {
        let facts = &self.at.live.facts;
        if facts.parameters.is_empty() {
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
        let mut refusals = Vec::new();
        for (thing, want) in &self.at.desired.values {
            if let (Thing::Parameter(name), Want::Present(_)) = (thing, want)
                && !facts.parameters.contains(name.as_str())
                && !of_a_service(name.as_str())
                && !mentioned.contains(name.as_str())
            {
                refusals.push(Refusal {
                    summary: format!(
                        "the Postfix {} of this host has no parameter `{name}`",
                        facts.postfix_version
                    ),
                    flag: None,
                });
            }
        }
        self.refusals.append(&mut refusals);
        Ok(())
    }
}
