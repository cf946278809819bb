//! Texts that were on a host before `murder`: which are kept for giving back, and when.
//!
//! A text is copied to `adopted/` only when it is about to be lost, since the copy is as the text was, secrets and
//! all: a file that is already as it must be is taken over without one. As long as no apply has changed it, what
//! stands there is what there was before `murder`.

use crate::ledger::{Managed, Origin, Previous};
use crate::name::RemotePath;
use crate::state::LiveState;
use crate::thing::Thing;

use super::Draft;

/// How our own files begin. One that is byte for byte what an apply would write is ours, whatever the ledger has
/// forgotten of it (`release`): nobody's text is lost with it.
const OWN_SIGNATURE: &str = "managed by murder";

/// What a file on a host is, for giving it back.
pub(super) fn previous(state: &LiveState) -> Previous {
    Previous::File {
        sha256: state.sha256.clone(),
        owner: state.owner.clone(),
        group: state.group.clone(),
        mode: state.mode,
    }
}

/// The origin of a file that is met for the first time.
pub(super) fn origin_of(state: &LiveState, same_text: Option<&str>) -> Origin {
    let first = same_text.and_then(|text| text.lines().next());
    match first {
        Some(line) if line.to_lowercase().contains(OWN_SIGNATURE) => Origin::Created,
        _ => Origin::Adopted(previous(state)),
    }
}

/// Whether an adopted file is, as far as its ledger knows, what it was before `murder`.
pub(super) fn is_as_found(managed: &Managed) -> bool {
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
    /// A managed file is about to change to `after`, or to go: its text is kept first where it is one of before
    /// `murder`, and no apply has kept it. The origin that it has from now on, where that is another.
    pub(super) fn keep_text(
        &mut self,
        path: &RemotePath,
        state: &LiveState,
        after: Option<&Previous>,
    ) -> Option<Origin> {
        let thing = Thing::File(path.clone());
        // An apply that did not end may not have come to it.
        if self.ours.is_untouched(&thing, Some(&state.sha256)) {
            self.adopts.push(path.clone());
            return None;
        }
        let managed = self.ours.recorded(&thing)?;
        let Origin::Adopted(before) = &managed.origin else {
            return None;
        };
        // What is put right is what there was.
        if !is_as_found(managed) || after == Some(before) {
            return None;
        }
        let now = previous(state);
        let same_text = matches!(before, Previous::File { sha256, .. } if *sha256 == state.sha256);
        if !same_text && self.ours.is_unrecorded(&thing, Some(&state.sha256)) {
            // An apply that did not end has kept the text, and changed it.
            return None;
        }
        self.adopts.push(path.clone());
        // Somebody else changed it before we ever did.
        (!same_text).then_some(Origin::Adopted(now))
    }
}
