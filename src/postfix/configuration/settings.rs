//! Sources of set values: the two files of a host, or the desired state of a host.

use crate::name::ServiceName;
use crate::postfix::{MainCf, MasterCf, MasterEntry};

/// Whether and how main.cf sets a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting<'a> {
    /// It sets this value.
    Value(&'a str),
    /// It does not set the parameter, so that the default applies.
    Default,
    /// Whether it sets the parameter is not known.
    Unknown,
}

/// Set values, before defaults and expansion.
pub trait SetValues {
    /// Whether and how main.cf sets a parameter.
    fn parameter(&self, name: &str) -> Setting<'_>;

    /// The value that a service of master.cf sets with `-o`; none if it does not set the parameter.
    fn option(&self, service: &ServiceName, name: &str) -> Option<&str>;

    /// The entries of master.cf in the order of the file, duplicates included; none if they are not known.
    fn entries(&self) -> Option<&[MasterEntry]>;
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

    fn entries(&self) -> Option<&[MasterEntry]> {
        Some(self.master_cf.services())
    }
}
