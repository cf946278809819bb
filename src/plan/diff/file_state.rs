//! Files as a plan shows them: with masked texts.

use zeroize::Zeroizing;

use crate::digest::sha256_hex;
use crate::exchange::Failure;
use crate::ledger::{FileAccess, Previous};
use crate::name::RemotePath;
use crate::secret::Secrets;
use crate::secret::mask::{mask_beside, mask_file, mask_pair};
use crate::state::{File, LiveState};

use super::super::{FileState, Withheld};

/// A file as it must be, with its text.
pub(super) struct WantedFile<'a> {
    pub path: &'a RemotePath,
    pub file: &'a File,
    pub text: Zeroizing<String>,
    pub sha256: String,
    /// Its owner, group and mode.
    pub access: FileAccess,
    /// Whether its text is the masked one, as its secrets were left unread.
    pub is_masked: bool,
}

impl<'a> WantedFile<'a> {
    /// # Errors
    /// Where it holds a secret that has not been read.
    pub fn new(path: &'a RemotePath, file: &'a File, secrets: &Secrets) -> Result<Self, Failure> {
        let revealed = file.body.reveal(secrets);
        let is_masked = revealed.is_err() && secrets.are_partial();
        let text = match revealed {
            Err(_) if is_masked => Zeroizing::new(mask_file(path.as_str(), &file.body.masked())),
            revealed => revealed.map_err(|missing| Failure {
                summary: missing.to_string(),
                detail: None,
                hint: None,
            })?,
        };
        let sha256 = sha256_hex(text.as_bytes());
        Ok(Self {
            path,
            file,
            text,
            sha256,
            access: FileAccess {
                owner: file.owner.to_string(),
                group: file.group.to_string(),
                mode: file.mode,
            },
            is_masked,
        })
    }

    /// The same where its secrets were left unread and all else is as the host has it: it counts as the host's own bytes.
    pub fn counted_as_known(self, state: &LiveState) -> Self {
        let same = state.text.as_deref().is_some_and(|text| {
            // A text of the host that was not masked yet.
            let shown = mask_file(
                self.path.as_str(),
                &mask_beside(text, &self.file.body.masked()),
            );
            shown == *self.text
        });
        match self.is_masked && same {
            true => Self {
                sha256: state.sha256.clone(),
                ..self
            },
            false => self,
        }
    }

    /// The same where it is taken over as the host has it: with the host's bytes, owner and mode.
    pub fn taken_over(self, state: &LiveState) -> Self {
        Self {
            text: state
                .text
                .clone()
                .map_or_else(|| self.text.clone(), Zeroizing::new),
            sha256: state.sha256.clone(),
            access: access_of(state),
            ..self
        }
    }

    pub fn has_secret(&self) -> bool {
        self.file.body.secrets().next().is_some()
    }

    /// The file as the plan shows it, beside the text that the host has.
    pub fn state(&self, before: Option<&str>) -> FileState {
        FileState {
            text: Some(shown_after(self.path, self.file, &self.text, before)),
            sha256: self.sha256.clone(),
            owner: self.access.owner.clone(),
            group: self.access.group.clone(),
            mode: self.access.mode,
            secret: self.has_secret(),
            withheld: None,
            link: None,
        }
    }

    /// Its hash, owner and mode, as a ledger records them.
    pub fn previous(&self) -> Previous {
        Previous::File {
            sha256: self.sha256.clone(),
            owner: self.access.owner.clone(),
            group: self.access.group.clone(),
            mode: self.access.mode,
        }
    }
}

/// The owner, group and mode that a file has on the host.
pub(super) fn access_of(state: &LiveState) -> FileAccess {
    FileAccess {
        owner: state.owner.clone(),
        group: state.group.clone(),
        mode: state.mode,
    }
}

/// The file that the host has, masked. `placed` is the masked text of the file that replaces it, if that
/// may hold secrets.
pub(super) fn before(
    path: &RemotePath,
    state: &LiveState,
    text: Option<&str>,
    placed: Option<&str>,
    withheld: Option<Withheld>,
) -> FileState {
    let text = text.filter(|_| withheld.is_none());
    let shown = text.map(|text| match placed {
        Some(placed) => mask_file(path.as_str(), &mask_beside(text, placed)),
        None => mask_file(path.as_str(), text),
    });
    FileState {
        secret: withheld.is_some() || shown.as_deref() != text || state.is_masked(),
        text: shown,
        sha256: state.sha256.clone(),
        owner: state.owner.clone(),
        group: state.group.clone(),
        mode: state.mode,
        withheld,
        link: state.link.clone(),
    }
}

/// The text that will be written, masked by the places of its secrets, by its keys and by its path. A
/// secret that differs from the one on the host is marked `(changed)`.
fn shown_after(path: &RemotePath, file: &File, revealed: &str, before: Option<&str>) -> String {
    let (_, by_key) = mask_pair(before.unwrap_or_default(), revealed);
    let placed = file.body.masked();
    // The places are certain; the keys add `(changed)`, and mask literals.
    let text: String = if placed.lines().count() == by_key.lines().count() {
        placed
            .split_inclusive('\n')
            .zip(by_key.split_inclusive('\n'))
            .zip(revealed.split_inclusive('\n'))
            .map(|((placed, keyed), plain)| if keyed == plain { placed } else { keyed })
            .collect()
    } else {
        placed
    };
    mask_file(path.as_str(), &text)
}
