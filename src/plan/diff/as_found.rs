//! Files of the host's own that Postfix reads as the wanted ones: they are taken over as they are.

use crate::ledger::Origin;
use crate::postfix::same_table_file;
use crate::state::{File, LiveState};
use crate::thing::Thing;

use super::adopted::{is_as_adopted, origin_of, previous};
use super::draft::Draft;
use super::file_state::{WantedFile, access_of};

/// The user that Postfix's own programs run as, and its group.
const POSTFIX: &str = "postfix";

impl Draft<'_> {
    /// Whether a file stays as the host has it, with its bytes, owner and mode: no apply has written it, Postfix reads it
    /// as the wanted file, and user postfix can read it if it could read the wanted one.
    pub(super) fn stays_as_found(&self, wanted: &WantedFile<'_>, state: &LiveState) -> bool {
        let thing = Thing::File(wanted.path.clone());
        let untouched = match self.ownership.managed(&thing) {
            // A file that an apply wrote and that was released has the wanted bytes, and counts as created.
            None => !is_own(wanted, state),
            Some(managed) => {
                is_as_adopted(managed) && managed.access.as_ref() == Some(&access_of(state))
            }
        };
        untouched && reads_alike(wanted.file, &wanted.text, &wanted.sha256, state)
    }

    /// The new origin of a file that stays as the host has it, where the host's administrator has changed its layout since it
    /// was taken over: what it is now counts as its original content.
    pub(super) fn renewed_origin(
        &self,
        thing: &Thing,
        state: &LiveState,
        same: bool,
    ) -> Option<Origin> {
        let managed = self.ownership.recorded(thing)?;
        let changed = managed.value.as_ref() != Some(&state.sha256);
        (same && changed && is_as_adopted(managed) && !self.ownership.is_unfinished())
            .then(|| Origin::Adopted(previous(state)))
    }
}

fn is_own(wanted: &WantedFile<'_>, state: &LiveState) -> bool {
    let same_bytes = state.sha256 == wanted.sha256;
    origin_of(state, same_bytes.then_some(&*wanted.text)) == Origin::Created
}

/// Whether Postfix reads the host's file as the wanted one, of which text and hash are given, and user postfix can read it
/// if it could read that one. Always false for a file that Postfix opens as no table.
#[must_use]
pub fn reads_alike(file: &File, text: &str, sha256: &str, state: &LiveState) -> bool {
    let Some(kind) = file.table.as_ref().or(file.index.as_ref()) else {
        return false;
    };
    let same_text = state.sha256 == sha256
        || state
            .text
            .as_deref()
            .is_some_and(|live| same_table_file(kind.as_str(), live, text));
    let by_wanted = postfix_reads(file.owner.as_str(), file.group.as_str(), file.mode.bits());
    same_text && (!by_wanted || postfix_reads(&state.owner, &state.group, state.mode.bits()))
}

/// Whether user postfix can read a file of this owner, group and mode.
fn postfix_reads(owner: &str, group: &str, mode: u32) -> bool {
    let bit = match (owner == POSTFIX, group == POSTFIX) {
        (true, _) => 0o400,
        (_, true) => 0o040,
        _ => 0o004,
    };
    mode & bit != 0
}
