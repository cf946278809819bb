//! Carries out one host's plan: orders, performance, and a second observation that proves it.
//!
//! It decides nothing: it carries out the plan, and reports what still differs.

use super::observe::Answered;
use super::provenance;
use crate::ledger::PinningKey;
use crate::machine::{Apply, Ending, MachineError, NotDone, Observe, Questions};
use crate::outcome::Outcome;
use crate::plan::{Failure, HostPlan, HostVerdict, Run, Verdict, orders};
use crate::secret::Secrets;

/// The input of an apply to one host.
#[derive(Debug)]
pub struct Application<'a> {
    /// The plan.
    pub plan: &'a HostPlan,
    /// The secrets of its files.
    pub secrets: &'a Secrets,
    /// Who applies it, when, and from what.
    pub run: &'a Run,
    /// Whether an LDAP server that does not answer is accepted.
    pub allow_unverified: bool,
    /// The key that the host's ledger keeps, which the new ledger takes over. A host without one gets a new one.
    pub host_key: Option<&'a PinningKey>,
    /// What the host was asked when the plan was made; it answers once more after the work.
    pub questions: Option<&'a Questions>,
}

/// Compares the host again after an apply, by the answers that came with its report, if there are any.
pub type Proof<'a> =
    &'a dyn Fn(&mut dyn Observe, Option<Answered>) -> Result<HostVerdict, MachineError>;

/// Applies a plan on `machine`, and checks the result by `again`.
pub fn apply(machine: &mut dyn Apply, what: &Application<'_>, again: Proof<'_>) -> Outcome {
    let unverified = what.allow_unverified;
    let new = match what.host_key {
        Some(_) => None,
        None => provenance::new_key(),
    };
    let key = what.host_key.or(new.as_ref());
    let orders = match orders(what.plan, what.secrets, what.run, key, unverified) {
        Ok(orders) => orders,
        Err(missing) => {
            return Outcome::NotDone(NotDone::Untouched {
                error: Failure {
                    summary: missing.to_string(),
                    detail: None,
                    hint: None,
                },
            });
        }
    };
    let performed = match machine.perform(&orders, what.questions) {
        Ok(performed) => performed,
        Err(error) => return Outcome::from(error),
    };
    if let Ending::NotDone(why) = performed.ending {
        return Outcome::NotDone(why);
    }
    let answered = what.questions.zip(performed.seen);
    let answered = answered.map(|(questions, observed)| Answered {
        questions: questions.clone(),
        observed,
    });
    let seen = match again(machine, answered) {
        Ok(seen) => seen,
        Err(error) => {
            return Outcome::Failed {
                error: unproved(error.into_failure()),
            };
        }
    };
    match seen.verdict {
        Verdict::Converged => {
            let services = what.plan.expects.services.keys();
            let stopped = services.filter(|_| seen.stopped).cloned().collect();
            Outcome::of_applied(performed.found, performed.log, stopped)
        }
        Verdict::Changes(plan) => Outcome::Remains { plan },
        Verdict::Maintenance(one) => Outcome::Maintenance(one),
        Verdict::Unreachable { error } | Verdict::Failed { error } => Outcome::Failed {
            error: unproved(error),
        },
    }
}

/// The host reported success, but the observation after it failed.
fn unproved(error: Failure) -> Failure {
    Failure {
        summary: format!("applied, but the check after it failed: {}", error.summary),
        detail: error.detail,
        hint: Some("run `murder plan` to see the state of the host".to_owned()),
    }
}
