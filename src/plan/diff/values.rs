//! Wanted values: main.cf parameters, and fields and options of master.cf entries.

use crate::ledger::{Origin, Previous};
use crate::state::Want;
use crate::thing::Thing;

use super::super::{Cause, Change, Failure, Step};
use super::draft::Draft;
use super::ownership::same;
use crate::state::part_of;

impl Draft<'_> {
    pub(super) fn wanted_values(&mut self) -> Result<(), Failure> {
        if self.input.desired.retired {
            return Ok(());
        }
        self.names();
        let new = self.new_services()?;
        for (thing, want) in &self.desired.values {
            match thing {
                // A new entry is one step, which has its fields and options.
                Thing::Field(service, _) | Thing::Option(service, _)
                    if new.contains_key(service) =>
                {
                    if let Want::Present(value) = want {
                        let origin = match new.get(service).and_then(Option::as_ref) {
                            Some(entry) => part_of(entry, thing).map_or(Origin::Created, |value| {
                                Origin::Adopted(Previous::Value(value))
                            }),
                            None => Origin::Created,
                        };
                        self.manage(thing.clone(), origin, Some(value.clone()));
                    }
                }
                _ => self.value(thing, want),
            }
        }
        Ok(())
    }

    fn value(&mut self, thing: &Thing, want: &Want<String>) {
        let live = self.live.value(thing);
        let origin = live.clone().map_or(Origin::Created, |value| {
            Origin::Adopted(Previous::Value(value))
        });
        let cause = self.cause(thing, live.as_deref());
        let (change, value) = match (want, live) {
            (Want::Present(value), Some(live)) if same(thing, value, &live) => {
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
                if let Some(managed) = self.ownership.managed(thing) {
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
            &mut self.entry_steps
        };
        list.push(Step::Value {
            service: self.service.clone(),
            thing,
            change,
            cause,
        });
    }
}
