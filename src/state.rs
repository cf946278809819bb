//! What a host must have (`Desired`), what it has (`Live`), and the few facts only it knows.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ledger::{Journal, Ledger};
use crate::name::{Mode, RemotePath, TableType, UserName};
use crate::postfix::catalogue::tables;
use crate::postfix::{Entry, MainCf, MasterCf};
use crate::secret::Body;
use crate::thing::{Field, Thing};

/// What is wanted of a thing that somebody named. A thing nobody named is in no map at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want<T> {
    /// It must be there, like this.
    Present(T),
    /// It must not be there.
    Absent,
}

/// A whole file as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its text; ends with a line end.
    pub body: Body,
    /// Its owner.
    pub owner: UserName,
    /// Its group.
    pub group: UserName,
    /// Its permission bits.
    pub mode: Mode,
    /// The table type of the index that stands beside it, where it is an indexed table.
    pub index: Option<TableType>,
    /// Whether Postfix opens it as a table (`ldap`, `hash`, `regexp`, …) and may be asked through it.
    pub table: Option<TableType>,
}

/// Addresses that are asked over SMTP after an apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Probes {
    /// Must be accepted at RCPT.
    pub accept: Vec<String>,
    /// Must be refused at RCPT.
    pub refuse: Vec<String>,
}

/// Everything that one host must have: a pure function of murder, modules and facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desired {
    /// Whole files.
    pub files: BTreeMap<RemotePath, Want<File>>,
    /// Parameters, service fields and service options (`Thing::Parameter`, `Field`, `Option`),
    /// and `Thing::Service` only as `Want::Absent`.
    pub values: BTreeMap<Thing, Want<String>>,
    /// Things that a module would manage and that shall be left alone here.
    pub leave: BTreeSet<Thing>,
    /// What is asked after an apply.
    pub probes: Probes,
    /// Whether the host is on its way out: everything managed goes (`state: retired` in the manifest).
    pub retired: bool,
    /// What a plan must say of values that are lists, beside the change itself.
    pub notes: BTreeMap<Thing, Note>,
}

/// What a module knows of a list's members, for people who read a plan. It decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// How to keep members that the host had before `murder` came.
    pub dropped: Option<String>,
    /// The address class of the domains in the list (ADDRESS_CLASS_README).
    pub class: Option<String>,
}

/// The few things that only the machine knows, and that a desired state may depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `postconf -dh mail_version`.
    pub postfix_version: String,
    /// `postconf -m`.
    pub table_types: Arc<BTreeSet<String>>,
    /// `postconf -dh default_database_type`.
    pub default_database_type: TableType,
    /// `ID` of os-release(5): `debian`, `rhel`.
    pub distribution: String,
    /// The LMTP socket of the distribution's Cyrus packages.
    pub lmtp_socket: RemotePath,
    /// The type for indexed tables here: what main.cf uses already if it exists, else the default.
    pub index_type: TableType,
    /// `postconf -d`, names only: the live host's last word on names. Empty where nothing was asked.
    pub parameters: ParameterNames,
}

/// Names of parameters. Each host has a thousand, which are copied often and asked for rarely: so they
/// are one text, a line each, that all copies share.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterNames(Arc<str>);

impl<'a> FromIterator<&'a str> for ParameterNames {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let text = names
            .into_iter()
            .fold(String::new(), |text, name| text + name + "\n");
        Self(text.into())
    }
}

impl ParameterNames {
    /// Whether nothing was asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lines().count()
    }

    /// Whether the name is among them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        // postconf(1) prints them in order, and so they are nearly always found at once.
        self.in_order(name) || self.0.lines().any(|line| line == name)
    }

    fn in_order(&self, name: &str) -> bool {
        let mut rest = self.0.as_bytes();
        while !rest.is_empty() {
            let (before, behind) = rest.split_at(rest.len() / 2);
            let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let end = memchr::memchr(b'\n', behind).map_or(rest.len(), |at| before.len() + at);
            let Some(line) = rest.get(start..end) else {
                return false;
            };
            rest = match line.cmp(name.as_bytes()) {
                Ordering::Equal => return true,
                Ordering::Less => rest.get(end + 1..).unwrap_or_default(),
                Ordering::Greater => &rest[..start],
            };
        }
        false
    }
}

impl PartialEq for ParameterNames {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for ParameterNames {}

impl Facts {
    /// What a Debian 12 host says: where nothing is observed.
    ///
    /// # Panics
    /// Never: the literals are names.
    #[must_use]
    pub fn debian() -> Self {
        #[allow(clippy::expect_used, reason = "literals, checked by a test")]
        let table = |name: &str| TableType::new(name).expect("a table type");
        #[allow(clippy::expect_used, reason = "a literal, checked by a test")]
        let lmtp_socket = RemotePath::new("/run/cyrus/socket/lmtp").expect("a path");
        Self {
            postfix_version: "3.7.11".to_owned(),
            table_types: [
                "btree",
                "cidr",
                "environ",
                "fail",
                "hash",
                "inline",
                "internal",
                "ldap",
                "memcache",
                "nis",
                "pipemap",
                "proxy",
                "randmap",
                "regexp",
                "socketmap",
                "static",
                "tcp",
                "texthash",
                "unionmap",
                "unix",
            ]
            .map(str::to_owned)
            .into_iter()
            .collect::<BTreeSet<String>>()
            .into(),
            default_database_type: table("hash"),
            distribution: "debian".to_owned(),
            lmtp_socket,
            index_type: table("hash"),
            parameters: ParameterNames::default(),
        }
    }

