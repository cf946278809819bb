//! The history of one host: what each apply made of it, kept on the host under
//! `/var/lib/murder/history/<generation>.json`, so that it can be shown and gone back to.
//!
//! A generation holds no secret: bodies are kept with the places of their secrets, and going back
//! renders them with today's. The file has two lines, the [`Entry`] and the [`Snapshot`], so that
//! a listing reads first lines only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ledger::Applied;
use crate::name::RemotePath;
use crate::state::{Desired, File, Probes, Want};
use crate::thing::Thing;

/// How many generations a host keeps where the manifest does not say.
pub const KEPT: u32 = 20;
/// How many bytes of them it keeps; the newest one stays, however large.
pub const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// One line of the history: who made a generation, when, from what, and what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of the ledger that this apply wrote.
    pub generation: u64,
    /// The murder that owned the host.
    pub murder: String,
    /// Who, when, and from what.
    pub applied: Applied,
    /// The things that changed, in the order of the steps.
    pub changed: Vec<Changed>,
}

/// One thing that an apply changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Which.
    pub thing: Thing,
    /// What became of it.
    pub action: Action,
}

/// What became of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was not there.
    Create,
    /// It was there and differed.
    Update,
    /// It is gone.
    Delete,
    /// It was as it must be and came under management.
    TakeOver,
    /// It is left to others from then on.
    Release,
}

/// What the managed things of a host were after an apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// Whole files; none where the file had to be absent.
    pub files: BTreeMap<RemotePath, Option<File>>,
    /// Parameters, services, fields and options; none where it had to be absent.
    pub values: BTreeMap<Thing, Option<String>>,
    /// What was asked after the apply.
    pub probes: Probes,
}

impl Snapshot {
    /// What a host must have to be as it was then.
    #[must_use]
    pub fn desired(&self) -> Desired {
        Desired {
            files: wanted(&self.files),
            values: wanted(&self.values),
            probes: self.probes.clone(),
            ..Desired::default()
        }
    }
}

fn wanted<K: Clone + Ord, T: Clone>(kept: &BTreeMap<K, Option<T>>) -> BTreeMap<K, Want<T>> {
    kept.iter()
        .map(|(key, value)| {
            let want = value.clone().map_or(Want::Absent, Want::Present);
            (key.clone(), want)
        })
        .collect()
}

/// The generation to go back to where none is named: the one before the last that changed anything
/// (an index built anew, or Postfix told once more, is a generation that changes no thing).
#[must_use]
pub fn before_last(entries: &[Entry], current: u64) -> Option<u64> {
    let last = entries
        .iter()
        .filter(|entry| entry.generation <= current && !entry.changed.is_empty())
        .map(|entry| entry.generation)
        .max()?;
    entries
        .iter()
        .map(|entry| entry.generation)
        .filter(|number| *number < last)
        .max()
}

/// What a ledger says of its manifest's revision after going back to a generation: which, and the
/// revision that it came from.
#[must_use]
pub fn revision_of_rollback(generation: u64, revision: &str) -> String {
    match manifest_revision(revision) {
        "" => format!("rollback to {generation}"),
        revision => format!("rollback to {generation} ({revision})"),
    }
}

/// The manifest's own revision in what a ledger says of it; empty where it is not known.
#[must_use]
pub fn manifest_revision(revision: &str) -> &str {
    match revision.strip_prefix("rollback to ") {
        None => revision,
        Some(rest) => rest
            .split_once(" (")
            .and_then(|(_, rest)| rest.strip_suffix(')'))
            .unwrap_or_default(),
    }
}

/// A generation, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Who, when, what changed.
    pub entry: Entry,
    /// What the host was to be.
    pub snapshot: Snapshot,
}

/// Why bytes are no generation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {part} of a generation cannot be understood: {why}")]
pub struct NotAGeneration {
    /// Which line: `entry` or `snapshot`.
    part: &'static str,
    /// What the reader of JSON says.
    why: String,
}

impl Entry {
    /// The entry of a generation's file: its first line; what follows is not looked at.
    ///
    /// # Errors
    /// [`NotAGeneration`] where the line is no entry.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAGeneration> {
        let (entry, _) = lines(bytes);
        understood("entry", entry)
    }
}

impl Generation {
    /// The bytes of its file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Trees of strings and numbers always serialise, and JSON holds no bare line end.
        let mut bytes = serde_json::to_vec(&self.entry).unwrap_or_default();
        bytes.push(b'\n');
        bytes.append(&mut serde_json::to_vec(&self.snapshot).unwrap_or_default());
        bytes.push(b'\n');
        bytes
    }

    /// Reads a generation's file.
    ///
    /// # Errors
    /// [`NotAGeneration`] where one of the two lines is missing or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAGeneration> {
        let (entry, snapshot) = lines(bytes);
        Ok(Self {
            entry: understood("entry", entry)?,
            snapshot: understood("snapshot", snapshot)?,
        })
    }
}

