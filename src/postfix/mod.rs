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
