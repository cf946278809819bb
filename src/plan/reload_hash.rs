//! Which configuration a service last loaded: a hash over the managed things that it reads only at a
//! reload or start.
//!
//! Postfix itself does not record it, so the ledger does: the hash of the managed things as they were
//! at the last reload by an apply. Indexed tables are left out, since Postfix watches those (DATABASE_README).

use std::collections::BTreeMap;

use crate::digest::sha256_hex;
use crate::ledger::{Managed, ServiceLedger};
use crate::postfix::catalogue::lists;
use crate::service::Service;
use crate::state::{Live, LiveFile, LiveService};
use crate::thing::Thing;

/// The hash over a service's managed things as the host has them now.
#[must_use]
pub fn activation_by(service: &Service, ledger: &ServiceLedger, live: &Live) -> String {
    let of_service: Option<&LiveService> = live.services.get(service);
    hash(
        ledger
            .managed
            .iter()
            .filter(|(thing, _)| counts(ledger, thing))
            .map(|(thing, managed)| {
                let value = match thing {
                    Thing::File(path) => match live.files.get(path) {
                        Some(LiveFile::Present(state)) => Some(state.sha256.clone()),
                        _ => None,
                    },
                    _ => of_service
                        .and_then(|service| service.value(thing))
                        .map(|value| as_recorded(thing, managed, value)),
                };
                (thing.to_string(), value)
            }),
    )
}

/// The hash over managed things as the ledger records them after an apply.
#[must_use]
pub fn activation_after(ledger: &ServiceLedger) -> String {
    hash(
        ledger
            .managed
            .iter()
            .filter(|(thing, _)| counts(ledger, thing))
            .map(|(thing, managed)| (thing.to_string(), managed.value.clone())),
    )
}

/// The text that the ledger records for a value, if the host's own differs from it in layout only: commas of a list need
/// no reload.
fn as_recorded(thing: &Thing, managed: &Managed, live: String) -> String {
    let (Thing::Parameter(name) | Thing::Option(_, name), Some(recorded)) = (thing, &managed.value)
    else {
        return live;
    };
    match lists::same(name.as_str(), recorded, &live) {
        true => recorded.clone(),
        false => live,
    }
}

/// Whether the service reads the thing only at its activation.
fn counts(ledger: &ServiceLedger, thing: &Thing) -> bool {
    match thing {
        // It stays what it is.
        _ if ledger.is_held(thing) => false,
        Thing::File(path) => !ledger.indexes.contains_key(path),
        // Its fields and options count one by one.
        Thing::Service(_) => false,
        _ => true,
    }
}

fn hash(things: impl Iterator<Item = (String, Option<String>)>) -> String {
    let things: BTreeMap<_, _> = things.collect();
    let mut text = String::new();
    for (thing, value) in things {
        text.push_str(&thing);
        match value {
            Some(value) => {
                text.push('=');
                // As Postfix reads it: a change of layout needs no reload.
                text.extend(value.split_whitespace().flat_map(|word| [word, " "]));
            }
            None => text.push('!'),
        }
        text.push('\n');
    }
    sha256_hex(text.as_bytes())
}
