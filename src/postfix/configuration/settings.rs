//! Where set values come from: the two files of a host, or what is wanted of them.

use crate::name::ServiceName;
use crate::postfix::{MainCf, MasterCf};

/// What main.cf has of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting<'a> {
    /// It sets this value.
    Value(&'a str),
    /// It does not set the parameter: the default holds.
    Default,
    /// The parameter may be set, and to what is not known.
    Unknown,
}

/// Set values, before defaults and expansion.
pub trait SetValues {
    /// What main.cf has of a parameter.
    fn parameter(&self, name: &str) -> Setting<'_>;

    /// What a service of master.cf sets by `-o`; none where it does not set the parameter.
    fn option(&self, service: &ServiceName, name: &str) -> Option<&str>;
}

/// The two files of a host.
#[derive(Debug, Clone, Copy)]
pub struct ConfigurationFiles<'a> {
    /// main.cf.
    pub main_cf: &'a MainCf,
    /// master.cf.
    pub master_cf: &'a MasterCf,
}

impl SetValues for ConfigurationFiles<'_> {
    fn parameter(&self, name: &str) -> Setting<'_> {
        self.main_cf
            .get(name)
            .map_or(Setting::Default, Setting::Value)
    }

    fn option(&self, service: &ServiceName, name: &str) -> Option<&str> {
        self.master_cf.entry(service)?.option_text(name)
    }
}
