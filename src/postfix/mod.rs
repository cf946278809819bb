//! Postfix's own files: read, edited and compared as Postfix does.

mod main_cf;
mod master_cf;

pub use main_cf::MainCf;
pub use master_cf::MasterCf;

use serde::{Deserialize, Serialize};

use crate::name::{Parameter, ServiceName};
use crate::thing::Field;

/// One edit as postconf(1) makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edit {
    /// `postconf -e name=value`.
    Set(Parameter, String),
    /// `postconf -X name`.
    Unset(Parameter),
    /// `postconf -M name/type="…"`: the whole entry.
    SetService(ServiceName, String),
    /// `postconf -MX name/type`.
    UnsetService(ServiceName),
    /// `postconf -F name/type/field=value`.
    SetField(ServiceName, Field, String),
    /// `postconf -P name/type/parameter=value`.
    SetOption(ServiceName, Parameter, String),
    /// `postconf -PX name/type/parameter`.
    UnsetOption(ServiceName, Parameter),
}
/// x
pub mod catalogue {
    /// x
    pub fn needs_restart(_n: &str) -> bool {
        false
    }
    /// x
    pub fn is_service_parameter(_n: &str, _s: &std::collections::BTreeSet<String>) -> bool {
        false
    }
}
/// x
pub fn apply_edits(_a: &[u8], _b: &[u8], _e: &[Edit]) -> Result<(Vec<u8>, Vec<u8>), String> {
    Err(String::new())
}
