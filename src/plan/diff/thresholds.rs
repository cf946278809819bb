//! A plan that deletes more than it should says so first.

use crate::postfix::split_list;
use crate::thing::Thing;

use super::super::{Cause, Change, Refusal, RefusalKind, Step};
use super::Draft;

const TRANSPORT_MAPS: &str = "transport_maps";

/// Below this many managed things a share says nothing.
const MANAGED_AT_LEAST: usize = 10;
/// Percent of the managed things that may go without a word.
const SHARE: usize = 30;

impl Draft<'_> {
    pub(super) fn thresholds(&mut self) {
        // Retiring a host, and going back to what it was before `murder`, is asking for just that.
        if self.at.desired.retired || self.at.rollback == Some(0) {
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
                kind: RefusalKind::Delete,
            });
        }
        if let Some(how) = self.last_map() {
            self.refusals.push(Refusal {
                summary: format!("the host's last transport map would go ({how})"),
                kind: RefusalKind::Delete,
            });
        }
    }

    /// How the plan takes the last of the tables that `transport_maps` names; none where one is
    /// left, or none was there.
    fn last_map(&self) -> Option<String> {
        let settings = self.live_settings();
        let maps = self
            .configuration(&settings)
            .main()
            .get(TRANSPORT_MAPS)
            .ok()?;
        let had = split_list(&maps.text);
        if had.is_empty() {
            return None;
        }
        let changes = self.settings.iter().find_map(|step| match step {
            Step::Value {
                thing: Thing::Parameter(name),
                change,
                cause,
                ..
            } if name.as_str() == TRANSPORT_MAPS => Some((change, *cause)),
            _ => None,
        });
        let (left, how) = match changes {
            // It was never ours, and is shown as what it is.
            Some((_, Cause::FirstContact | Cause::Restored)) => return None,
            Some((Change::Delete { .. }, _)) => (Vec::new(), "is deleted"),
            Some((Change::Create { after } | Change::Update { after, .. }, _)) => {
                (split_list(after), "is emptied")
            }
            None => (had, ""),
        };
        if left.is_empty() {
            return Some(format!("`{TRANSPORT_MAPS}` {how}"));
        }
        left.iter()
            .all(|map| self.file_goes(map))
            .then(|| format!("every table that `{TRANSPORT_MAPS}` names is deleted"))
    }

    /// Whether a table stands in a file that the plan deletes (`proxy:hash:/etc/postfix/transport`).
    fn file_goes(&self, map: &str) -> bool {
        self.deletes.iter().any(|step| match step {
            Step::Delete { path, .. } => map
                .strip_suffix(path.as_str())
                .is_some_and(|kind| kind.ends_with(':')),
            _ => false,
        })
    }
}