    /// Whether a host has said these, and has the last word: its parameters' names come from
    /// nowhere else.
    #[must_use]
    pub fn observed(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// The index type a host keeps: a type that its main.cf uses for an indexed table
    /// already and that exists on the host, else the host's default.
    #[must_use]
    pub fn index_type_of(
        main_cf: &MainCf,
        types: &BTreeSet<String>,
        default: &TableType,
    ) -> TableType {
        for (name, value) in main_cf.iter() {
            // alias_maps and caches are Postfix's own affairs, not the routing tables that we write.
            if !tables::opens_tables(name) || name == "alias_maps" {
                continue;
            }
            for word in value.split([',', ' ', '\t']) {
                if let Some((kind, _)) = word.trim_start_matches("proxy:").split_once(':')
                    && types.contains(kind)
                    && let Ok(kind) = TableType::new(kind)
                    && kind.index_suffix().is_some()
                {
                    return kind;
                }
            }
        }
        default.clone()
    }
}

/// A file as it stands on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveFile {
    /// Nothing is there.
    Absent,
    /// Something is there that is no regular file (nor a link to one): a directory, a socket.
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
    /// Modification time, seconds since the epoch, as the host says.
    pub mtime: i64,
    /// The file that a symbolic link leads to, where the path is one.
    pub link: Option<String>,
    /// Its text (lossy UTF-8), where it was asked for and differs from what was expected.
    pub text: Option<String>,
}

/// What observation says about Postfix as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// A master process lives.
    Yes,
    /// None does.
    No,
    /// There is no Postfix to run here (the sandbox).
    NotHere,
}

/// Something observation noticed that is nobody's difference but that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// What was seen.
    pub text: String,
    /// What to do about it, a command where there is one.
    pub hint: Option<String>,
}

/// The lock of a host as observation found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// Whether a living process holds it; the kernel frees it with its process.
    pub held: bool,
    /// What its last holder wrote into it: by whom, since when, which run; may be empty.
    pub holder: String,
    /// The process that holds it, where the host can tell.
    pub process: Option<u32>,
}

/// One host as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// What only it knows.
    pub facts: Facts,
    /// main.cf, understood.
    pub main_cf: MainCf,
    /// master.cf, understood.
    pub master_cf: Arc<MasterCf>,
    /// SHA-256 of main.cf's bytes.
    pub main_cf_sha256: String,
    /// SHA-256 of master.cf's bytes.
    pub master_cf_sha256: String,
    /// Every file that was asked for, or that the ledger names.
    pub files: BTreeMap<RemotePath, LiveFile>,
    /// The indexes beside them (by the index's own path, such as `/etc/postfix/transport.db`).
    pub indexes: BTreeMap<RemotePath, LiveFile>,
    /// Whether Postfix runs.
    pub running: Running,
    /// What `murder` manages here; none on first contact.
    pub ledger: Option<Ledger>,
    /// SHA-256 of the ledger's bytes; a precondition of apply.
    pub ledger_sha256: Option<String>,
    /// The journal of an apply that did not end; or, while the lock is held, of the one at work.
    pub journal: Option<Journal>,
    /// The ledger that the unfinished apply was about to write; none where there is no journal, or
    /// somebody is at work.
    pub pending: Option<Ledger>,
    /// The lock, where its file is there.
    pub lock: Option<Lock>,
    /// Payloads and stages of applies that died before they had a journal, by their paths; they may hold secrets.
    pub leftovers: Vec<String>,
    /// Whether the last words of an earlier apply lie here, which a remark repeats.
    pub last_words: bool,
    /// What else there is to say.
    pub remarks: Vec<Remark>,
}

/// What the host has of a thing that is no file; none where it is not set.
#[must_use]
pub fn live_value(live: &Live, thing: &Thing) -> Option<String> {
    match thing {
        Thing::File(_) => None,
        Thing::Parameter(name) => live.main_cf.get(name.as_str()).map(str::to_owned),
        Thing::Service(service) => live.master_cf.service(service).map(|entry| entry.line()),
        Thing::Field(service, _) | Thing::Option(service, _) => {
            part_of(&live.master_cf.service(service)?, thing)
        }
    }
}

/// A field or an option of an entry of master.cf.
#[must_use]
pub fn part_of(entry: &Entry, thing: &Thing) -> Option<String> {
    match thing {
        // Its options are things of their own.
        Thing::Field(_, Field::Command) => Some(entry.command()),
        Thing::Field(_, field) => Some(entry.field(*field)),
        Thing::Option(_, name) => entry.option(name),
        Thing::File(_) | Thing::Parameter(_) | Thing::Service(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::ParameterNames;

    #[test]
    fn names_are_found_in_any_order() {
        for names in [
            vec![],
            vec!["b"],
            vec!["a", "b", "bb", "c", "d"],
            vec!["d", "bb", "a", "c", "b"],
        ] {
            let known: ParameterNames = names.iter().copied().collect();
            assert_eq!(
                (known.len(), known.is_empty()),
                (names.len(), names.is_empty())
            );
            for name in ["", "a", "b", "bb", "c", "d", "aa", "e", "a\nb"] {
                assert_eq!(
                    known.contains(name),
                    names.contains(&name),
                    "{name} in {names:?}"
                );
            }
        }
    }
}
