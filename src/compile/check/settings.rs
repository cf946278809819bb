//! The desired state of a host as a source of set values.

use std::collections::BTreeMap;

use crate::name::{Parameter, ServiceName};
use crate::postfix::MasterEntry;
use crate::postfix::configuration::{SetValues, Setting};
use crate::state::Want;
use crate::thing::Thing;

/// The values of a host's desired state. Whether main.cf sets any other parameter is known only on the host.
#[derive(Clone, Copy)]
pub(super) struct DesiredSettings<'a>(pub(super) &'a BTreeMap<Thing, Want<String>>);

impl SetValues for DesiredSettings<'_> {
    fn parameter(&self, name: &str) -> Setting<'_> {
        let Ok(name) = Parameter::new(name) else {
            return Setting::Default;
        };
        match self.0.get(&Thing::Parameter(name)) {
            Some(Want::Present(text)) => Setting::Value(text),
            Some(Want::Absent) => Setting::Default,
            None => Setting::Unknown,
        }
    }

    fn option(&self, service: &ServiceName, name: &str) -> Option<&str> {
        let name = Parameter::new(name).ok()?;
        match self.0.get(&Thing::Option(service.clone(), name)) {
            Some(Want::Present(text)) => Some(text),
            _ => None,
        }
    }

    /// A desired state has parts of entries only.
    fn entries(&self) -> Option<&[MasterEntry]> {
        None
    }
}
