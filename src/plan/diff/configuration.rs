//! The configurations of a host that a plan compares: the live one, and the one after the plan.

use crate::name::{Parameter, ServiceName};
use crate::postfix::configuration::{
    Configuration, ConfigurationFiles, Release, SetValues, Setting,
};
use crate::state::{DesiredService, Want};
use crate::thing::Thing;

use super::draft::Draft;

/// The values that main.cf and master.cf set after the plan: the desired state, and the live files for all else.
pub(super) struct PlannedSettings<'a> {
    live: ConfigurationFiles<'a>,
    desired: &'a DesiredService,
}

impl SetValues for PlannedSettings<'_> {
    fn parameter(&self, name: &str) -> Setting<'_> {
        let thing = Parameter::new(name).ok().map(Thing::Parameter);
        match thing.and_then(|thing| self.desired.values.get(&thing)) {
            Some(Want::Present(text)) => Setting::Value(text),
            Some(Want::Absent) => Setting::Default,
            None => self.live.parameter(name),
        }
    }

    fn option(&self, service: &ServiceName, name: &str) -> Option<&str> {
        let thing = Parameter::new(name).ok()?;
        match self
            .desired
            .values
            .get(&Thing::Option(service.clone(), thing))
        {
            Some(Want::Present(text)) => Some(text),
            Some(Want::Absent) => None,
            None => self.live.option(service, name),
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

    /// The values that the two files set after the plan.
    pub(super) fn planned_settings(&self) -> PlannedSettings<'a> {
        PlannedSettings {
            live: self.live_settings(),
            desired: self.desired,
        }
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
