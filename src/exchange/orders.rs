//! What a host is ordered to do, and what it must still be when it begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::name::{Mode, RemotePath, TableType, UserName};
use crate::postfix::Edit;
use crate::secret::Secrets;
use crate::service::Service;
use crate::state::{Live, LiveService, Probes, References};

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

impl ExpectedService {
    fn of(LiveService::Postfix(live): &LiveService) -> Self {
        let configuration = [
            ("main.cf".to_owned(), live.main_cf_sha256.clone()),
            ("master.cf".to_owned(), live.master_cf_sha256.clone()),
        ];
        Self {
            configuration: configuration.into(),
        }
    }
}

impl Expects {
    /// Expects the configuration and the ledger that an observation saw, and nothing of any file.
    #[must_use]
    pub fn of(live: &Live) -> Self {
        let services = live.services.iter();
        let services = services.map(|(name, service)| (name.clone(), ExpectedService::of(service)));
        Self {
            services: services.collect(),
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
    /// The digest of the saved plan that is applied.
    pub plan_digest: Option<String>,
    /// Why it is applied, in the words of whoever applies it.
    pub reason: Option<String>,
    /// The URL of the pipeline's job.
    pub job: Option<String>,
}

/// What happens to a host's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerOrder {
    /// It stays as it is (`unlock`).
    Keep,
    /// These are its bytes, with keyed hashes. A ledger that was read has plain ones, so `plan::order_ledger` alone makes this.
    WriteKeyed(Vec<u8>),
    /// It is deleted with the history: nothing is managed any more.
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

/// What a host is ordered to do in one exchange: a plan's steps turned into bytes.
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
    /// Files that are restored from `adopted/`.
    pub restores: Vec<RestoreOrder>,
    /// Files whose content is first copied to `adopted/`.
    pub adopts: Vec<AdoptOrder>,
    /// Names in `adopted/` that a content gets beside its old one, if it is there by that.
    pub renames: Vec<(String, String)>,
    /// What is done to each service.
    pub services: BTreeMap<Service, ServiceOrders>,
    /// Whether an LDAP server that does not answer is accepted.
    pub allow_unverified: bool,
    /// Files to delete at the end, with the suffix of the index that is deleted too.
    pub deletes: Vec<(RemotePath, Option<&'static str>)>,
    /// What happens to the ledger.
    pub ledger: LedgerOrder,
    /// The files and tables about which the host answers at the next observation without being asked. None if what it
    /// keeps of them stays.
    pub references: Option<References>,
    /// Files that parameters name and nothing manages, and that must be open to who opens them before anything is changed.
    pub opens: References,
    /// The generation that this apply writes.
    pub history: Option<HistoryOrder>,
    /// The secrets of the files: no word of the host may show one.
    pub secrets: Secrets,
}

/// What is done to one service.
#[derive(Debug, Clone, Default)]
pub struct ServiceOrders {
    /// Indexes to build.
    pub indexes: Vec<IndexOrder>,
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
            renames: Vec::new(),
            services: BTreeMap::new(),
            allow_unverified: false,
            deletes: Vec::new(),
            ledger: LedgerOrder::Keep,
            references: None,
            opens: References::default(),
            history: None,
            secrets: Secrets::default(),
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

/// One index to build.
#[derive(Debug, Clone)]
pub struct IndexOrder {
    /// The source of the table.
    pub source: RemotePath,
    /// Its type.
    pub table_type: TableType,
    /// Whether the source is an alias file (aliases(5)), which postalias(1) reads.
    pub aliases: bool,
}

impl IndexOrder {
    /// The program of Postfix that builds it.
    #[must_use]
    pub fn program(&self) -> &'static str {
        if self.aliases { "postalias" } else { "postmap" }
    }
}

/// One file whose content is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptOrder {
    /// Which.
    pub path: RemotePath,
    /// The name that its content gets in `adopted/`.
    pub kept: String,
}

/// One file to restore.
#[derive(Debug, Clone)]
pub struct RestoreOrder {
    /// Where.
    pub path: RemotePath,
    /// The name of its bytes in `adopted/`.
    pub kept: String,
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