/// The first line, and everything after it.
fn lines(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (first, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    (first, rest.get(1..).unwrap_or_default())
}

fn understood<'a, T: Deserialize<'a>>(
    part: &'static str,
    bytes: &'a [u8],
) -> Result<T, NotAGeneration> {
    serde_json::from_slice(bytes).map_err(|error| NotAGeneration {
        part,
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::name::{Mode, TableType, UserName};
    use crate::secret::{Body, Piece, SecretName};

    fn file(text: &str, secret: &str) -> File {
        File {
            body: Body(vec![
                Piece::Text(text.to_owned()),
                Piece::Secret(SecretName(secret.to_owned())),
            ]),
            owner: UserName::new("root").unwrap(),
            group: UserName::new("postfix").unwrap(),
            mode: Mode::from_bits(0o640),
            index: None,
            table: Some(TableType::new("ldap").unwrap()),
        }
    }

    fn generation(text: &str, secret: &str, value: Option<String>) -> Generation {
        let thing = |text: &str| text.parse::<Thing>().unwrap();
        Generation {
            entry: Entry {
                generation: 7,
                murder: text.to_owned(),
                applied: Applied {
                    by: "ops@desk".to_owned(),
                    at: "2026-01-02T03:04:05Z".to_owned(),
                    revision: "0123abc-dirty".to_owned(),
                },
                changed: vec![Changed {
                    thing: thing("master.cf:lmtp/unix:soft_bounce"),
                    action: Action::TakeOver,
                }],
            },
            snapshot: Snapshot {
                files: [
                    (
                        RemotePath::new("/etc/postfix/ldap.cf").unwrap(),
                        Some(file(text, secret)),
                    ),
                    (RemotePath::new("/etc/postfix/gone").unwrap(), None),
                ]
                .into(),
                values: [
                    (thing("relayhost"), value),
                    (thing("master.cf:lmtp/unix"), None),
                ]
                .into(),
                probes: Probes {
                    accept: vec!["a@example.org".to_owned()],
                    refuse: Vec::new(),
                },
            },
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text: String, secret: String, value: Option<String>) {
            let generation = generation(&text, &secret, value);
            let bytes = generation.to_bytes();
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
            prop_assert_eq!(&Entry::from_bytes(&bytes).unwrap(), &generation.entry);
            prop_assert_eq!(Generation::from_bytes(&bytes).unwrap(), generation);
        }

        #[test]
        fn a_file_cut_short_is_no_generation(cut in 1_usize..400) {
            let bytes = generation("text", "ldap.bind_pw", None).to_bytes();
            // The last byte is only the line end.
            let left = bytes.len().saturating_sub(cut + 1);
            prop_assert!(Generation::from_bytes(&bytes[..left]).is_err());
        }
    }

    #[test]
    fn the_first_line_alone_is_an_entry() {
        let generation = generation("example.org", "ldap.bind_pw", None);
        let bytes = generation.to_bytes();
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        assert_eq!(Entry::from_bytes(&bytes[..end]).unwrap(), generation.entry);
        assert!(Generation::from_bytes(&bytes[..end]).is_err());
    }

    #[test]
    fn the_generation_before_the_last_change() {
        let entries = |changes: &[(u64, bool)]| -> Vec<Entry> {
            changes
                .iter()
                .map(|(number, changes)| {
                    let mut entry = generation("", "", None).entry;
                    entry.generation = *number;
                    if !changes {
                        entry.changed.clear();
                    }
                    entry
                })
                .collect()
        };
        let three = entries(&[(4, true), (5, true), (6, true)]);
        assert_eq!(before_last(&three, 6), Some(5));
        assert_eq!(before_last(&three[..1], 4), None);
        assert_eq!(before_last(&[], 4), None);
        let told_again = entries(&[(4, true), (5, true), (6, false)]);
        assert_eq!(before_last(&told_again, 6), Some(4));
    }

    #[test]
    fn a_rollback_of_a_rollback_names_the_manifest_once() {
        let once = revision_of_rollback(3, "0123abc-dirty");
        assert_eq!(once, "rollback to 3 (0123abc-dirty)");
        assert_eq!(
            revision_of_rollback(5, &once),
            "rollback to 5 (0123abc-dirty)"
        );
        assert_eq!(revision_of_rollback(3, ""), "rollback to 3");
        assert_eq!(manifest_revision("rollback to 3"), "");
        assert_eq!(manifest_revision("0123abc"), "0123abc");
    }

    #[test]
    fn what_is_no_generation_says_which_part() {
        let error = Generation::from_bytes(b"{}\n{}\n").unwrap_err();
        assert!(error.to_string().starts_with("the entry of a generation"));
    }
}
