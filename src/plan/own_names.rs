//! What is a host's own, so that it makes no difference between hosts to a reader.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostVerdict, Plan};
use crate::name::HostName;

/// The names and addresses of a host besides its name, as its manifest has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnNames {
    /// Its `mailhost`, where that is another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailhost: Option<String>,
    /// Its addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
}

impl Plan {
    /// A plan of hosts that have nothing of their own but their names.
    #[must_use]
    pub fn new(murder: String, hosts: BTreeMap<HostName, HostVerdict>) -> Self {
        Self {
            murder,
            hosts,
            own_names: BTreeMap::new(),
        }
    }
}
