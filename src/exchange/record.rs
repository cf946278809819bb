//! A host as `murder observe` records it: what an observation found, without secrets.
//!
//! Texts are masked as a plan masks them. In place of hashes there are words (`hash-3`): where two are the same, the bytes
//! are. That is all that a comparison needs, and no reader can try texts by it.

mod hide;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::KnownFacts;
use crate::digest::sha256_hex;
use crate::ledger::{Journal, KeptFacts, Ledger};
use crate::name::{Mode, RemotePath, TableType};
use crate::postfix::configuration::HostEnvironment;
use crate::postfix::{MainCf, MasterCf};
use crate::secret::mask::mask_secrets;
use crate::service::Service;
use crate::state::{
    DefaultInstance, Desired, ExposingDirectory, Facts, Live, LiveFile, LiveReferences,
    LiveService, LiveState, LiveTable, Lock, PostfixLive, Queue, Remark, Running,
};
use hide::{HashWords, masked_table, record};

/// What an observation found on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostRecord {
    /// Its facts.
    pub facts: FactsRecord,
    /// Each of its services.
    pub services: BTreeMap<Service, ServiceRecord>,
    /// The default instance of Postfix, where another one was observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_instance: Option<ConfigurationRecord>,
    /// Every file that the manifest or the ledger names.
    pub files: BTreeMap<RemotePath, FileRecord>,
    /// The indexes beside them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub indexes: BTreeMap<RemotePath, FileRecord>,
    /// Those of them that have other entries than the text beside them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsound_indexes: BTreeSet<RemotePath>,
    /// What the tables say that nothing manages, by the word that names them in a value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, LiveTable>,
    /// What is wrong with files that parameters name and nothing manages.
    #[serde(default)]
    pub references: LiveReferences,
    /// What is managed on the host, with words in place of hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// What an apply that did not end was about to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Ledger>,
    /// The services that last loaded what they have now.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub loaded: BTreeSet<Service>,
    /// The journal of an apply that did not end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<Journal>,
    /// The lock, if its file exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// What applies that died left behind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<String>,
    /// The files that users other than root can exchange.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed: BTreeMap<RemotePath, ExposingDirectory>,
    /// Where main.cf and master.cf lead to, if they are links.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub configuration_links: BTreeMap<RemotePath, String>,
    /// Whether the host keeps the report of an earlier apply.
    #[serde(default)]
    pub last_words: bool,
    /// What else the user should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
}

/// The facts of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactsRecord {
    /// As a ledger keeps them.
    pub kept: KeptFacts,
    /// The type for indexed tables.
    pub index_type: TableType,
    /// Whether the host was asked for the names of parameters: a sandbox is not.
    pub observed: bool,
}

/// main.cf and master.cf, masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigurationRecord {
    /// The text of main.cf.
    pub main_cf: String,
    /// The text of master.cf.
    pub master_cf: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRecord {
    /// Its configuration.
    pub configuration: ConfigurationRecord,
    /// The properties of the host from which it makes some defaults.
    #[serde(default)]
    pub environment: HostEnvironment,
    /// Whether it runs.
    pub running: Running,
    /// How many mails are in its queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
}

/// A path on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileRecord {
    /// Nothing exists there.
    Absent,
    /// Something other than a file.
    Other(String),
    /// A regular file.
    Present(PresentRecord),
}

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PresentRecord {
    /// The word for its bytes.
    pub hash: String,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Permission bits.
    pub mode: Mode,
    /// Bytes.
    pub size: u64,
    /// Modification time in seconds since the epoch.
    pub mtime: i64,
    /// The file that the path leads to, if it is a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whether some users of the host cannot read it.
    #[serde(default)]
    pub private: bool,
    /// Its text, masked. None where it is not for those who read a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether that is the whole text, of which nothing is masked.
    #[serde(default)]
    pub whole: bool,
}

impl HostRecord {
    /// What an observation of a host found; `desired` is what it must have, and says where its files hold secrets. `loaded`
    /// are the services that last loaded what they have now.
    #[must_use]
    pub fn of(desired: &Desired, live: &Live, loaded: BTreeSet<Service>) -> Self {
        let mut words = HashWords::default();
        let files = live.files.iter();
        let files =
            files.map(|(path, file)| (path.clone(), record(path, file, desired, live, &mut words)));
        let files = files.collect();
        let indexes = live.indexes.iter();
        let indexes = indexes.map(|(path, file)| {
            let mut record = record(path, file, desired, live, &mut words);
            if let FileRecord::Present(present) = &mut record {
                (present.text, present.whole) = (None, false);
            }
            (path.clone(), record)
        });
        let indexes = indexes.collect();
        let mut ledger = |ledger: &Option<Ledger>| {
            let mut ledger = ledger.clone()?;
            ledger.host_key = None;
            ledger.facts = None;
            ledger.change_hashes(|hash| words.word(hash));
            ledger.mask_values();
            for service in ledger.services.values_mut() {
                service.activated = service.activated.take().map(|_| String::new());
            }
            Some(ledger)
        };
        let services = live.services.iter();
        Self {
            facts: FactsRecord::of(&live.facts),
            services: services
                .map(|(name, service)| (name.clone(), ServiceRecord::of(service)))
                .collect(),
            default_instance: live
                .default_instance
                .as_ref()
                .map(|instance| ConfigurationRecord::of(&instance.main_cf, &instance.master_cf)),
            files,
            indexes,
            unsound_indexes: live.unsound_indexes.clone(),
            tables: live.tables.iter().map(masked_table).collect(),
            references: live.references.clone(),
            ledger: ledger(&live.ledger),
            pending: ledger(&live.pending),
            loaded,
            journal: live.journal.clone(),
            lock: live.lock.clone(),
            leftovers: live.leftovers.clone(),
            exposed: live.exposed.clone(),
            configuration_links: live.configuration_links.clone(),
            last_words: live.last_words,
            remarks: live.remarks.clone(),
        }
    }

