//! What a host's ledger said when its plan was made: the precondition of every step that rests on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pin::{Pin, Pins, SavedValue};
use crate::ledger::{FileAccess, Ledger, Managed, Origin, Previous};
use crate::name::Mode;
use crate::service::Service;
use crate::thing::Thing;

/// A ledger, without what may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedLedger {
    /// The murder that owns the host.
    pub murder: String,
    /// Its generation.
    pub generation: u64,
    /// What is managed of each service.
    pub services: BTreeMap<Service, BTreeMap<Thing, SavedEntry>>,
}

/// The entry of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedEntry {
    /// How it came to be managed.
    pub origin: SavedOrigin,
    /// What was last applied. None for a file, and for a thing that was made absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<SavedValue>,
    /// The pin of the bytes that a file had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// The owner, group and mode that a file had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<FileAccess>,
}

/// How a thing came to be managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SavedOrigin {
    /// An apply created it.
    Created,
    /// It existed before, with this value.
    AdoptedValue(SavedValue),
    /// It existed before, as a file.
    AdoptedFile {
        /// The pin of its bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pin: Option<Pin>,
        /// Owner's name.
        owner: String,
        /// Group's name.
        group: String,
        /// Permission bits.
        mode: Mode,
    },
}

impl SavedLedger {
    /// A ledger as a saved plan keeps it.
    #[must_use]
    pub fn of(ledger: &Ledger, pins: &Pins) -> Self {
        let entry = |(thing, managed): (&Thing, &Managed)| {
            (thing.clone(), SavedEntry::of(thing, managed, pins))
        };
        let services = ledger.services.iter();
        Self {
            murder: ledger.murder.clone(),
            generation: ledger.generation,
            services: services
                .map(|(name, service)| {
                    let entries = service.managed.iter().map(entry).collect();
                    (name.clone(), entries)
                })
                .collect(),
        }
    }
}

impl SavedEntry {
    fn of(thing: &Thing, managed: &Managed, pins: &Pins) -> Self {
        let is_file = matches!(thing, Thing::File(_));
        let value = managed.value.as_deref();
        Self {
            origin: match &managed.origin {
                Origin::Created => SavedOrigin::Created,
                Origin::Adopted(Previous::Value(value)) => {
                    SavedOrigin::AdoptedValue(pins.value(thing, value))
                }
                Origin::Adopted(Previous::File {
                    sha256,
                    owner,
                    group,
                    mode,
                }) => SavedOrigin::AdoptedFile {
                    pin: pins.bytes(sha256),
                    owner: owner.clone(),
                    group: group.clone(),
                    mode: *mode,
                },
            },
            value: value
                .filter(|_| !is_file)
                .map(|value| pins.value(thing, value)),
            pin: value
                .filter(|_| is_file)
                .and_then(|sha256| pins.bytes(sha256)),
            access: managed.access.clone(),
        }
    }
}
