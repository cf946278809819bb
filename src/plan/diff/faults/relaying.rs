//! Restrictions of smtpd(8) that do not stop relaying: the host is an open relay, or smtpd(8) ends each session.

use std::collections::{BTreeMap, BTreeSet};

use crate::postfix::configuration::{Relaying, RunningService};

use super::{Fault, Faults, Side};

pub(super) fn judge(side: &Side<'_>) -> Faults {
    let services = side.configuration.services().unwrap_or_default();
    let mut unguarded = BTreeSet::new();
    let mut open: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for service in services.iter().filter(|one| one.program == "smtpd") {
        let name = service.name.to_string();
        match side.configuration.service(&service.name).relaying() {
            Relaying::NoGuard => _ = unguarded.insert(name),
            Relaying::Open {
                parameter,
                word,
                through,
            } if is_reachable(service, &services, side) => {
                let through = through.map(|(name, member)| format!(" (`{name}` has `{member}`)"));
                let why = format!("`{word}` in `{parameter}`{}", through.unwrap_or_default());
                open.entry(why).or_default().insert(name);
            }
            Relaying::Open { .. } | Relaying::Stopped => {}
        }
    }
    let mut faults = Faults::new();
    if !unguarded.is_empty() {
        faults.insert("relaying unguarded".to_owned(), no_guard(unguarded));
    }
    faults.extend(open.into_iter().map(|(why, services)| {
        let fault = open_relay(&why, services);
        (format!("relaying {why}"), fault)
    }));
    faults
}

/// Whether other hosts reach an smtpd(8): by its own listener, or through a postscreen(8) that hands them on.
fn is_reachable(service: &RunningService, services: &[RunningService], side: &Side<'_>) -> bool {
    let listens = |one: &RunningService| {
        let listener = side.configuration.main().listener(&one.name);
        listener.is_some_and(|listener| !listener.on.is_loopback())
    };
    match service.name.parts().1 {
        "inet" => listens(service),
        "pass" => {
            let mut screens = services.iter().filter(|one| one.program == "postscreen");
            screens.any(listens)
        }
        _ => false,
    }
}

fn list(services: &BTreeSet<String>) -> String {
    let names: Vec<String> = services.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn no_guard(services: BTreeSet<String>) -> Fault {
    Fault {
        text: format!(
            "neither `smtpd_relay_restrictions` nor `smtpd_recipient_restrictions` of this host stops relaying for {}: smtpd(8) ends each session with a fatal error",
            list(&services)
        ),
        hint: "write `reject_unauth_destination` after the restrictions that permit relaying, and before each `permit`"
            .to_owned(),
        is_default: false,
        about: services,
        stays: false,
    }
}

fn open_relay(why: &str, services: BTreeSet<String>) -> Fault {
    Fault {
        text: format!(
            "the host is an open relay: {why} lets strangers send mail to other strangers through {}",
            list(&services)
        ),
        hint: "let `mynetworks` have the hosts that may relay alone, and write `reject_unauth_destination` before what permits all others"
            .to_owned(),
        is_default: false,
        about: services,
        stays: false,
    }
}