    /// The same as an observation gives it. Hashes of whole texts are those of the texts; all others stay words, which
    /// equal no hash. Which services are loaded is for the caller to set.
    #[must_use]
    pub fn live(&self) -> Live {
        let whole = self.files.values().filter_map(|file| match file {
            FileRecord::Present(file) if file.whole => {
                let text = file.text.as_deref().unwrap_or_default();
                Some((file.hash.as_str(), sha256_hex(text.as_bytes())))
            }
            _ => None,
        });
        let hashes: BTreeMap<&str, String> = whole.collect();
        let plain = |word: &str| hashes.get(word).cloned().unwrap_or_else(|| word.to_owned());
        let file = |(path, file): (&RemotePath, &FileRecord)| (path.clone(), file.live(&plain));
        let ledger = |ledger: &Option<Ledger>| {
            let mut ledger = ledger.clone()?;
            ledger.change_hashes(plain);
            Some(ledger)
        };
        let services = self.services.iter();
        Live {
            facts: self.facts.facts(),
            services: services
                .map(|(name, service)| (name.clone(), service.live()))
                .collect(),
            default_instance: self.default_instance.as_ref().map(|record| {
                let (main_cf, master_cf) = record.parsed();
                DefaultInstance { main_cf, master_cf }
            }),
            files: self.files.iter().map(file).collect(),
            indexes: self.indexes.iter().map(file).collect(),
            unsound_indexes: self.unsound_indexes.clone(),
            tables: self.tables.clone(),
            references: self.references.clone(),
            ledger: ledger(&self.ledger),
            ledger_sha256: None,
            journal: self.journal.clone(),
            pending: ledger(&self.pending),
            lock: self.lock.clone(),
            leftovers: self.leftovers.clone(),
            exposed: self.exposed.clone(),
            configuration_links: self.configuration_links.clone(),
            last_words: self.last_words,
            remarks: self.remarks.clone(),
        }
    }
}

impl FileRecord {
    fn live(&self, plain: &impl Fn(&str) -> String) -> LiveFile {
        match self {
            Self::Absent => LiveFile::Absent,
            Self::Other(kind) => LiveFile::Other(kind.clone()),
            Self::Present(file) => LiveFile::Present(LiveState {
                sha256: plain(&file.hash),
                owner: file.owner.clone(),
                group: file.group.clone(),
                mode: file.mode,
                size: file.size,
                mtime: file.mtime,
                ctime: 0,
                inode: 0,
                link: file.link.clone(),
                private: file.private,
                text: file.text.clone(),
            }),
        }
    }
}

impl FactsRecord {
    fn of(facts: &Facts) -> Self {
        let known = KnownFacts {
            identity: String::new(),
            facts: facts.clone(),
        };
        let mut kept = known.kept();
        if !facts.observed() {
            kept.fewer_parameters.clear();
        }
        Self {
            kept,
            index_type: facts.index_type.clone(),
            observed: facts.observed(),
        }
    }

    /// The facts.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = KnownFacts::from(&self.kept).facts;
        facts.index_type = self.index_type.clone();
        if !self.observed {
            facts.parameters = <_>::default();
        }
        facts
    }
}

impl ConfigurationRecord {
    fn of(main_cf: &MainCf, master_cf: &MasterCf) -> Self {
        let masked = |bytes: &[u8]| mask_secrets(&String::from_utf8_lossy(bytes));
        Self {
            main_cf: masked(main_cf.bytes()),
            master_cf: masked(master_cf.bytes()),
        }
    }

    fn parsed(&self) -> (MainCf, Arc<MasterCf>) {
        let master_cf = MasterCf::parse(self.master_cf.as_bytes());
        (MainCf::parse(self.main_cf.as_bytes()), Arc::new(master_cf))
    }
}

impl ServiceRecord {
    fn of(service: &LiveService) -> Self {
        let LiveService::Postfix(postfix) = service;
        Self {
            configuration: ConfigurationRecord::of(&postfix.main_cf, &postfix.master_cf),
            environment: postfix.environment.clone(),
            running: postfix.running,
            queue: postfix.queue,
        }
    }

    fn live(&self) -> LiveService {
        let (main_cf, master_cf) = self.configuration.parsed();
        LiveService::Postfix(PostfixLive {
            main_cf,
            master_cf,
            main_cf_sha256: String::new(),
            master_cf_sha256: String::new(),
            environment: self.environment.clone(),
            running: self.running,
            queue: self.queue,
        })
    }
}
