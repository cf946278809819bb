//! Refuses plans that delete more than a change of the manifest is likely to mean.

use crate::postfix::split_list;
use crate::thing::Thing;

use super::super::{Cause, Change, Refusal, RefusalKind, Step};
use super::draft::Draft;

const TRANSPORT_MAPS: &str = "transport_maps";

/// With fewer managed things, a share means nothing.
const MANAGED_AT_LEAST: usize = 10;
/// Percent of the managed things that a plan may delete without a flag.
const SHARE: usize = 30;

impl Draft<'_> {
    pub(super) fn thresholds(&mut self) {
        // Retiring a host, and a rollback to generation 0, delete everything on purpose.
        if self.input.desired.retired || self.input.rollback == Some(0) {
            return;
        }
        let deletes = |step: &&Step| match step {
            Step::Delete { .. } => true,
            Step::Value { change, .. } => matches!(change, Change::Delete { .. }),
            _ => false,
        };
        let deleted = self
            .deletes
            .iter()
            .chain(&self.entry_steps)
            .chain(&self.settings)
            .filter(deletes)
            .count();
        let managed = self.ownership.all().len();
        if managed >= MANAGED_AT_LEAST && deleted * 100 > managed * SHARE {
            self.refusals.push(Refusal {
                summary: format!(
                    "this plan deletes {deleted} of {managed} managed things, more than {SHARE} %"
                ),
                kind: RefusalKind::Delete,
            });
        }
        if let Some(how) = self.last_map() {
            self.refusals.push(Refusal {
                summary: format!("this plan removes the host's last transport map ({how})"),
                kind: RefusalKind::Delete,
            });
        }
    }

    /// How the plan removes the last of the tables that `transport_maps` names. None if one is left, or if
    /// there was none.
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
            // The host's own value is not protected: the plan shows the change.
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
            .all(|map| self.is_deleted(map))
            .then(|| format!("every table that `{TRANSPORT_MAPS}` names is deleted"))
    }

    /// Whether a table (`proxy:hash:/etc/postfix/transport`) is a file that the plan deletes.
    fn is_deleted(&self, map: &str) -> bool {
        self.deletes.iter().any(|step| match step {
            Step::Delete { path, .. } => map
                .strip_suffix(path.as_str())
                .is_some_and(|kind| kind.ends_with(':')),
            _ => false,
        })
    }
}
