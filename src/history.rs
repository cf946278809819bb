//! The history of one host, for `history` and `rollback`: what each apply wanted and changed. The host keeps
//! it in `/var/lib/murder/history/<generation>.json`.
//!
//! A generation holds no secret: bodies are kept with the places of their secrets, and a rollback fills in
//! today's. The file has two lines, the [`HistoryEntry`] and the [`Snapshot`], so that a listing reads first lines only.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{Applied, LEDGER_VERSION, LedgerError};
use crate::name::RemotePath;
use crate::service::Service;
use crate::state::{Desired, DesiredService, File, Probes, Remark, Want};
use crate::thing::Thing;

/// How many generations a host keeps where the manifest does not say.
pub const KEPT: u32 = 20;
/// How many bytes of them it keeps; the newest one stays, however large.
pub const KEPT_BYTES: u64 = 32 * 1024 * 1024;

/// One line of the history: who made a generation, when, from what, and what changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The number of the ledger that this apply wrote.
    pub generation: u64,
    /// The murder that owned the host.
    pub murder: String,
    /// Who, when, and from what.
    pub applied: Applied,
    /// The things that changed, in the order of the steps.
    pub changed: Vec<Changed>,
    /// Whether the running services could not be asked after the apply. The host writes this and the next one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub not_probed: bool,
    /// Whether a fault that the host had before the apply was still there after it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fault_remains: bool,
}

// serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

/// One thing that an apply changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Of which service. Generations of before format 2 knew Postfix alone.
    #[serde(default = "postfix")]
    pub service: Service,
    /// Which.
    pub thing: Thing,
    /// What the apply did to it.
    pub action: Action,
}

fn postfix() -> Service {
    Service::POSTFIX
}

/// What an apply did to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It created it.
    Create,
    /// It changed it.
    Update,
    /// It deleted it.
    Delete,
    /// It only recorded it.
    TakeOver,
    /// It removed its entry from the ledger.
    Release,
}

/// What the managed things of a host were after an apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// By service.
    pub services: BTreeMap<Service, ServiceSnapshot>,
}

/// What the managed things of one service were after an apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServiceSnapshot {
    /// Whole files; none where the file had to be absent.
    pub files: BTreeMap<RemotePath, Option<File>>,
    /// Parameters, services, fields and options; none where it had to be absent.
    pub values: BTreeMap<Thing, Option<String>>,
    /// What was asked after the apply.
    pub probes: Probes,
}

impl Snapshot {
    /// The desired state that this generation had.
    #[must_use]
    pub fn desired(&self) -> Desired {
        let services = self.services.iter();
        let services = services.map(|(name, service)| (name.clone(), service.desired()));
        Desired {
            retired: false,
            services: services.collect(),
        }
    }
}

impl ServiceSnapshot {
    /// The desired state that the service had.
    fn desired(&self) -> DesiredService {
        DesiredService {
            files: wanted(&self.files),
            values: wanted(&self.values),
            probes: self.probes.clone(),
            ..DesiredService::default()
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

/// The generation that a rollback without a number goes back to: the one before the last that changed a
/// thing. A generation that only built an index or reloaded Postfix changed none.
#[must_use]
pub fn before_last(entries: &[HistoryEntry], current: u64) -> Option<u64> {
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

/// The revision that a ledger has after a rollback: the generation's number, and the revision that it came from.
#[must_use]
pub fn revision_of_rollback(generation: u64, revision: &str) -> String {
    match manifest_revision(revision) {
        "" => format!("rollback to {generation}"),
        revision => format!("rollback to {generation} ({revision})"),
    }
}

/// The manifest's own revision in the revision of a ledger. Empty if it is not known.
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
    pub entry: HistoryEntry,
    /// What the host was to be.
    pub snapshot: Snapshot,
}

/// Why bytes are no generation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {part} of a generation cannot be read: {why}")]
pub struct NotAGeneration {
    /// Which line: `entry` or `snapshot`.
    part: &'static str,
    /// What the reader of JSON says.
    why: String,
}

impl NotAGeneration {
    /// The remark about the generation of the file at `path`, of whose damage the user should know.
    #[must_use]
    pub fn remark(&self, path: &str) -> Remark {
        Remark {
            text: format!("`{path}`: {self}"),
            hint: Some("delete the file: `murder` cannot roll back to it".to_owned()),
        }
    }
}

impl HistoryEntry {
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
        let snapshot = SnapshotLine {
            version: LEDGER_VERSION,
            services: Cow::Borrowed(&self.snapshot.services),
        };
        bytes.append(&mut serde_json::to_vec(&snapshot).unwrap_or_default());
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
            snapshot: read_snapshot(snapshot)?,
        })
    }
}

/// The second line of a generation's file, as format 2 has it.
#[derive(Serialize, Deserialize)]
struct SnapshotLine<'a> {
    /// That of the ledger beside it. Format 1 did not write it.
    version: u32,
    services: Cow<'a, BTreeMap<Service, ServiceSnapshot>>,
}

/// A snapshot of format 1 (which is what format 2 has of Postfix) or 2.
fn read_snapshot(bytes: &[u8]) -> Result<Snapshot, NotAGeneration> {
    #[derive(Deserialize)]
    struct Format {
        version: Option<u32>,
    }
    let Format { version } = understood("snapshot", bytes)?;
    match version {
        None => {
            let postfix: ServiceSnapshot = understood("snapshot", bytes)?;
            let services = [(Service::POSTFIX, postfix)].into();
            Ok(Snapshot { services })
        }
        Some(LEDGER_VERSION) => {
            let line: SnapshotLine<'_> = understood("snapshot", bytes)?;
            let services = line.services.into_owned();
            Ok(Snapshot { services })
        }
        Some(other) => Err(NotAGeneration {
            part: "snapshot",
            why: format!("it {}", LedgerError::Format(other)),
        }),
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
mod tests;
