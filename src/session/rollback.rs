//! Restores an earlier generation of one host: that generation becomes what the host must have.

use std::collections::BTreeSet;

use async_io::block_on;

use super::SessionError;
use super::murder::MurderSession;
use super::observe::Answered;
use super::one_host::OneHost;
use crate::diagnostic::Diagnostic;
use crate::exchange::{HistoryQuestion, KnownFacts, MachineError, Questions};
use crate::history::{Generation, before_last, revision_of_rollback};
use crate::machine::Observe;
use crate::model::Host;
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::{HostPlan, HostVerdict, Verdict};
use crate::report::history::History;
use crate::secret::SecretName;
use crate::state::{Desired, Want};

/// The generation that a rollback goes back to.
#[derive(Debug)]
pub struct Target {
    /// Its number.
    pub number: u64,
    /// What the host must have had then.
    pub desired: Desired,
    /// The revision of the manifest in its ledger.
    pub revision: String,
    /// Warnings about the secrets of its files.
    pub warnings: Vec<Diagnostic>,
}

/// The state of the host in generation `to`; without it, in the generation before the last change.
///
/// # Errors
/// If the host gives no answer, keeps no such generation, or the generation needs a secret that the manifest no
/// longer has.
pub fn target(one_host: &mut OneHost<'_>, to: Option<u64>) -> Result<Target, SessionError> {
    let host = &one_host.host.name;
    let observed = one_host.ask(Some(HistoryQuestion::Entries))?;
    let Some(ledger) = observed.live.ledger else {
        return Err(SessionError::refused(format!(
            "{host} has no ledger: `murder` manages nothing on this host, so there is no generation to go back to"
        )));
    };
    let number = match to {
        Some(number) => number,
        None => before_last(&observed.entries, ledger.generation).ok_or_else(|| {
            SessionError::refused(format!(
                "no generation before the current one ({}) of {host} is kept; `--to 0` restores \
                 the host as it was before its first apply",
                ledger.generation
            ))
        })?,
    };
    if number == 0 {
        return Ok(Target {
            number,
            desired: Desired::default(),
            warnings: Vec::new(),
            revision: revision_of_rollback(0, ""),
        });
    }
    // A file with a higher number is from an apply that did not write its ledger.
    let kept = match number <= ledger.generation {
        true => {
            let question = HistoryQuestion::Generation(number);
            let kept = one_host.ask(Some(question))?.generation;
            kept.map(|kept| of_number(kept, number, host)).transpose()?
        }
        false => None,
    };
    let Some(generation) = kept else {
        let history = History::new(host, Some(&ledger), observed.entries);
        return Err(SessionError::refused(history.missing(number)));
    };
    let (owner, ours) = (
        &generation.entry.murder,
        &one_host.contact.loaded.murder.name,
    );
    if owner != ours {
        return Err(SessionError::refused(format!(
            "generation {number} of {host} was made by the murder `{owner}`, not by `{ours}`: \
             use the manifest of `{owner}`"
        )));
    }
    let desired = generation.snapshot.desired();
    let warnings = secrets(one_host, number, &desired)?;
    Ok(Target {
        number,
        desired,
        warnings,
        revision: revision_of_rollback(number, &generation.entry.applied.revision),
    })
}

/// A generation, unless it is another one than its file's name says.
fn of_number(
    generation: Box<Generation>,
    number: u64,
    host: &HostName,
) -> Result<Box<Generation>, SessionError> {
    match generation.entry.generation {
        own if own == number => Ok(generation),
        own => Err(SessionError::refused(format!(
            "the file of generation {number} of {host} says that it is generation {own}: go back to another one"
        ))),
    }
}

/// Reads the present secrets for the files of an earlier generation, and gives the warnings about files and secrets.
///
/// # Errors
/// Where a manifest may not name a file, or a file names a secret that the manifest does not offer to this host, or may be read by more users than a file
/// with a secret may: the host itself keeps its generations, and could write anything into them.
fn secrets(
    one_host: &mut OneHost<'_>,
    number: u64,
    desired: &Desired,
) -> Result<Vec<Diagnostic>, SessionError> {
    let policy = &one_host.contact.paths;
    let judged = policy.judge_files(desired, |_| None);
    let mut warnings = judged.map_err(SessionError::Input)?;
    let mut needed: BTreeSet<SecretName> = BTreeSet::new();
    let mut lost = Vec::new();
    let offered = one_host.host.offered_secrets();
    let host = &one_host.host.name;
    for (path, want) in desired.files() {
        let Want::Present(file) = want else { continue };
        for name in file.body.secrets() {
            let known = one_host.contact.loaded.murder.secrets.contains_key(name);
            if known && offered.contains(name) && file.mode.may_hold_secret() {
                needed.insert(name.clone());
            } else if known && offered.contains(name) {
                lost.push(Diagnostic::error(format!(
                    "`{path}` of generation {number} holds the secret `{name}` and has mode {}, with which other users \
                     can read it: go back to another generation",
                    file.mode
                )));
            } else if known {
                lost.push(Diagnostic::error(format!(
                    "`{path}` of generation {number} holds the secret `{name}`, which the manifest does not offer to \
                     `{host}`: go back to another generation, and find out who wrote this one"
                )));
            } else {
                lost.push(Diagnostic::error(format!(
                    "`{path}` of generation {number} needs the secret `{name}`, which is no longer in the \
                     manifest: add `{name}` to the manifest again, or choose another generation"
                )));
            }
        }
    }
    if !lost.is_empty() {
        return Err(SessionError::Input(lost));
    }
    warnings.extend(one_host.contact.read_secrets(&needed)?);
    Ok(warnings)
}

/// The difference between what the host has and what it had.
///
/// # Errors
/// [`SessionError::Host`] where it gives no answer.
pub fn compare(one_host: &mut OneHost<'_>, target: &Target) -> Result<HostVerdict, SessionError> {
    let compared = one_host.with(|contact, host, machine| {
        let known = contact.session.known(&host.name);
        compare_with(contact, host, machine, target, known, None)
    });
    let (verdict, questions) = compared.map_err(|error| one_host.no_answer(error))?;
    one_host.prove_by(questions);
    Ok(verdict)
}

/// Goes back to `target`, and compares once more. Without a target the host could not be compared.
pub fn apply(
    one_host: &mut OneHost<'_>,
    plan: &HostPlan,
    target: Option<&Target>,
    allow_unverified: bool,
) -> Outcome {
    let revision = target.map_or("", |target| target.revision.as_str());
    one_host.change(
        plan,
        allow_unverified,
        revision,
        &|contact, host, machine, answered| {
            let Some(target) = target else {
                return Ok(HostVerdict::of(Verdict::Converged));
            };
            let known = match &answered {
                Some(answered) => answered.questions.known.clone(),
                None => contact.session.known(&host.name),
            };
            let (verdict, _) = compare_with(contact, host, machine, target, known, answered)?;
            Ok(verdict)
        },
    )
}

fn compare_with(
    contact: &MurderSession<'_>,
    host: &Host,
    machine: &mut dyn Observe,
    target: &Target,
    known: Option<KnownFacts>,
    answered: Option<Answered>,
) -> Result<(HostVerdict, Questions), MachineError> {
    let desired = |_: &_| Ok(target.desired.clone());
    let rollback = Some(target.number);
    let (observed, verdict) =
        block_on(contact.plan(host, known, machine, &desired, answered, rollback))?;
    Ok((verdict, observed.questions))
}
