//! The configurations of a host that a plan compares: the live one, and the one after the plan.

use std::collections::BTreeMap;

use crate::name::{Parameter, ServiceName};
use crate::postfix::MasterEntry;
use crate::postfix::configuration::{
    Configuration, ConfigurationFiles, Release, SetValues, Setting,
};
use crate::thing::Thing;

use super::super::{Change, Step};
use super::draft::Draft;

/// main.cf and master.cf as the plan leaves them: the live files with the plan's steps.
pub(super) struct PlannedSettings<'a> {
    live: ConfigurationFiles<'a>,
    /// The parameters that the plan changes; none where it deletes one.
    parameters: BTreeMap<Parameter, Option<String>>,
    /// The entries of master.cf, if the plan changes any.
    entries: Option<Vec<MasterEntry>>,
}

impl<'a> PlannedSettings<'a> {
    fn new(live: ConfigurationFiles<'a>) -> Self {
        Self {
            live,
            parameters: BTreeMap::new(),
            entries: None,
        }
    }

    /// Makes the change of one step. What is no value of main.cf or master.cf changes nothing.
    fn step(&mut self, step: &Step) {
        let Step::Value { thing, change, .. } = step else {
            return;
        };
        let after = match change {
            Change::Create { after } | Change::Update { after, .. } => Some(after.clone()),
            Change::Delete { .. } => None,
        };
        match thing {
            Thing::File(_) => {}
            Thing::Parameter(name) => {
                self.parameters.insert(name.clone(), after);
            }
            Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
                self.entry(service, thing, after.as_deref());
            }
        }
    }

    fn entry(&mut self, service: &ServiceName, thing: &Thing, after: Option<&str>) {
        let live = self.live.master_cf.services();
        let entries = self.entries.get_or_insert_with(|| live.to_vec());
        let at = entries.iter().rposition(|entry| is(entry, service));
        match (thing, at, after) {
            (Thing::Service(_), at, Some(line)) => {
                let Ok(entry) = MasterEntry::of_line(line) else {
                    return;
                };
                match at.and_then(|at| entries.get_mut(at)) {
                    Some(old) => *old = entry,
                    None => entries.push(entry),
                }
            }
            (Thing::Service(_), _, None) => entries.retain(|entry| !is(entry, service)),
            (_, Some(at), after) => {
                if let Some(entry) = entries.get_mut(at) {
                    // `whole_entries` refuses what cannot be written.
                    let _ = entry.change(thing, after);
                }
            }
            (_, None, _) => {}
        }
    }
}

fn is(entry: &MasterEntry, service: &ServiceName) -> bool {
    let (name, kind) = service.parts();
    entry.matches(name.as_bytes(), kind.as_bytes())
}

impl SetValues for PlannedSettings<'_> {
    fn parameter(&self, name: &str) -> Setting<'_> {
        match self.parameters.get(name) {
            Some(Some(text)) => Setting::Value(text),
            Some(None) => Setting::Default,
            None => self.live.parameter(name),
        }
    }

    fn option(&self, service: &ServiceName, name: &str) -> Option<&str> {
        let Some(entries) = &self.entries else {
            return self.live.option(service, name);
        };
        let entry = entries.iter().rfind(|entry| is(entry, service))?;
        entry.option_text(name)
    }

    fn entries(&self) -> Option<&[MasterEntry]> {
        match &self.entries {
            Some(entries) => Some(entries),
            None => self.live.entries(),
        }
    }
}

impl<'a> Draft<'a> {
    /// The values that the live main.cf and master.cf set.
    pub(super) fn live_settings(&self) -> ConfigurationFiles<'a> {
        ConfigurationFiles {
            main_cf: &self.live.main_cf,
            master_cf: &self.live.master_cf,
        }
    }

    /// The values that the two files set after the plan, as far as its steps are drafted.
    pub(super) fn planned_settings(&self) -> PlannedSettings<'a> {
        let mut planned = PlannedSettings::new(self.live_settings());
        for step in self.entry_steps.iter().chain(&self.settings) {
            planned.step(step);
        }
        planned
    }

    /// The effective configuration of these settings with the defaults of the host's release, and its names and networks
    /// as far as they were observed.
    pub(super) fn configuration<'s>(&self, settings: &'s dyn SetValues) -> Configuration<'s>
    where
        'a: 's,
    {
        let release = Release::new(&self.input.live.facts.postfix_version);
        Configuration::new(settings, release, &self.live.environment)
    }
}
