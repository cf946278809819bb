//! The figures of a plan, and the summary line.

use schemars::JsonSchema;
use serde::Serialize;

use super::line::count;
use crate::plan::{Change, Condition, HostPlan, IndexReason, Plan, ReloadReason, Step, Verdict};

/// The number of changes in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// All hosts that were observed, also without success.
    pub total: usize,
    /// Hosts with changes.
    pub hosts: usize,
    /// Things to create.
    pub create: usize,
    /// Things to update.
    pub update: usize,
    /// Things to delete.
    pub delete: usize,
    /// Things that are taken over unchanged.
    pub take_over: usize,
    /// Things that are released.
    pub release: usize,
    /// Work that an earlier apply did not finish: indexes to build, a reload, temporary files to remove.
    pub finish: usize,
    /// Hosts of which something was changed on the host since the last apply.
    pub drifted: usize,
    /// Hosts with changes of the manifest that are not applied, and none on the host.
    pub pending: usize,
    /// Hosts that ledgers name and the manifest does not any more.
    pub orphaned: usize,
    /// Things that would change and are held.
    pub held: usize,
    /// Hosts where Postfix does not run.
    pub stopped: usize,
    /// Hosts with a refusal.
    pub refused: usize,
    /// Hosts with nothing to do.
    pub converged: usize,
    /// Hosts that are in maintenance.
    pub maintenance: usize,
    /// Hosts that could not be reached.
    pub unreachable: usize,
    /// Hosts that were reached and could not be planned.
    pub failed: usize,
}

impl Summary {
    /// Counts a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut summary = Self {
            total: plan.hosts.len(),
            orphaned: plan.orphans().len(),
            ..Self::default()
        };
        for host in plan.hosts.values() {
            match host.condition() {
                Condition::Drifted => summary.drifted += 1,
                Condition::Pending => summary.pending += 1,
                _ => {}
            }
            summary.held += host.held.iter().filter(|held| held.differs).count();
            summary.stopped += usize::from(host.stopped);
            match &host.verdict {
                Verdict::Converged => summary.converged += 1,
                Verdict::Changes(plan) => summary.add(plan),
                Verdict::Maintenance(_) => summary.maintenance += 1,
                Verdict::Unreachable { .. } => summary.unreachable += 1,
                Verdict::Failed { .. } => summary.failed += 1,
            }
        }
        summary
    }

    fn add(&mut self, plan: &HostPlan) {
        self.hosts += 1;
        self.refused += usize::from(!plan.refusals.is_empty());
        for step in &plan.steps {
            match step {
                Step::File { change, .. } => *self.counter(change) += 1,
                Step::Value { change, .. } => *self.counter(change) += 1,
                Step::Delete { .. } => self.delete += 1,
                Step::Sweep { .. } => self.finish += 1,
                Step::TakeOver { .. } => self.take_over += 1,
                Step::Release { .. } => self.release += 1,
                Step::Index { reason, .. } => match reason {
                    IndexReason::Missing | IndexReason::Stale | IndexReason::OtherEntries => {
                        self.finish += 1
                    }
                    // The file that it belongs to is counted.
                    IndexReason::SourceChanges => {}
                },
                Step::Reload {
                    reason: ReloadReason::NotToldYet,
                    ..
                } => self.finish += 1,
                Step::Reload { .. }
                | Step::Restart { .. }
                | Step::Check { .. }
                | Step::Probe { .. } => {}
            }
        }
    }

    fn counter<T>(&mut self, change: &Change<T>) -> &mut usize {
        match change {
            Change::Create { .. } => &mut self.create,
            Change::Update { .. } => &mut self.update,
            Change::Delete { .. } => &mut self.delete,
        }
    }

    /// Whether every host answered and nothing is to be done anywhere.
    #[must_use]
    pub fn is_converged(&self) -> bool {
        self.hosts + self.unreachable + self.failed + self.orphaned == 0
    }

    /// `3 hosts: 4 to create, 2 to update, 1 to delete, 12 converged`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let extra = |number: usize, words: &str| {
            if number == 0 {
                String::new()
            } else {
                format!(", {number} {words}")
            }
        };
        let mut text = if self.hosts == 0 {
            format!("{} converged", count(self.converged, "host"))
        } else {
            format!(
                "{}: {} to create, {} to update, {} to delete{}{}{}, {} converged",
                count(self.hosts, "host"),
                self.create,
                self.update,
                self.delete,
                extra(self.take_over, "to take over"),
                extra(self.release, "to release"),
                extra(self.finish, "to finish"),
                self.converged,
            )
        };
        text += &extra(self.drifted, "drifted");
        text += &extra(self.orphaned, "orphaned");
        text += &extra(self.held, "held");
        text += &extra(self.stopped, "with Postfix stopped");
        text += &extra(self.refused, "refused");
        text += &extra(self.maintenance, "in maintenance");
        text += &extra(self.unreachable, "unreachable");
        text += &extra(self.failed, "failed");
        if self.is_converged() {
            text.insert_str(0, "nothing to do: ");
        }
        text
    }
}
