//! Which configuration a service last loaded: a hash over the managed things that it reads only at a
//! reload or start.
//!
//! Postfix itself does not record it, so the ledger does: the hash of the managed things as they were
//! at our last reload. Indexed tables are left out, since Postfix watches those (DATABASE_README).

use std::collections::BTreeMap;

use crate::digest::sha256_hex;
use crate::ledger::ServiceLedger;
use crate::state::{Live, LiveFile};
use crate::thing::Thing;

use crate::state::live_value;

/// The hash over managed things as the host has them now.
#[must_use]
pub fn activation_by(ledger: &ServiceLedger, live: &Live) -> String {
    hash(
        ledger
            .managed
            .keys()
            .filter(|thing| counts(ledger, thing))
            .map(|thing| {
                let value = match thing {
                    Thing::File(path) => match live.files.get(path) {
                        Some(LiveFile::Present(state)) => Some(state.sha256.clone()),
                        _ => None,
                    },
                    _ => live_value(live, thing),
                };
                (thing.to_string(), value)
            }),
    )
}

/// The hash over managed things as a ledger says they are after an apply.
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

/// Whether Postfix reads the thing only when told.
fn counts(ledger: &ServiceLedger, thing: &Thing) -> bool {
    match thing {
        Thing::File(path) => !ledger.indexes.contains_key(path),
        // Its fields and options say the same, one by one.
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
                // As Postfix reads it: layout is no reason to tell it again.
                text.extend(value.split_whitespace().flat_map(|word| [word, " "]));
            }
            None => text.push('!'),
        }
        text.push('\n');
    }
    sha256_hex(text.as_bytes())
}
