//! A plan that deletes more than it should says so first (DESIGN §4).

use crate::thing::Thing;

use super::super::{Cause, Change, Refusal, Step};
use super::Draft;

/// Below this many managed things a share says nothing.
const MANAGED_AT_LEAST: usize = 10;
/// Percent of the managed things that may go without a word.
const SHARE: usize = 30;

impl Draft<'_> {
    pub(super) fn thresholds(&mut self) {
        // Retiring a host is asking for just that.
        if self.at.desired.retired || self.at.permissions.allow_delete {
            return;
        }
        let deletes = |step: &&Step| match step {
            Step::Delete { .. } => true,
            Step::Value { change, .. } => matches!(change, Change::Delete { .. }),
            _ => false,
        };
        let goes = self
            .deletes
            .iter()
            .chain(&self.services)
            .chain(&self.settings)
            .filter(deletes)
            .count();
        let managed = self.ours.all().len();
        if managed >= MANAGED_AT_LEAST && goes * 100 > managed * SHARE {
            self.refusals.push(Refusal {
                summary: format!(
                    "{goes} of {managed} managed things would be deleted, more than {SHARE} %"
                ),
                flag: Some("--allow-delete"),
            });
        }
        let last_map = self.settings.iter().any(|step| {
            matches!(step, Step::Value { thing: Thing::Parameter(name), change: Change::Delete { .. }, cause }
                if name.as_str() == "transport_maps" && *cause != Cause::FirstContact)
        });
        if last_map {
            self.refusals.push(Refusal {
                summary: "the host's last transport map would go (`transport_maps` is deleted)"
                    .to_owned(),
                flag: Some("--allow-delete"),
            });
        }
    }
}
