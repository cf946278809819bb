//! Stops managing one host, or one thing on it: only its ledger changes.

use super::SessionError;
use super::murder::MurderSession;
use super::one_host::OneHost;
use crate::exchange::{HistoryQuestion, Questions};
use crate::history::Snapshot;
use crate::nearest::nearest;
use crate::outcome::Outcome;
use crate::plan::{self, HostPlan, HostVerdict, Verdict, forgets};
use crate::state::Live;
use crate::thing::Thing;

/// The reason why nothing is released.
#[derive(Debug)]
pub enum ReleaseError {
    /// The ledger does not have the thing.
    Unmanaged {
        /// The thing.
        thing: Thing,
        /// The thing of the ledger with the nearest name.
        near: Option<String>,
    },
    /// The host gave no answer, or cannot be released now.
    Session(SessionError),
}

impl From<SessionError> for ReleaseError {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

/// Plans the release of a thing, or of the whole host.
///
/// # Errors
/// If the host gives no answer, does not manage the thing, or cannot be released now.
pub fn plan(
    one_host: &mut OneHost<'_>,
    which: Option<&Thing>,
) -> Result<HostVerdict, ReleaseError> {
    let refuse = |text: &str| Err(SessionError::refused(text).into());
    let host = &one_host.host.name;
    let live = one_host.ask(None)?.live;
    if let Some(ledger) = &live.ledger {
        let ours = &one_host.contact.loaded.murder.name;
        if ledger.murder != *ours {
            return refuse(&format!(
                "{host} belongs to the murder `{}`, not to `{ours}`: release it with the manifest of that murder",
                ledger.murder
            ));
        }
        if let Some(thing) = which
            && verdict(&live, which, None, &one_host.contact) == Verdict::Converged
        {
            let known: Vec<String> = ledger
                .things()
                .map(|(_, thing)| thing.to_string())
                .collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(ReleaseError::Unmanaged {
                thing: thing.clone(),
                near: nearest(&thing.to_string(), &known).map(str::to_owned),
            });
        }
    }
    if let (None, None, Some(thing)) = (&live.ledger, &live.pending, which) {
        return refuse(&format!(
            "`{thing}` is not managed on {host}: the host has no ledger"
        ));
    }
    if live.pending.is_some() {
        return refuse(&format!(
            "an apply of {host} is unfinished, and its changes are not in the ledger yet: run `murder \
             apply` or `murder rollback` first, then release"
        ));
    }
    let last = match live.ledger.as_ref().filter(|_| which.is_some()) {
        None => None,
        Some(ledger) => {
            let question = HistoryQuestion::Generation(ledger.generation);
            one_host.ask(Some(question))?.generation
        }
    };
    let mut remarks = live.remarks.clone();
    if which.is_none() && live.ledger.is_some() {
        let kept = one_host.ask(Some(HistoryQuestion::Entries))?.entries.len();
        remarks.push(forgets(kept));
    }
    let snapshot = last.as_deref().map(|generation| &generation.snapshot);
    // A release does not concern Postfix.
    Ok(HostVerdict {
        remarks,
        ..HostVerdict::of(verdict(&live, which, snapshot, &one_host.contact))
    })
}

/// Carries out the release, and compares once more.
pub fn apply(one_host: &mut OneHost<'_>, plan: &HostPlan, which: Option<&Thing>) -> Outcome {
    let revision = one_host.contact.loaded.revision();
    one_host.prove_by(Questions::default());
    one_host.change(plan, false, revision, &|contact, _, machine, answered| {
        let live = match answered {
            Some(answered) => answered.observed.live,
            None => machine.observe(&Questions::default())?.live,
        };
        Ok(HostVerdict::of(verdict(&live, which, None, contact)))
    })
}

fn verdict(
    live: &Live,
    which: Option<&Thing>,
    last: Option<&Snapshot>,
    contact: &MurderSession<'_>,
) -> Verdict {
    let keep = contact.loaded.murder.keep;
    match plan::release(live, which, last, keep) {
        None => Verdict::Converged,
        Some(plan) => Verdict::Changes(Box::new(plan)),
    }
}
