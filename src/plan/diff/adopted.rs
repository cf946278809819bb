//! Contents of files from before the first apply: which are kept for restoring, and when.
//!
//! A file is copied to `adopted/` only when an apply is about to change or delete it, because the copy holds
//! whatever secrets the file has. A file that is already correct is recorded without a copy: until an apply
//! changes it, it still has its original content.

use crate::ledger::{Managed, Origin, Previous};
use crate::name::RemotePath;
use crate::state::LiveState;
use crate::thing::Thing;

use super::draft::Draft;

/// The signature in the first line of files that `murder` writes. A file with it that is byte for byte what an
/// apply would write counts as created even if the ledger does not name it (`release`): deleting it loses no text.
const OWN_SIGNATURE: &str = "managed by murder";

/// A file as a ledger records it, for restoring.
pub(super) fn previous(state: &LiveState) -> Previous {
    Previous::File {
        sha256: state.sha256.clone(),
        owner: state.owner.clone(),
        group: state.group.clone(),
        mode: state.mode,
    }
}

/// The origin of a file that no ledger records. `same_text` is its text if that is already correct.
pub(super) fn origin_of(state: &LiveState, same_text: Option<&str>) -> Origin {
    let first = same_text.and_then(|text| text.lines().next());
    match first {
        Some(line) if line.to_lowercase().contains(OWN_SIGNATURE) => Origin::Created,
        _ => Origin::Adopted(previous(state)),
    }
}

/// Whether no apply changed an adopted file, as far as its ledger knows.
pub(super) fn is_as_adopted(managed: &Managed) -> bool {
    let Origin::Adopted(Previous::File {
        sha256,
        owner,
        group,
        mode,
    }) = &managed.origin
    else {
        return false;
    };
    managed.value.as_ref() == Some(sha256)
        && managed.access.as_ref().is_some_and(|access| {
            access.owner == *owner && access.group == *group && access.mode == *mode
        })
}

impl Draft<'_> {
    /// Keeps the content of a managed file that the plan changes to `after`, or deletes, if it is the original
    /// content and no apply has kept it. Returns the file's new origin if that changes.
    pub(super) fn keep_text(
        &mut self,
        path: &RemotePath,
        state: &LiveState,
        after: Option<&Previous>,
    ) -> Option<Origin> {
        let thing = Thing::File(path.clone());
        // An apply that did not end may not have changed it yet.
        if self.ownership.is_untouched(&thing, Some(&state.sha256)) {
            self.adopts.push(path.clone());
            return None;
        }
        let managed = self.ownership.recorded(&thing)?;
        let Origin::Adopted(before) = &managed.origin else {
            return None;
        };
        // Nothing is lost, or the plan restores the original content.
        if !is_as_adopted(managed) || after == Some(before) {
            return None;
        }
        let now = previous(state);
        let same_text = matches!(before, Previous::File { sha256, .. } if *sha256 == state.sha256);
        if !same_text && self.ownership.is_unrecorded(&thing, Some(&state.sha256)) {
            // An apply that did not end has kept the text, and changed it.
            return None;
        }
        self.adopts.push(path.clone());
        // It was changed on the host before any apply changed it: what it is now counts as original.
        (!same_text).then_some(Origin::Adopted(now))
    }
}
