//! A machine: eyes ([`Look`]) and hands ([`Act`]) on one host, one exchange each.
//!
//! `plan` holds a `&mut dyn Look`, which cannot write, by its type. Four machines: `ssh` (ssh2),
//! `openssh` (the system's ssh), `local`, which all run the same POSIX sh programs of [`remote`],
//! and `sandbox`, a folder.

pub mod remote;
pub mod sandbox;
// Becoming root: the words before the program.
mod become_root;
// Who a host is.
pub mod known_hosts;
// This host itself.
pub mod local;
// The system's ssh.
pub mod openssh;
// A way to run a program: which one, and what all three share.
pub mod shell;
// The ssh2 crate.
pub mod ssh;
// What ssh_config(5) says of a host.
pub mod ssh_config;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::name::{Mode, Parameter, RemotePath, TableType, UserName};
use crate::plan::{Expects, Failure};
use crate::postfix::Edit;
use crate::state::{Facts, Live, Probes};

/// What is asked of a host, all at once.
#[derive(Debug, Clone, Default)]
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
}

/// Facts, and the identity of the Postfix they were read from (binary and `dynamicmaps.cf*`).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KnownFacts {
    /// What the host computed over the files that an upgrade changes.
    pub identity: String,
    /// What it then said.
    pub facts: Facts,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The host.
    pub live: Live,
    /// For the cache; none where there is nothing worth keeping.
    pub known: Option<KnownFacts>,
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
    /// Indexes to build.
    pub indexes: Vec<(RemotePath, TableType)>,
    /// Edits of master.cf and main.cf, in order.
    pub edits: Vec<Edit>,
    /// `postfix check` before telling.
    pub check: bool,
    /// How Postfix is told.
    pub tell: Tell,
    /// Tables to open and ask: staged before the commit, in place after the reload.
    pub tables: Vec<(RemotePath, TableType)>,
    /// Addresses to ask over SMTP.
    pub probes: Probes,
    /// Whether an LDAP server that does not answer is accepted.
    pub allow_unverified: bool,
    /// Files to delete at the end, with the suffix of an index that goes too.
    pub deletes: Vec<(RemotePath, Option<&'static str>)>,
    /// The ledger as it shall be; `None` where the host shall have none.
    pub ledger: Option<Vec<u8>>,
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

/// How Postfix is told of its new configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// Not at all.
    Not,
    /// `postfix reload` (and `postfix start` where it does not run and ran before is no case: a
    /// stopped Postfix stays stopped, and the report says so).
    Reload,
    /// Stop and start, through the service manager that owns it.
    Restart,
}

/// How a host stands after an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As it shall be.
    Done,
    /// Something moved since the plan; nothing was written. Which thing.
    Stale(String),
    /// Something failed; the host stands as it was before (proved by reading again).
    PutBack(Failure),
    /// It failed before anything was changed.
    Untouched(Failure),
    /// Somebody else's apply holds the lock.
    Locked(Failure),
    /// It is left half-way: what failed, and the commands for a person.
    HalfWay(Failure),
}

/// What an apply reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performed {
    /// How it ended.
    pub ending: Ending,
    /// What each phase said, in order, for `-v` and the report: `staged`, `checked`, `reloaded`, …
    pub log: Vec<String>,
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

/// Eyes: reads a host, writes nothing there, not even a temporary file.
pub trait Look: Send {
    /// One exchange.
    ///
    /// # Errors
    /// [`MachineError`] where there is no answer that can be understood.
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError>;
}

/// Hands: changes a host, whole or not at all.
pub trait Act: Look {
    /// One exchange.
    ///
    /// # Errors
    /// [`MachineError`] where no report came back.
    fn perform(&mut self, orders: &Orders) -> Result<Performed, MachineError>;
}

/// One program run on a host: what the three real machines have in common.
#[derive(Debug)]
pub struct Request {
    /// The exec line after becoming root, plain enough for any login shell (csh, fish): `exec sh -s`.
    /// The shell that carries it puts `sudo` or `doas` before it.
    pub command: String,
    /// Standard input, whole.
    pub stdin: Zeroizing<Vec<u8>>,
    /// Silence of this long ends the exchange.
    pub timeout: Duration,
}

/// What came back of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Standard output, with whatever noise the host adds.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// How the program ended.
    pub exit: Exit,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With a code.
    Code(i32),
    /// By a signal, by name.
    Signal(String),
    /// The connection ended before it did.
    Lost(String),
}

/// A way to run a program on a host as root: ssh2, the system's ssh, or here.
pub trait Shell: Send {
    /// Runs one request on the same connection as the last.
    ///
    /// # Errors
    /// `Unreachable` where no connection or login is to be had, `Unfit` where root is not to be had.
    fn exchange(&mut self, request: &Request) -> Result<Response, MachineError>;
}
