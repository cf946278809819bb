//! Which configuration a service last loaded: a hash over the managed things that it reads only at a
//! reload or start.
//!
//! Postfix itself does not record it, so the ledger does: the hash of the managed things as they were
//! at the last reload by an apply. Indexed tables are left out, since Postfix watches those (DATABASE_README).

use std::collections::BTreeMap;

use crate::digest::sha256_hex;
use crate::ledger::{Ledger, Managed, PinningKey, ServiceLedger};
use crate::postfix::catalogue::lists;
use crate::service::Service;
use crate::state::{Live, LiveFile, LiveService};
use crate::thing::Thing;

/// Whether the service last loaded its managed things as the host has them now, as far as the ledger knows.
#[must_use]
pub fn is_loaded(service: &Service, ledger: &ServiceLedger, live: &Live) -> bool {
    let recorded = ledger.activated.as_ref();
    // An apply of before there were keys recorded a plain hash.
    [live.host_key(), None]
        .into_iter()
        .any(|key| recorded == Some(&of_live(service, ledger, live, key)))
}

/// Whether the service last loaded its managed things as the ledger records them.
#[must_use]
pub fn is_loaded_as_recorded(ledger: &ServiceLedger, key: Option<&PinningKey>) -> bool {
    let recorded = ledger.activated.as_ref();
    [key, None]
        .into_iter()
        .any(|key| recorded == Some(&of_records(ledger, key)))
}

/// The hash over a service's managed things as the host has them now.
#[must_use]
pub fn activation_by(service: &Service, ledger: &ServiceLedger, live: &Live) -> String {
    of_live(service, ledger, live, live.host_key())
}

fn of_live(
    service: &Service,
    ledger: &ServiceLedger,
    live: &Live,
    key: Option<&PinningKey>,
) -> String {
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
                (thing, value)
            }),
        key,
    )
}

/// The hash over managed things as the ledger records them after an apply.
#[must_use]
pub fn activation_after(ledger: &ServiceLedger) -> String {
    of_records(ledger, None)
}

fn of_records(ledger: &ServiceLedger, key: Option<&PinningKey>) -> String {
    hash(
        ledger
            .managed
            .iter()
            .filter(|(thing, _)| counts(ledger, thing))
            .map(|(thing, managed)| (thing, managed.value.clone())),
        key,
    )
}

/// Keys every hash of a ledger for its file. What a service last loaded is recorded over keyed hashes, so that it can be
/// compared where not all of them are known.
pub fn key_ledger(ledger: &mut Ledger, key: &PinningKey) {
    for service in ledger.services.values_mut() {
        let Some(activated) = &service.activated else {
            continue;
        };
        service.activated = Some(match is_loaded_as_recorded(service, None) {
            true => of_records(service, Some(key)),
            false => key.keyed(activated),
        });
    }
    ledger.key_hashes(key);
    ledger.host_key = Some(key.clone());
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

fn hash<'a>(
    things: impl Iterator<Item = (&'a Thing, Option<String>)>,
    key: Option<&PinningKey>,
) -> String {
    let keyed = |(thing, value): (&Thing, Option<String>)| {
        let is_file = matches!(thing, Thing::File(_));
        let value = match key.filter(|_| is_file) {
            Some(key) => value.map(|hash| key.keyed(&hash)),
            None => value,
        };
        (thing.to_string(), value)
    };
    let things: BTreeMap<_, _> = things.map(keyed).collect();
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
    match key {
        Some(key) => key.keyed(&text),
        None => sha256_hex(text.as_bytes()),
    }
}
