//! The public part of what `drift` knows of a host.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::HostView;
use crate::attribution::{Attribution, HostNotes};
use crate::ledger::Applied;
use crate::plan::{HostVerdict, OwnNames, Verdict};

/// What `drift` says of one host.
#[derive(Serialize, JsonSchema)]
pub(super) struct DriftView<'a> {
    #[serde(flatten)]
    host: HostView<'a>,
    generation: Option<u64>,
    applied: Option<&'a Applied>,
    changes: &'a [Attribution],
    /// Of a host in maintenance: whether that was due to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    overdue: Option<bool>,
}

impl<'a> DriftView<'a> {
    /// The public part of a host's verdict, and of what else is known of it.
    pub(super) fn of(
        host: &'a HostVerdict,
        own_names: Option<&'a OwnNames>,
        notes: Option<&'a HostNotes>,
        now: &str,
    ) -> Self {
        Self {
            host: HostView::of(host, own_names),
            generation: notes.and_then(|notes| notes.generation),
            applied: notes.and_then(|notes| notes.applied.as_ref()),
            changes: notes.map(|notes| &*notes.changes).unwrap_or_default(),
            overdue: match &host.verdict {
                Verdict::Maintenance(one) => Some(one.is_overdue(now)),
                _ => None,
            },
        }
    }
}
