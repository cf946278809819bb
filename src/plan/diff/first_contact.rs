//! Values that the host itself set before the first apply: replacing or deleting one needs consent, as for files.

use crate::state::Stock;

use super::super::{Cause, Change, Refusal, RefusalKind, Step};
use super::draft::Draft;

impl Draft<'_> {
    /// Refuses to replace or delete what the host itself set before the first apply.
    pub(super) fn adopted_values(&mut self) {
        let stock = Stock::new(&self.input.live.facts, self.live);
        let mut replaced = Vec::new();
        for step in self.settings.iter().chain(&self.entry_steps) {
            let Step::Value {
                thing,
                change: Change::Update { before, .. } | Change::Delete { before },
                cause: Cause::FirstContact,
                ..
            } = step
            else {
                continue;
            };
            if !stock.wrote(thing, before) {
                replaced.push(format!("`{}`", self.service.shown(thing)));
            }
        }
        if !replaced.is_empty() {
            let many = if replaced.len() == 1 { "" } else { "s" };
            self.refusals.push(Refusal {
                summary: format!(
                    "this plan replaces or deletes {} value{many} that the host had before the first apply: {}",
                    replaced.len(),
                    replaced.join(", ")
                ),
                kind: RefusalKind::Adopt,
            });
        }
    }
}
