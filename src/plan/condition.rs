//! What a host's difference means for the person on call: whether the manifest is ahead, or the host was changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Cause, HostPlan, HostVerdict, IndexReason, Plan, RefusalKind, ReloadReason, Step, Verdict,
};
use crate::name::{HostName, RemotePath};
use crate::thing::Thing;

/// The condition of a host, for `drift`, metrics and notifications.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Desired and live state agree, and Postfix runs.
    Converged,
    /// Things differ only because they are held on the host.
    Held,
    /// The host was not contacted, as the manifest says.
    Maintenance,
    /// The manifest or a module changed, or an apply did not end: the next apply does the rest.
    Pending,
    /// Something was changed on the host since the last apply.
    Drifted,
    /// Postfix does not run, and nothing was changed on the host.
    Stopped,
    /// The host could not be reached.
    Unreachable,
    /// The host was reached, and could not be understood or planned.
    Failed,
}

impl Condition {
    /// Every condition, in the order of summaries.
    pub const ALL: [Self; 8] = [
        Self::Converged,
        Self::Held,
        Self::Maintenance,
        Self::Pending,
        Self::Drifted,
        Self::Stopped,
        Self::Unreachable,
        Self::Failed,
    ];

    /// Its word, the same in text, JSON and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Held => "held",
            Self::Maintenance => "maintenance",
            Self::Pending => "pending",
            Self::Drifted => "drifted",
            Self::Stopped => "stopped",
            Self::Unreachable => "unreachable",
            Self::Failed => "failed",
        }
    }
}

impl HostVerdict {
    /// A verdict of which nothing else is known.
    #[must_use]
    pub fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            remarks: Vec::new(),
            stopped: false,
            held: Vec::new(),
            orphans: Vec::new(),
            queue: None,
        }
    }

    /// The condition of the host. A host that drifted and whose Postfix does not run has drifted.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match &self.verdict {
            Verdict::Maintenance(_) => Condition::Maintenance,
            Verdict::Unreachable { .. } => Condition::Unreachable,
            Verdict::Failed { .. } => Condition::Failed,
            Verdict::Changes(plan) if plan.is_drifted() => Condition::Drifted,
            _ if self.stopped => Condition::Stopped,
            Verdict::Changes(_) => Condition::Pending,
            Verdict::Converged if self.held.iter().any(|held| held.differs) => Condition::Held,
            Verdict::Converged => Condition::Converged,
        }
    }
}

impl Plan {
    /// The hosts that ledgers name and the manifest does not any more, each with those that remember it.
    #[must_use]
    pub fn orphans(&self) -> BTreeMap<&HostName, Vec<&HostName>> {
        let mut orphans: BTreeMap<&HostName, Vec<&HostName>> = BTreeMap::new();
        for (host, verdict) in &self.hosts {
            for orphan in &verdict.orphans {
                orphans.entry(orphan).or_default().push(host);
            }
        }
        orphans
    }

    /// How many hosts have this condition.
    #[must_use]
    pub fn count(&self, condition: Condition) -> usize {
        let hosts = self.hosts.values();
        hosts.filter(|host| host.condition() == condition).count()
    }
}

impl HostPlan {
    /// Whether a step undoes what was changed on the host since the last apply.
    #[must_use]
    pub fn is_drifted(&self) -> bool {
        // What an apply that did not end left undone was changed by `murder` itself.
        let unfinished = self.finishes_an_apply();
        let by_host = self.steps.iter().any(|step| match step {
            Step::Index { reason, source, .. } => {
                let changed = *reason != IndexReason::SourceChanges;
                changed && !unfinished && self.was_managed(source)
            }
            _ => step.cause() == Some(Cause::Drift),
        });
        let overwrites = |kind| kind == RefusalKind::Overwrite;
        by_host || self.refusals.iter().any(|refusal| overwrites(refusal.kind))
    }

    /// Whether an earlier apply managed the file: this plan is not the first one, and does not take the file over.
    fn was_managed(&self, path: &RemotePath) -> bool {
        let takes_over = |step: &Step| matches!(step, Step::TakeOver { thing: Thing::File(of), .. } if of == path);
        self.ledger.generation > 1 && !self.steps.iter().any(takes_over)
    }

    /// Whether the plan finishes the work of an apply that did not end.
    fn finishes_an_apply(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| match step {
            Step::Sweep { .. } => true,
            Step::Reload { reason, .. } => *reason == ReloadReason::NotToldYet,
            _ => false,
        })
    }
}

impl Step {
    /// Why a thing changes. None for a step that changes no thing.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::File { cause, .. } | Self::Value { cause, .. } | Self::Delete { cause, .. } => {
                Some(*cause)
            }
            Self::Sweep { .. }
            | Self::Index { .. }
            | Self::Check { .. }
            | Self::Reload { .. }
            | Self::Restart { .. }
            | Self::Probe { .. }
            | Self::TakeOver { .. }
            | Self::Release { .. } => None,
        }
    }
}
