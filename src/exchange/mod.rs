//! What goes to a host and what comes back: questions and answers, orders and endings, as values.
//!
//! Below `plan`, which makes questions and orders, and below `machine`, which carries them.

mod facts;

pub use facts::KnownFacts;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::history::{Entry, Generation};
use crate::name::{Mode, Parameter, RemotePath, TableType, UserName};
use crate::postfix::Edit;
use crate::service::Service;
use crate::state::{Live, Probes};

/// Why something did not work on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong, in one line.
    pub summary: String,
    /// The host's own words, scrubbed.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// What the host must still look like when the work begins; otherwise the plan is stale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Expects {
    /// The configuration of each service.
    pub services: BTreeMap<Service, ExpectedService>,
    /// SHA-256 of the ledger; none where there must be none.
    pub ledger: Option<String>,
    /// Each file that is written or deleted: its SHA-256, or none where there must be none.
    pub files: BTreeMap<RemotePath, Option<String>>,
}

/// What the configuration of one service must still be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExpectedService {
    /// SHA-256 of each file that edits change, by its name in the service's folder (`main.cf`).
    pub configuration: BTreeMap<String, String>,
}

impl Expects {
    /// Expects the configuration and the ledger that an observation saw, and nothing of any file.
    #[must_use]
    pub fn of(live: &Live) -> Self {
        let configuration = [
            ("main.cf".to_owned(), live.main_cf_sha256.clone()),
            ("master.cf".to_owned(), live.master_cf_sha256.clone()),
        ];
        let postfix = ExpectedService {
            configuration: configuration.into(),
        };
        Self {
            services: [(Service::POSTFIX, postfix)].into(),
            ledger: live.ledger_sha256.clone(),
            files: BTreeMap::new(),
        }
    }

    /// The path and SHA-256 of each configuration file of each service.
    pub fn configuration(&self) -> impl Iterator<Item = (String, &str)> {
        self.services.iter().flat_map(|(service, expected)| {
            let folder = service.folder();
            let files = expected.configuration.iter();
            files.map(move |(name, sha256)| (format!("{folder}/{name}"), sha256.as_str()))
        })
    }
}

/// Who runs an apply, when, and from what. A plan holds none of this: orders do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Run {
    /// Letters and digits; unique enough for names of temporary files.
    pub id: String,
    /// `user@workstation`.
    pub by: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// Manifest revision: a git commit, with `-dirty` where the tree was not clean; may be empty.
    pub revision: String,
}

/// What is asked of a host, all at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Files to look at, each with the SHA-256 it should have: its text comes back only where it differs.
    pub files: BTreeMap<RemotePath, Option<String>>,
    /// Indexes to look at, by their own path.
    pub indexes: BTreeSet<RemotePath>,
    /// Facts of an earlier time with the identity that the host gave them; asked anew where it changed.
    pub known: Option<KnownFacts>,
    /// Parameters about whose very name the host has the last word.
    pub names: BTreeSet<Parameter>,
    /// Unix-domain sockets that user postfix must reach.
    pub sockets: BTreeSet<RemotePath>,
    /// What is asked of the host's history, if anything.
    pub history: Option<HistoryQuestion>,
}

/// What is asked of a host's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryQuestion {
    /// The entry of every generation that is kept.
    Entries,
    /// One generation, whole (and no entries).
    Generation(u64),
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The host.
    pub live: Live,
    /// For the cache; none where there is nothing worth keeping.
    pub known: Option<KnownFacts>,
    /// The entries that were asked for, oldest first.
    pub entries: Vec<Entry>,
    /// The generation that was asked for; none where it is not kept.
    pub generation: Option<Box<Generation>>,
}

/// What becomes of a host's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerOrder {
    /// It stays as it is (`unlock`).
    Keep,
    /// These are its bytes.
    Write(Vec<u8>),
    /// The host has none any more: nothing of it is managed. Its history goes too.
    Remove,
}

/// A generation to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryOrder {
    /// Its number: the name of its file.
    pub generation: u64,
    /// The bytes of its file: two lines (see [`crate::history`]).
    pub bytes: Vec<u8>,
    /// How many generations are kept, this one included.
    pub keep: u32,
    /// How many bytes of them are kept; the newest one stays, however large.
    pub keep_bytes: u64,
}

/// What a host is told to do, all at once: a plan's steps turned into bytes.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Names the run in journal, lock and temporary names: letters and digits.
    pub run: String,
    /// `user@workstation`.
    pub by: String,
    /// RFC 3339, UTC: when the run began, by the client's clock.
    pub at: String,
    /// What must still hold.
    pub expects: Expects,
    /// Files to create or update.
    pub files: Vec<FileOrder>,
    /// Files that get back what they were, from `adopted/`.
    pub restores: Vec<RestoreOrder>,
    /// Files whose present bytes go to `adopted/` first.
    pub adopts: Vec<RemotePath>,
    /// What is done to each service.
    pub services: BTreeMap<Service, ServiceOrders>,
    /// Whether an LDAP server that does not answer is accepted.
    pub allow_unverified: bool,
    /// Files to delete at the end, with the suffix of an index that goes too.
    pub deletes: Vec<(RemotePath, Option<&'static str>)>,
    /// What becomes of the ledger.
    pub ledger: LedgerOrder,
    /// The generation that this apply makes.
    pub history: Option<HistoryOrder>,
}

