//! The facts of a host that its plan rests on.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exchange::KnownFacts;
use crate::name::{RemotePath, TableType};
use crate::state::Facts;

/// What changes on a host only with an upgrade of Postfix, or by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedFacts {
    /// The version of Postfix.
    pub postfix_version: String,
    /// The types of tables that it has.
    pub table_types: BTreeSet<String>,
    /// The default type of indexed tables.
    pub default_database_type: TableType,
    /// The distribution, as os-release(5) has it.
    pub distribution: String,
    /// The LMTP socket of the distribution's Cyrus packages.
    pub lmtp_socket: RemotePath,
    /// The type for indexed tables.
    pub index_type: TableType,
    /// The parameters that this Postfix has, beside those of 3.7 and of services. None if the host was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<SavedParameters>,
}

/// The parameters of a Postfix, by how they differ from those of 3.7.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedParameters {
    /// Those that 3.7 does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
    /// Those of 3.7 that it does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fewer: Vec<String>,
}

impl SavedFacts {
    /// The facts of a host as a plan keeps them.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let known = KnownFacts {
            identity: String::new(),
            facts: facts.clone(),
        };
        let parameters = (!facts.parameters.is_empty()).then(|| {
            let kept = known.kept();
            SavedParameters {
                more: kept.more_parameters,
                fewer: kept.fewer_parameters,
            }
        });
        Self {
            postfix_version: facts.postfix_version.clone(),
            table_types: facts.table_types.as_ref().clone(),
            default_database_type: facts.default_database_type.clone(),
            distribution: facts.distribution.clone(),
            lmtp_socket: facts.lmtp_socket.clone(),
            index_type: facts.index_type.clone(),
            parameters,
        }
    }

    /// Facts to begin an observation with.
    #[must_use]
    pub fn assumed(&self) -> Facts {
        Facts {
            postfix_version: self.postfix_version.clone(),
            table_types: self.table_types.clone().into(),
            default_database_type: self.default_database_type.clone(),
            distribution: self.distribution.clone(),
            lmtp_socket: self.lmtp_socket.clone(),
            index_type: self.index_type.clone(),
            parameters: <_>::default(),
        }
    }

    /// The first fact in which another look differs, in words.
    #[must_use]
    pub fn difference(&self, now: &Self) -> Option<String> {
        let pairs = [
            (
                "the version of Postfix",
                &self.postfix_version,
                &now.postfix_version,
            ),
            ("the distribution", &self.distribution, &now.distribution),
        ];
        for (what, before, after) in pairs {
            if before != after {
                return Some(format!("{what} (`{before}`, now `{after}`)"));
            }
        }
        if self.index_type != now.index_type {
            return Some("the type of indexed tables".to_owned());
        }
        if self.lmtp_socket != now.lmtp_socket {
            return Some("the LMTP socket of Cyrus".to_owned());
        }
        (self != now).then(|| "the table types or parameters that Postfix has".to_owned())
    }
}
