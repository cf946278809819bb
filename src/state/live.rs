//! What an observation found on a host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::lookups::{self, LiveTable, TableAnswer};
use super::queue::Queue;
use super::references::LiveReferences;
use super::remark::Remark;
use crate::ledger::{Journal, Ledger, PinningKey};
use crate::name::{Mode, RemotePath};
use crate::postfix::configuration::HostEnvironment;
use crate::postfix::{MainCf, MasterCf, MasterEntry};
use crate::service::Service;
use crate::thing::{Field, Thing};

/// One host as an observation found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Its facts.
    pub facts: Facts,
    /// Each service that `murder` configures and that the host has.
    pub services: BTreeMap<Service, LiveService>,
    /// The default instance of Postfix, where another one was observed.
    pub default_instance: Option<DefaultInstance>,
    /// Every file that the questions or the ledger name.
    pub files: BTreeMap<RemotePath, LiveFile>,
    /// The indexes beside them (by the index's own path, such as `/etc/postfix/transport.db`).
    pub indexes: BTreeMap<RemotePath, LiveFile>,
    /// Those of them that were written after the last apply and have other entries than the text beside them.
    pub unsound_indexes: BTreeSet<RemotePath>,
    /// What the tables say that nothing manages and that a comparison needs, by the word that names them in a value.
    pub tables: BTreeMap<String, LiveTable>,
    /// What is wrong with files that parameters name and nothing manages.
    pub references: LiveReferences,
    /// What `murder` manages on the host. None before the first apply.
    pub ledger: Option<Ledger>,
    /// SHA-256 of the ledger's bytes; a precondition of apply.
    pub ledger_sha256: Option<String>,
    /// The journal of an apply that did not end; while the lock is held, that of the running apply.
    pub journal: Option<Journal>,
    /// The ledger that an unfinished apply was about to write. None without a journal, and while
    /// another apply is running.
    pub pending: Option<Ledger>,
    /// The lock, if its file exists.
    pub lock: Option<Lock>,
    /// The paths of payloads and stages of applies that died before they wrote a journal. They may hold secrets.
    pub leftovers: Vec<String>,
    /// The files, main.cf and master.cf among them, that users other than root can exchange.
    pub exposed: BTreeMap<RemotePath, ExposingDirectory>,
    /// Where main.cf and master.cf lead to, if they are links.
    pub configuration_links: BTreeMap<RemotePath, String>,
    /// Whether the host keeps the report of an earlier apply, which a remark repeats.
    pub last_words: bool,
    /// What else the user should know.
    pub remarks: Vec<Remark>,
}

/// A service as an observation found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveService {
    /// An instance of Postfix.
    Postfix(PostfixLive),
}

/// An instance of Postfix as an observation found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostfixLive {
    /// main.cf, parsed.
    pub main_cf: MainCf,
    /// master.cf, parsed.
    pub master_cf: Arc<MasterCf>,
    /// SHA-256 of main.cf's bytes.
    pub main_cf_sha256: String,
    /// SHA-256 of master.cf's bytes.
    pub master_cf_sha256: String,
    /// The properties of the host from which it makes some defaults.
    pub environment: HostEnvironment,
    /// Whether it runs.
    pub running: Running,
    /// How many mails are in its queue. None where the host cannot count them.
    pub queue: Option<Queue>,
}

/// What the default instance of Postfix says about the others: it lists them, and has listeners of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultInstance {
    /// Its main.cf.
    pub main_cf: MainCf,
    /// Its master.cf.
    pub master_cf: Arc<MasterCf>,
}

impl Live {
    /// What a table says of a key. `table` is the word in the parameter's value: `hash:/etc/postfix/domains`,
    /// `proxy:ldap:/etc/postfix/x.cf`, or a path, whose lines are members of the list. The key is compared as it is, in
    /// lower case: parent domains and networks are not tried.
    #[must_use]
    pub fn table_says(&self, table: &str, key: &str) -> TableAnswer {
        lookups::says(&self.tables, table, key)
    }

    /// The members that a table adds to a list of domains, hosts or networks: the keys of a table, or the words of a file
    /// of members. A file of members may name further tables and files.
    ///
    /// # Errors
    /// Why they are not known, as a clause in lower case.
    pub fn table_members(&self, table: &str) -> Result<Vec<String>, String> {
        lookups::members(&self.tables, table)
    }

    /// The default instance of Postfix. None if the host has none.
    #[must_use]
    pub fn postfix(&self) -> Option<&PostfixLive> {
        let LiveService::Postfix(postfix) = self.services.get(&Service::POSTFIX)?;
        Some(postfix)
    }

