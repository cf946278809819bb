//! The facts of a host that change only with an upgrade, and how its ledger keeps them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ledger::KeptFacts;
use crate::postfix::catalogue;
use crate::state::Facts;

/// Facts, and the identity of the Postfix they were read from (binary and `dynamicmaps.cf*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFacts {
    /// The hash that the host computed over the files that an upgrade changes.
    pub identity: String,
    /// The facts.
    pub facts: Facts,
}

impl KnownFacts {
    /// The facts as a ledger keeps them: of a thousand parameter names, only the difference from those of 3.7.
    #[must_use]
    pub fn kept(&self) -> KeptFacts {
        let facts = &self.facts;
        let of_3_7: BTreeSet<&str> = catalogue::built_in().collect();
        let names = || facts.parameters.iter();
        let of_service = |name: &str| catalogue::service_parameter(name).is_some();
        KeptFacts {
            identity: self.identity.clone(),
            postfix_version: facts.postfix_version.clone(),
            table_types: facts.table_types.iter().cloned().collect(),
            default_database_type: facts.default_database_type.clone(),
            distribution: facts.distribution.clone(),
            lmtp_socket: facts.lmtp_socket.clone(),
            more_parameters: names()
                .filter(|name| !of_3_7.contains(name) && !of_service(name))
                .map(str::to_owned)
                .collect(),
            fewer_parameters: {
                let there: BTreeSet<&str> = names().collect();
                let gone = of_3_7.iter().filter(|name| !there.contains(*name));
                gone.map(|name| (*name).to_owned()).collect()
            },
        }
    }
}

impl From<&KeptFacts> for KnownFacts {
    fn from(kept: &KeptFacts) -> Self {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        names.extend(kept.more_parameters.iter().map(String::as_str));
        for name in catalogue::built_in() {
            if !kept.fewer_parameters.iter().any(|gone| gone == name) {
                names.insert(name);
            }
        }
        Self {
            identity: kept.identity.clone(),
            facts: Facts {
                postfix_version: kept.postfix_version.clone(),
                table_types: kept
                    .table_types
                    .iter()
                    .cloned()
                    .collect::<BTreeSet<_>>()
                    .into(),
                default_database_type: kept.default_database_type.clone(),
                distribution: kept.distribution.clone(),
                lmtp_socket: kept.lmtp_socket.clone(),
                // Each observation looks the type up in main.cf again.
                index_type: kept.default_database_type.clone(),
                parameters: names.into_iter().collect(),
            },
        }
    }
}
