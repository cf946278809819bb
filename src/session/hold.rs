//! Holds a thing on one host, or ends a hold: only its ledger changes.

use std::time::{Duration, SystemTime};

use super::SessionError;
use super::one_host::OneHost;
use super::provenance;
use crate::exchange::{Ending, Expects, NotDone, Orders};
use crate::ledger::{Hold, Ledger};
use crate::name::HostName;
use crate::nearest::nearest;
use crate::plan::{order_ledger, with_hold};
use crate::service::Service;
use crate::state::Live;
use crate::thing::Thing;

/// A hold by this run, for a time from now.
#[must_use]
pub fn new_hold(one_host: &OneHost<'_>, time: Duration, reason: &str) -> Hold {
    let run = &one_host.contact.session.run;
    Hold {
        until: provenance::run(SystemTime::now() + time).at,
        reason: reason.to_owned(),
        by: run.by.clone(),
        at: run.at.clone(),
    }
}

/// Holds a managed thing, or changes its hold.
///
/// # Errors
/// If the host gives no answer, does not manage the thing, or could not write its ledger.
pub fn hold(one_host: &mut OneHost<'_>, thing: &Thing, hold: Hold) -> Result<(), SessionError> {
    let live = one_host.ask(None)?.live;
    let ledger = ledger_of(&live, one_host)?;
    let Some(service) = manages(ledger, thing) else {
        let known = ledger.things().map(|(_, thing)| thing.to_string());
        return Err(unknown(thing, "managed", known, &one_host.host.name));
    };
    write(one_host, &live, &service, thing, Some(hold))
}

/// Ends a hold.
///
/// # Errors
/// If the host gives no answer, does not hold the thing, or could not write its ledger.
pub fn unhold(one_host: &mut OneHost<'_>, thing: &Thing) -> Result<(), SessionError> {
    let live = one_host.ask(None)?.live;
    let ledger = ledger_of(&live, one_host)?;
    let mut services = ledger.services.iter();
    let found = services.find(|(_, one)| one.holds.contains_key(thing));
    let Some((service, _)) = found else {
        let held = ledger.services.values().flat_map(|one| one.holds.keys());
        let known = held.map(ToString::to_string);
        return Err(unknown(thing, "held", known, &one_host.host.name));
    };
    write(one_host, &live, &service.clone(), thing, None)
}

fn ledger_of<'a>(live: &'a Live, one_host: &OneHost<'_>) -> Result<&'a Ledger, SessionError> {
    let (host, ours) = (&one_host.host.name, &one_host.contact.loaded.murder.name);
    let refuse = |text: String| Err(SessionError::refused(text));
    if live.pending.is_some() {
        return refuse(format!(
            "an apply of {host} is unfinished: run `murder apply` first"
        ));
    }
    match &live.ledger {
        None => refuse(format!(
            "{host} has no ledger: `murder` manages nothing on this host"
        )),
        Some(ledger) if ledger.murder != *ours => refuse(format!(
            "{host} belongs to the murder `{}`, not to `{ours}`",
            ledger.murder
        )),
        Some(ledger) => Ok(ledger),
    }
}

/// The service of which the ledger names the thing, or a part of it.
fn manages(ledger: &Ledger, thing: &Thing) -> Option<Service> {
    let mut things = ledger.things();
    let found = things.find(|(_, part)| part.is_part_of(thing));
    found.map(|(service, _)| service.clone())
}

fn unknown(
    thing: &Thing,
    what: &str,
    known: impl Iterator<Item = String>,
    host: &HostName,
) -> SessionError {
    let known: Vec<String> = known.collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = nearest(&thing.to_string(), &known);
    let help = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    SessionError::refused(format!("`{thing}` is not {what} on {host}{help}"))
}

fn write(
    one_host: &mut OneHost<'_>,
    live: &Live,
    service: &Service,
    thing: &Thing,
    hold: Option<Hold>,
) -> Result<(), SessionError> {
    let Some(ledger) = with_hold(live, service, thing, hold) else {
        return Ok(());
    };
    let run = one_host.contact.session.run.clone();
    let mut orders = Orders::empty(&run, Expects::of(live));
    order_ledger(ledger, live.host_key(), &mut orders);
    let performed = one_host
        .perform(&orders)
        .map_err(|error| one_host.no_answer(error))?;
    let host = &one_host.host.name;
    match performed.ending {
        Ending::Done => Ok(()),
        Ending::NotDone(why) => Err(SessionError::refused(not_done(host, &why))),
    }
}

/// Why a host did not write its ledger.
pub(super) fn not_done(host: &HostName, why: &NotDone) -> String {
    let reason = match why.failure() {
        Some(failure) => failure.summary.clone(),
        None => "it is locked, or was changed in the meantime".to_owned(),
    };
    format!("{host} did not write its ledger: {reason}; nothing was changed")
}