    /// The key of the host that its ledger keeps, or that of an unfinished apply, which the next one must take over.
    #[must_use]
    pub fn host_key(&self) -> Option<&PinningKey> {
        let mut ledgers = self.ledger.iter().chain(&self.pending);
        ledgers.find_map(|ledger| ledger.host_key.as_ref())
    }

    /// Makes the keyed hashes of the ledgers plain where they are those of files as they are, or as `expected`.
    pub fn resolve_hashes<'a>(&mut self, expected: impl IntoIterator<Item = &'a str>) {
        let mut known: Vec<&str> = expected.into_iter().collect();
        known.extend(self.files.values().filter_map(|file| match file {
            LiveFile::Present(state) => Some(state.sha256.as_str()),
            LiveFile::Absent | LiveFile::Other(_) => None,
        }));
        for ledger in self.ledger.iter_mut().chain(&mut self.pending) {
            ledger.resolve_hashes(known.iter().copied());
        }
    }

    /// The journal of an apply that did not end; not that of an apply that is still running.
    #[must_use]
    pub fn dead_journal(&self) -> Option<&Journal> {
        let running = self.lock.as_ref().is_some_and(|lock| lock.held);
        self.journal.as_ref().filter(|_| !running)
    }
}

impl LiveService {
    /// The value of a thing in the service's configuration. None where it is not set, and for files.
    #[must_use]
    pub fn value(&self, thing: &Thing) -> Option<String> {
        match self {
            Self::Postfix(postfix) => postfix.value(thing),
        }
    }
}

impl PostfixLive {
    /// The value of a parameter, field or option, or the line of an entry, in main.cf or master.cf.
    /// None where it is not set, and for files.
    #[must_use]
    pub fn value(&self, thing: &Thing) -> Option<String> {
        match thing {
            Thing::File(_) => None,
            Thing::Parameter(name) => self.main_cf.get(name.as_str()).map(str::to_owned),
            Thing::Service(service) => self.master_cf.service(service).map(|entry| entry.line()),
            Thing::Field(service, _) | Thing::Option(service, _) => {
                part_of(&self.master_cf.service(service)?, thing)
            }
        }
    }
}

/// A path on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveFile {
    /// Nothing exists there.
    Absent,
    /// Something other than a regular file or a link to one: `a directory`, `a socket`.
    Other(String),
    /// A regular file.
    Present(LiveState),
}

/// A regular file on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveState {
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Permission bits.
    pub mode: Mode,
    /// Bytes.
    pub size: u64,
    /// Modification time in seconds since the epoch, by the host's clock.
    pub mtime: i64,
    /// Time of the last change of its inode, in the same way. 0 if the host did not say it: it has a key then.
    pub ctime: i64,
    /// Inode number. 0 if the host did not say it.
    pub inode: u64,
    /// The file that the path leads to, if it is a symbolic link or a directory on the way is one.
    pub link: Option<String>,
    /// Whether some users of the host cannot read it: for its own mode, or that of a directory on the way.
    pub private: bool,
    /// Its text (lossy UTF-8), if its hash differs from the expected one.
    pub text: Option<String>,
}

impl LiveState {
    /// What stands in place of a hash where the bytes are known by a word alone, as a live file has it.
    pub const WORD: &'static str = "hash-";

    /// Whether only a masked text is known of the file.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.sha256.starts_with(Self::WORD)
    }
}

/// A directory in which users other than root can exchange files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExposingDirectory {
    /// Where.
    pub path: String,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Permission bits.
    pub mode: Mode,
}

impl std::fmt::Display for ExposingDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            path,
            owner,
            group,
            mode,
        } = self;
        write!(f, "`{path}` ({mode} {owner}:{group})")
    }
}

/// Whether a Postfix runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Running {
    /// master(8) runs.
    Yes,
    /// master(8) does not run.
    No,
    /// No Postfix can run here: the host is a sandbox.
    NotHere,
}

/// The lock of a host as an observation found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Whether a running process holds it. The kernel releases it when the process ends.
    pub held: bool,
    /// What its last holder wrote into it: who, since when, which run. It may be empty.
    pub holder: String,
    /// The process that holds it, if the host knows.
    pub process: Option<u32>,
}

/// The value of a field or option of an entry of master.cf. None where it is not set, and for other things.
#[must_use]
pub fn part_of(entry: &MasterEntry, thing: &Thing) -> Option<String> {
    match thing {
        // Options are things of their own.
        Thing::Field(_, Field::Command) => Some(entry.command()),
        Thing::Field(_, field) => Some(entry.field(*field)),
        Thing::Option(_, name) => entry.option(name),
        Thing::File(_) | Thing::Parameter(_) | Thing::Service(_) => None,
    }
}
