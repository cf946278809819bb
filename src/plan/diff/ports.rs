//! Listeners by their port: `smtp/inet` in the manifest means the entries of master.cf that listen on that port, whatever
//! they are called: `25/inet`, `0.0.0.0:smtp/inet`, or smtpd(8) behind postscreen(8).
//!
//! A second entry for the same port would take the place of the first, with its options, or keep master(8) from starting.

use std::collections::BTreeMap;

use crate::name::ServiceName;
use crate::postfix::configuration::is_same_port;
use crate::postfix::{MasterCf, MasterEntry};
use crate::state::{Desired, DesiredService, Live, LiveService, Want};
use crate::thing::{Field, Thing};

/// The desired state with the listeners under the names that the host has for them; none if no name differs.
pub(super) fn by_port(desired: &Desired, live: &Live) -> Option<Desired> {
    let mut renamed = desired.clone();
    let mut differs = false;
    for (service, wanted) in &mut renamed.services {
        if let Some(LiveService::Postfix(postfix)) = live.services.get(service) {
            differs |= rename(wanted, &postfix.master_cf);
        }
    }
    differs.then_some(renamed)
}

/// Whether the desired state names a listener that the host may have under another name: only then it is worth a copy.
pub(super) fn names_listeners(desired: &Desired) -> bool {
    let mut values = desired.values();
    values.any(|(thing, _)| service_of(thing).is_some_and(|service| service.parts().1 == "inet"))
}

/// Gives the parts of listeners the names of the host's entries. True if any name changes.
fn rename(wanted: &mut DesiredService, master_cf: &MasterCf) -> bool {
    let mut renamed: BTreeMap<Thing, Want<String>> = BTreeMap::new();
    for (thing, want) in &wanted.values {
        for name in names_of(thing, wanted, master_cf) {
            // What the manifest says of the host's own name is nearer.
            if name == *thing || !wanted.values.contains_key(&name) {
                renamed.insert(name, want.clone());
            }
        }
    }
    let differs = renamed != wanted.values;
    wanted.values = renamed;
    differs
}

/// The things of the host that a thing of the manifest means.
fn names_of(thing: &Thing, wanted: &DesiredService, master_cf: &MasterCf) -> Vec<Thing> {
    let own = || vec![thing.clone()];
    let Some(service) = service_of(thing) else {
        return own();
    };
    let (port, kind) = service.parts();
    if kind != "inet" || port.contains(':') {
        return own();
    }
    let entries = entries_on(port, service, master_cf);
    let mut names = Vec::new();
    for entry in entries {
        let target = if is_for_smtpd(thing, service, wanted) && entry.program() == "postscreen" {
            behind(master_cf).unwrap_or_else(|| name_of(entry))
        } else {
            name_of(entry)
        };
        names.extend(target.and_then(|target| renamed(thing, target)));
    }
    if names.is_empty() { own() } else { names }
}

/// The entries on a port: the one of that very name, if the host has it, otherwise all.
fn entries_on<'a>(
    port: &str,
    service: &ServiceName,
    master_cf: &'a MasterCf,
) -> Vec<&'a MasterEntry> {
    if let Some(entry) = master_cf.entry(service) {
        return vec![entry];
    }
    let entries = master_cf.services().iter().filter(|entry| {
        let name = entry.name();
        let own = name.rsplit(':').next().unwrap_or_default();
        entry.kind() == "inet" && is_same_port(own, port)
    });
    entries.collect()
}

/// Whether a part of a listener is about smtpd(8), if postscreen(8) listens on its port: every option but those of
/// postscreen(8), and the number of processes. An entry whose command the manifest sets is meant as it is.
fn is_for_smtpd(thing: &Thing, service: &ServiceName, wanted: &DesiredService) -> bool {
    let command = Thing::Field(service.clone(), Field::Command);
    if wanted.values.contains_key(&command) {
        return false;
    }
    match thing {
        Thing::Option(_, name) => {
            !name.as_str().starts_with("postscreen_") && !name.as_str().starts_with("dnsblog_")
        }
        Thing::Field(_, field) => *field == Field::ProcessLimit,
        _ => false,
    }
}

/// The service of smtpd(8) to which postscreen(8) gives its clients (`smtpd_service_name`).
fn behind(master_cf: &MasterCf) -> Option<Option<ServiceName>> {
    let mut entries = master_cf.services().iter();
    entries
        .rfind(|entry| entry.kind() == "pass" && entry.program() == "smtpd")
        .map(name_of)
}

fn name_of(entry: &MasterEntry) -> Option<ServiceName> {
    ServiceName::new(format!("{}/{}", entry.name(), entry.kind())).ok()
}

fn renamed(thing: &Thing, service: ServiceName) -> Option<Thing> {
    Some(match thing {
        Thing::Service(_) => Thing::Service(service),
        Thing::Field(_, field) => Thing::Field(service, *field),
        Thing::Option(_, name) => Thing::Option(service, name.clone()),
        Thing::File(_) | Thing::Parameter(_) => return None,
    })
}

fn service_of(thing: &Thing) -> Option<&ServiceName> {
    match thing {
        Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
            Some(service)
        }
        Thing::File(_) | Thing::Parameter(_) => None,
    }
}
