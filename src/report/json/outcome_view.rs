//! The public part of an outcome.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{HostPlanView, RefusalView, masked};
use crate::outcome::Outcome;

/// The outcome of one host in an apply.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OutcomeView<'a> {
    /// Applied, and a second observation still finds a difference.
    Remains {
        outcome: RemainsWord,
        plan: HostPlanView<'a>,
    },
    /// Its plan has a refusal that no flag lifts.
    Refused {
        outcome: RefusedWord,
        refusals: Vec<RefusalView<'a>>,
    },
    /// An outcome without a plan in it: all of it is public.
    Other(Outcome),
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RemainsWord {
    Remains,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefusedWord {
    Refused,
}

impl<'a> OutcomeView<'a> {
    /// The public part of a host's outcome.
    pub(super) fn of(outcome: &'a Outcome) -> Self {
        match outcome {
            Outcome::Remains { plan } => Self::Remains {
                outcome: RemainsWord::Remains,
                plan: HostPlanView::of(plan),
            },
            Outcome::Refused { refusals } => Self::Refused {
                outcome: RefusedWord::Refused,
                refusals: refusals.iter().map(RefusalView::of).collect(),
            },
            other => {
                let mut other = other.clone();
                if let Some(failure) = other.failure_mut() {
                    *failure = masked(failure);
                }
                Self::Other(other)
            }
        }
    }
}
