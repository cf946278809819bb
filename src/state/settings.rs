//! The values that main.cf and master.cf set once a host has what it must have.

use crate::name::{Parameter, ServiceName};
use crate::postfix::configuration::{ConfigurationFiles, SetValues, Setting};
use crate::postfix::{MainCf, MasterCf};
use crate::thing::Thing;

use super::desired::{DesiredService, Want};

/// The values of the desired state, and those of two files for all else.
#[derive(Debug, Clone, Copy)]
pub struct DesiredSettings<'a> {
    files: ConfigurationFiles<'a>,
    desired: &'a DesiredService,
}

impl<'a> DesiredSettings<'a> {
    /// The desired state over these files.
    #[must_use]
    pub fn new(main_cf: &'a MainCf, master_cf: &'a MasterCf, desired: &'a DesiredService) -> Self {
        Self { files: ConfigurationFiles { main_cf, master_cf }, desired }
    }
}

impl SetValues for DesiredSettings<'_> {
    fn parameter(&self, name: &str) -> Setting<'_> {
        let thing = Parameter::new(name).ok().map(Thing::Parameter);
        match thing.and_then(|thing| self.desired.values.get(&thing)) {
            Some(Want::Present(text)) => Setting::Value(text),
            Some(Want::Absent) => Setting::Default,
            None => self.files.parameter(name),
        }
    }

    fn option(&self, service: &ServiceName, name: &str) -> Option<&str> {
        let thing = Thing::Option(service.clone(), Parameter::new(name).ok()?);
        match self.desired.values.get(&thing) {
            Some(Want::Present(text)) => Some(text),
            Some(Want::Absent) => None,
            None => self.files.option(service, name),
        }
    }
}
