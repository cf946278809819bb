//! Carrying out one host's plan: orders, performance, and a second look that proves it.
//!
//! Decides nothing: what is done stands in the plan, and what is left afterwards is reported.

use crate::machine::{Apply, Ending, MachineError, Observe};
use crate::outcome::Outcome;
use crate::plan::{Failure, HostPlan, HostVerdict, Run, Verdict, orders};
use crate::secret::Secrets;

/// Applies `plan` on `machine`; `again` makes the difference once more afterwards.
pub fn apply(
    machine: &mut dyn Apply,
    plan: &HostPlan,
    secrets: &Secrets,
    run: &Run,
    allow_unverified: bool,
    again: &dyn Fn(&mut dyn Observe) -> Result<HostVerdict, MachineError>,
) -> Outcome {
    let orders = match orders(plan, secrets, run, allow_unverified) {
        Ok(orders) => orders,
        Err(missing) => {
            return Outcome::Untouched {
                error: Failure {
                    summary: missing.to_string(),
                    detail: None,
                    hint: None,
                },
            };
        }
    };
    let performed = match machine.perform(&orders) {
        Ok(performed) => performed,
        Err(error) => return Outcome::from(error),
    };
    match performed.ending {
        Ending::Done => {}
        Ending::Stale(thing) => return Outcome::Stale { thing },
        Ending::PutBack(error) => return Outcome::PutBack { error },
        Ending::Untouched(error) => return Outcome::Untouched { error },
        Ending::Locked(error) => return Outcome::Locked { error },
        Ending::HalfWay(error) => return Outcome::HalfWay { error },
    }
    let seen = match again(machine) {
        Ok(seen) => seen,
        Err(error) => {
            return Outcome::Failed {
                error: unproved(error.into_failure()),
            };
        }
    };
    match seen.verdict {
        Verdict::Converged => Outcome::Done {
            log: performed.log,
            stopped: seen.stopped,
        },
        Verdict::Changes(plan) => Outcome::Remains { plan },
        Verdict::Unreachable { error } | Verdict::Failed { error } => Outcome::Failed {
            error: unproved(error),
        },
    }
}

/// The apply said done; the look that should prove it did not come through.
fn unproved(error: Failure) -> Failure {
    Failure {
        summary: format!(
            "applied, but not proved by a second look: {}",
            error.summary
        ),
        detail: error.detail,
        hint: Some("run `murder plan` to see how the host stands".to_owned()),
    }
}