/// What is done to one service.
#[derive(Debug, Clone, Default)]
pub struct ServiceOrders {
    /// Indexes to build.
    pub indexes: Vec<(RemotePath, TableType)>,
    /// Edits of master.cf and main.cf, in order.
    pub edits: Vec<Edit>,
    /// Whether the service checks its configuration before it loads it (`postfix check`).
    pub check: bool,
    /// How the service loads its configuration.
    pub activation: Activation,
    /// Tables to open and ask: staged before the commit, in place after the reload.
    pub tables: Vec<(RemotePath, TableType)>,
    /// Addresses to ask over SMTP.
    pub probes: Probes,
}

static NO_ORDERS: ServiceOrders = ServiceOrders {
    indexes: Vec::new(),
    edits: Vec::new(),
    check: false,
    activation: Activation::Nothing,
    tables: Vec::new(),
    probes: Probes {
        accept: Vec::new(),
        refuse: Vec::new(),
    },
};

impl Orders {
    /// What is done to a service: nothing where the orders do not name it.
    #[must_use]
    pub fn service(&self, service: &Service) -> &ServiceOrders {
        self.services.get(service).unwrap_or(&NO_ORDERS)
    }

    /// The same, to add to.
    pub fn service_mut(&mut self, service: &Service) -> &mut ServiceOrders {
        self.services.entry(service.clone()).or_default()
    }

    /// Orders of `run` that change nothing: the host takes its lock, removes what earlier runs left
    /// behind, keeps its ledger, and releases the lock.
    #[must_use]
    pub fn empty(run: &Run, expects: Expects) -> Self {
        Self {
            run: run.id.clone(),
            by: run.by.clone(),
            at: run.at.clone(),
            expects,
            files: Vec::new(),
            restores: Vec::new(),
            adopts: Vec::new(),
            services: BTreeMap::new(),
            allow_unverified: false,
            deletes: Vec::new(),
            ledger: LedgerOrder::Keep,
            history: None,
        }
    }
}

/// One file to write.
#[derive(Debug, Clone)]
pub struct FileOrder {
    /// Where.
    pub path: RemotePath,
    /// Its bytes, secrets included.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Their SHA-256.
    pub sha256: String,
    /// Owner.
    pub owner: UserName,
    /// Group.
    pub group: UserName,
    /// Permission bits.
    pub mode: Mode,
}

/// One file to give back.
#[derive(Debug, Clone)]
pub struct RestoreOrder {
    /// Where.
    pub path: RemotePath,
    /// SHA-256 of its bytes: the name in `adopted/`.
    pub sha256: String,
    /// Owner.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: Mode,
}

/// How a service loads its new configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// Not at all.
    #[default]
    Nothing,
    /// By a reload (`postfix reload`). A service that does not run stays stopped, and the report says so.
    Reload,
    /// By stop and start, through the service manager that owns it.
    Restart,
}

/// Why a machine gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// It could not be reached (network, key, login): exit code 4.
    #[error("{}", .0.summary)]
    Unreachable(Failure),
    /// It was reached and something there does not serve (no sudo, no Postfix, garbage): exit code 3.
    #[error("{}", .0.summary)]
    Unfit(Failure),
    /// The connection died after the payload was whole on the host: it finishes by itself.
    #[error("{}", .0.summary)]
    Detached(Failure),
}

impl MachineError {
    /// What went wrong.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Unreachable(failure) | Self::Unfit(failure) | Self::Detached(failure) => failure,
        }
    }

    /// The same with another failure.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Failure) -> Failure) -> Self {
        match self {
            Self::Unreachable(failure) => Self::Unreachable(change(failure)),
            Self::Unfit(failure) => Self::Unfit(change(failure)),
            Self::Detached(failure) => Self::Detached(change(failure)),
        }
    }
}

/// How an apply ended on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every order was carried out.
    Done,
    /// The host did not carry them all out.
    NotDone(NotDone),
}

/// Why a host did not do what it was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum NotDone {
    /// The host changed since the plan; nothing was written.
    Stale {
        /// Which thing changed.
        thing: String,
    },
    /// Something failed; the host is as it was before (proved by reading again).
    PutBack {
        /// What failed.
        error: Failure,
    },
    /// It failed before anything was changed.
    Untouched {
        /// What failed.
        error: Failure,
    },
    /// Another apply holds the lock.
    Locked {
        /// Whose, from where, since when.
        error: Failure,
    },
    /// The host is left half-way and needs a person.
    HalfWay {
        /// What failed, and the commands for a person.
        error: Failure,
    },
}

impl NotDone {
    /// What went wrong; none where the plan is stale.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Stale { .. } => None,
            Self::PutBack { error }
            | Self::Untouched { error }
            | Self::Locked { error }
            | Self::HalfWay { error } => Some(error),
        }
    }

    /// The same, to change it.
    pub fn failure_mut(&mut self) -> Option<&mut Failure> {
        match self {
            Self::Stale { .. } => None,
            Self::PutBack { error }
            | Self::Untouched { error }
            | Self::Locked { error }
            | Self::HalfWay { error } => Some(error),
        }
    }
}

impl From<NotDone> for Ending {
    fn from(why: NotDone) -> Self {
        Self::NotDone(why)
    }
}

/// What an apply reports.
#[derive(Debug, Clone)]
pub struct Performed {
    /// How it ended.
    pub ending: Ending,
    /// What each phase said, in order, for `-v` and the report: `staged`, `checked`, `reloaded`, …
    pub log: Vec<String>,
    /// The answer to the questions that went with the orders, asked after the work; none where there were none, or
    /// where the answer was lost.
    pub seen: Option<Observed>,
}

impl Performed {
    /// An apply that did not do its work and of which there is no log.
    #[must_use]
    pub fn without_log(why: NotDone) -> Self {
        Self {
            ending: why.into(),
            log: Vec::new(),
            seen: None,
        }
    }
}
