//! The ledger and the journal: what `murder` keeps on each managed host, under `/var/lib/murder`.
//!
//! Both are JSON and hold no secrets: values are texts of main.cf, which may hold none, and hashes that the host's key
//! keys. The previous content of an adopted file stays on the host, in `adopted/<keyed hash>`.

use std::collections::BTreeMap;

mod keyed;
mod pinning;
mod read;
mod revision;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{Mode, RemotePath, TableType};
use crate::service::Service;
use crate::thing::Thing;

pub use keyed::pin_of;
pub use pinning::PinningKey;
pub use read::LedgerError;

/// The format that this program writes. It also reads format 1, which nothing writes any more.
pub const LEDGER_VERSION: u32 = 2;

/// The highest generation that a ledger may have. The host counts in 64 bits with a sign, and down from it.
const LAST_GENERATION: u64 = 1_000_000_000;

/// What is managed on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// [`LEDGER_VERSION`].
    pub version: u32,
    /// The key by which values that may hold secrets are pinned. None in a plan. It is the second line of the file, where
    /// an observation looks for it (`observe.sh`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<PinningKey>,
    /// The murder that owns the host: the manifest's `murder`.
    pub murder: String,
    /// Counts the applies that changed something, from 1.
    pub generation: u64,
    /// What is managed of each service.
    pub services: BTreeMap<Service, ServiceLedger>,
    /// Who applied last, when, and from what. None in a plan: orders say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// The hosts of the murder at that time, as names and ranges; none where they were too many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The facts of the host's Postfix then, so that a client with an empty cache need not ask for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<KeptFacts>,
}

/// What is managed of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceLedger {
    /// The managed things.
    #[serde(default)]
    pub managed: BTreeMap<Thing, Managed>,
    /// For each indexed table, the hash of the source that its index was built from.
    #[serde(default)]
    pub indexes: BTreeMap<RemotePath, String>,
    /// Hash over the managed things as they were when the service last loaded them (reload or start).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activated: Option<String>,
    /// The things that stay as they are on the host for a while.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub holds: BTreeMap<Thing, Hold>,
}

/// Why and until when a thing stays as it is on the host, whatever the manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hold {
    /// When it ends: RFC 3339, UTC.
    pub until: String,
    /// Why.
    pub reason: String,
    /// `user@workstation` of who said so.
    pub by: String,
    /// When: RFC 3339, UTC.
    pub at: String,
}

impl ServiceLedger {
    /// Whether the thing, or the entry of master.cf that it is a part of, is held.
    #[must_use]
    pub fn is_held(&self, thing: &Thing) -> bool {
        self.holds.keys().any(|held| thing.is_part_of(held))
    }
}

static NOTHING_MANAGED: ServiceLedger = ServiceLedger {
    managed: BTreeMap::new(),
    indexes: BTreeMap::new(),
    activated: None,
    holds: BTreeMap::new(),
};

impl Ledger {
    /// What is managed of a service: nothing where the ledger does not name it.
    #[must_use]
    pub fn service(&self, service: &Service) -> &ServiceLedger {
        self.services.get(service).unwrap_or(&NOTHING_MANAGED)
    }

    /// The managed things of all services.
    pub fn things(&self) -> impl Iterator<Item = (&Service, &Thing)> {
        let of_each = self.services.iter();
        of_each.flat_map(|(service, one)| one.managed.keys().map(move |thing| (service, thing)))
    }

    /// The paths of the managed files of all services.
    pub fn files(&self) -> impl Iterator<Item = &RemotePath> {
        self.things().filter_map(|(_, thing)| match thing {
            Thing::File(path) => Some(path),
            _ => None,
        })
    }
}

/// What changes only with an upgrade of Postfix, as a host keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptFacts {
    /// The hash that the host computed over the files that an upgrade changes. The facts hold for this hash only.
    pub identity: String,
    /// `mail_version`.
    pub postfix_version: String,
    /// `postconf -m`.
    pub table_types: Vec<String>,
    /// `default_database_type`.
    pub default_database_type: TableType,
    /// `ID` of os-release(5).
    pub distribution: String,
    /// The LMTP socket of the distribution's Cyrus packages.
    pub lmtp_socket: RemotePath,
    /// Names of parameters that this Postfix has and 3.7 has not, without those of services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_parameters: Vec<String>,
    /// Names of parameters that 3.7 has and this Postfix has not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fewer_parameters: Vec<String>,
}

/// Who applied, when, and from what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Applied {
    /// `user@workstation`.
    pub by: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// Manifest revision: a git commit, with `-dirty` where the tree was not clean; may be empty.
    #[serde(deserialize_with = "revision::known_revision")]
    pub revision: String,
    /// The digest of the saved plan that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<String>,
    /// Why it was applied, in the words of whoever applied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The URL of the pipeline's job that applied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

/// One managed thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Managed {
    /// How it came to be managed.
    pub origin: Origin,
    /// What was last applied: the hash of its bytes for a file, the text for everything else; none where the
    /// thing was made absent.
    pub value: Option<String>,
    /// A file's owner, group and mode as last applied. None in ledgers of before they were recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<FileAccess>,
}

/// The owner, group and mode of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileAccess {
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Permission bits.
    pub mode: Mode,
}

/// How a thing came to be managed. It decides what happens once the thing is no longer in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// An apply created it: it is deleted.
    Created,
    /// It existed before: it is restored to this.
    Adopted(Previous),
}

/// What a thing was before the first apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Previous {
    /// The text of a parameter, field, option, or whole master.cf entry.
    Value(String),
    /// A file; its bytes are in `adopted/<hash>` on the host.
    File {
        /// The hash of its bytes: keyed in the ledger's file, and SHA-256 in those of before.
        sha256: String,
        /// Owner's name.
        owner: String,
        /// Group's name.
        group: String,
        /// Permission bits.
        mode: Mode,
    },
}

/// What an apply records on the host before its first change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Journal {
    /// The run that wrote it.
    pub run: String,
    /// `user@workstation`.
    pub by: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// How far it came: `staged`, `committing`, `told` (Postfix was reloaded), `rolling-back`.
    pub phase: String,
}
