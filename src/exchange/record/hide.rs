//! What of a host's files a record shows: masked texts, and words in place of hashes.

use std::collections::BTreeMap;

use super::{FileRecord, PresentRecord};
use crate::digest::sha256_hex;
use crate::name::RemotePath;
use crate::secret::mask::{mask_beside, mask_file};
use crate::state::{Desired, Live, LiveFile, LiveState, LiveTable, Want};
use crate::thing::Thing;

/// The words for hashes, in the order in which they are first needed.
#[derive(Debug, Default)]
pub(super) struct HashWords(BTreeMap<String, String>);

impl HashWords {
    /// The word for a hash.
    pub(super) fn word(&mut self, hash: &str) -> String {
        let next = format!("{}{}", LiveState::WORD, self.0.len() + 1);
        self.0.entry(hash.to_owned()).or_insert(next).clone()
    }
}

/// A file as the record has it; `words` gives the word for its hash.
pub(super) fn record(
    path: &RemotePath,
    file: &LiveFile,
    desired: &Desired,
    live: &Live,
    words: &mut HashWords,
) -> FileRecord {
    let state = match file {
        LiveFile::Absent => return FileRecord::Absent,
        LiveFile::Other(kind) => return FileRecord::Other(kind.clone()),
        LiveFile::Present(state) => state,
    };
    let text = shown(path, state, desired, live);
    FileRecord::Present(PresentRecord {
        hash: words.word(&state.sha256),
        owner: state.owner.clone(),
        group: state.group.clone(),
        mode: state.mode,
        size: state.size,
        mtime: state.mtime,
        link: state.link.clone(),
        private: state.private,
        whole: text
            .as_deref()
            .is_some_and(|text| sha256_hex(text.as_bytes()) == state.sha256),
        text,
    })
}

/// The text of a file as a plan shows it. None where a plan does not show it.
fn shown(path: &RemotePath, state: &LiveState, desired: &Desired, live: &Live) -> Option<String> {
    let thing = Thing::File(path.clone());
    let mut ledgers = live.ledger.iter().chain(&live.pending);
    let managed = ledgers.any(|ledger| ledger.things().any(|(_, other)| *other == thing));
    let reached = state.link.as_deref().unwrap_or(path.as_str());
    let own = live.services.keys().any(|service| {
        let rest = reached.strip_prefix(&service.folder());
        rest.is_some_and(|rest| rest.starts_with('/'))
    });
    if state.private && !own && !(managed && state.link.is_none()) {
        return None;
    }
    let wanted = desired.files().find(|(other, _)| *other == path);
    let Some((_, Want::Present(file))) = wanted else {
        let text = state.text.as_deref()?;
        // What an apply made for few readers may hold a secret whose place is no longer known.
        let placed = (managed && state.mode.bits() & 0o004 == 0).then_some("");
        let beside = placed.map_or_else(|| text.to_owned(), |placed| mask_beside(text, placed));
        return Some(mask_file(path.as_str(), &beside));
    };
    let masked = file.body.masked();
    match (&state.text, file.body.secrets().next()) {
        (Some(text), Some(_)) => Some(mask_file(path.as_str(), &mask_beside(text, &masked))),
        (Some(text), None) => Some(mask_file(path.as_str(), text)),
        // A host sends no text that is as it was expected.
        (None, _) => Some(mask_file(path.as_str(), &masked)),
    }
}

/// A table as the record has it.
pub(super) fn masked_table((name, table): (&String, &LiveTable)) -> (String, LiveTable) {
    let table = match table {
        LiveTable::Text(text) => LiveTable::Text(mask_file(name, text)),
        other => other.clone(),
    };
    (name.clone(), table)
}
