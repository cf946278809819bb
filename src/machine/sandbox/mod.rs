//! A host that is a folder.
//!
//! The folder contains `etc/postfix` as Debian installs it, and `var/lib/murder` as on a real host. `murder` edits main.cf
//! and master.cf itself, and builds indexes if this machine has postmap(1). A folder has no users of its own, so a file
//! beside the ledger records owners.

mod evidence;
mod folders;
mod former;
mod history;
mod index;
mod indexer;
mod instances;
mod lock;
mod owners;
mod perform;
mod queue;
mod references;
mod tree;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::ledger::Ledger;
use crate::name::{HostName, Mode, RemotePath};
use crate::root_folder::RootFolder;
use crate::state::{Facts, Live, LiveFile, LiveService, LiveState, Queue};
use crate::task::Task;
use crate::{
    digest::{sha256_hex, sha256_of},
    exchange::Failure,
};

use super::{
    Apply, Ending, Evidence, EvidenceQuestion, HistoryQuestion, MachineError, Observe, Observed,
    Orders, Performed, Questions,
};
pub use indexer::Indexer;
use owners::Owners;

/// The path of the ledger on every host.
pub const LEDGER: &str = "/var/lib/murder/ledger.json";
/// Bytes that a file of a sandbox may have; the largest tables of a mail cluster have some ten million.
const MOST_BYTES: u64 = 256 << 20;

/// In place of an index's hash: its content is never compared.
const INDEX: &str = "";

/// Files of a host as they are now, by path.
type LiveFiles = BTreeMap<RemotePath, LiveFile>;

/// One host's folder.
#[derive(Debug)]
pub struct Sandbox {
    /// The folder of all hosts, which the operator names.
    directory: PathBuf,
    root: PathBuf,
    host: HostName,
    facts: Facts,
    /// Builds its indexes.
    indexer: Arc<Indexer>,
    /// The host's folder, once it was opened.
    opened: OnceLock<RootFolder>,
}

impl Sandbox {
    /// The folder of `host` below `directory`, which the first apply creates. `facts` are those of the host. The
    /// sandboxes of a run share an indexer.
    #[must_use]
    pub fn new(directory: &Path, host: &HostName, facts: Facts, indexer: Arc<Indexer>) -> Self {
        Self {
            directory: directory.to_owned(),
            root: directory.join(host.as_str()),
            host: host.clone(),
            facts,
            indexer,
            opened: OnceLock::new(),
        }
    }

    /// Where a path of the host is on this machine, for messages and for programs of Postfix.
    fn inside(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The host's folder. None if it does not exist.
    fn folder(&self) -> std::io::Result<Option<&RootFolder>> {
        if let Some(folder) = self.opened.get() {
            return Ok(Some(folder));
        }
        let opened = RootFolder::open(&self.directory)
            .and_then(|directory| directory.beneath(Path::new(self.host.as_str())));
        match opened {
            Ok(folder) => Ok(Some(self.opened.get_or_init(|| folder))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The host's folder, which an apply creates before it writes.
    fn existing(&self) -> std::io::Result<&RootFolder> {
        self.folder()?
            .ok_or_else(|| std::io::Error::from(ErrorKind::NotFound))
    }

    /// The content of a regular file. None if there is nothing of that name.
    fn read(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        let Some(folder) = self.folder()? else {
            return Ok(None);
        };
        match folder.read(Path::new(path), MOST_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The bytes of a file. If the folder does not exist, those that Debian installs.
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, MachineError> {
        match self.read(path) {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => Ok(match self.root.exists() {
                true => None,
                false => self.fresh(path),
            }),
            Err(error) => Err(self.unfit(&format!("cannot read `{path}`"), &error)),
        }
    }

    fn unfit(&self, what: &str, error: &std::io::Error) -> MachineError {
        MachineError::Unfit(Failure {
            summary: format!("{what} in the sandbox: {error}"),
            detail: Some(self.root.display().to_string()),
            hint: Some("repair the folder, or delete it to start again".to_owned()),
        })
    }

    fn look_at(
        &self,
        path: &RemotePath,
        expected: Option<&str>,
        owners: &Owners,
    ) -> Result<LiveFile, MachineError> {
        let unread = |error| self.unfit(&format!("cannot read `{path}`"), &error);
        let real = Path::new(path.as_str());
        let Some(folder) = self.folder().map_err(unread)? else {
            return Ok(LiveFile::Absent);
        };
        let meta = match folder.metadata(real) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(LiveFile::Absent);
            }
            Err(error) => return Err(self.unfit(&format!("cannot look at `{path}`"), &error)),
        };
        if meta.is_dir() {
            return Ok(LiveFile::Other("a directory".to_owned()));
        }
        if !meta.is_file() {
            return Ok(LiveFile::Other("a pipe, socket or device".to_owned()));
        }
        let sha256 = if meta.len() > MOST_BYTES {
            Err(std::io::Error::other(format!(
                "it has more than {MOST_BYTES} bytes, which is the limit"
            )))
        } else {
            folder.file(real).and_then(sha256_of)
        }
        .map_err(unread)?;
        let (owner, group) = owners.of(path.as_str());
        // Most files are as they should be, and a table may be large: its bytes are held only where they differ.
        let text = if expected == Some(INDEX) || expected == Some(sha256.as_str()) {
            None
        } else {
            let bytes = folder.read(real, MOST_BYTES).map_err(unread)?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(LiveFile::Present(LiveState {
            sha256,
            owner,
            group,
            mode: Mode::from_bits(tree::mode(&meta)),
            size: meta.len(),
            mtime: tree::mtime(&meta),
            ctime: meta.ctime(),
            inode: meta.ino(),
            private: tree::mode(&meta) & 0o004 == 0,
            link: folder.link(real).map(|target| target.display().to_string()),
            text,
        }))
    }
}

impl Sandbox {
    /// Reads the ledger's bytes.
    fn ledger(bytes: &[u8]) -> Result<Ledger, MachineError> {
        Ledger::from_bytes(bytes).map_err(|error| {
            MachineError::Unfit(Failure {
                summary: format!("its ledger {LEDGER} {error}"),
                detail: None,
                hint: Some(error.hint().to_owned()),
            })
        })
    }

    /// The files and indexes that the questions and the ledger name. Without postmap there are no indexes.
    fn files(
        &self,
        questions: &Questions,
        ledger: Option<&Ledger>,
    ) -> Result<(LiveFiles, LiveFiles), MachineError> {
        let owners =
            Owners::read(self).map_err(|error| self.unfit("cannot read the owners", &error))?;
        let (mut files, mut indexes) = (BTreeMap::new(), BTreeMap::new());
        for (path, expected) in &questions.files {
            let live = self.look_at(path, expected.as_deref(), &owners)?;
            files.insert(path.clone(), live);
        }
        if self.indexer.can_build() {
            for index in &questions.indexes {
                indexes.insert(index.clone(), self.look_at(index, Some(INDEX), &owners)?);
            }
        }
        for path in ledger.into_iter().flat_map(Ledger::files) {
            if files.contains_key(path) {
                continue;
            }
            files.insert(path.clone(), self.look_at(path, None, &owners)?);
            for suffix in [".db", ".lmdb", ".cdb"] {
                if self.indexer.can_build()
                    && let Ok(index) = RemotePath::new(format!("{path}{suffix}"))
                {
                    let live = self.look_at(&index, Some(INDEX), &owners)?;
                    indexes.insert(index, live);
                }
            }
        }
        Ok((files, indexes))
    }
}

impl Observe for Sandbox {
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
        let ledger_bytes = self.bytes(LEDGER)?;
        let ledger = ledger_bytes.as_deref().map(Self::ledger).transpose()?;
        let (files, indexes) = self.files(questions, ledger.as_ref())?;
        let (services, facts) = self.services(questions, ledger.as_ref())?;
        let (mut entries, mut generation, mut remarks) = (Vec::new(), None, Vec::new());
        match questions.history {
            None => {}
            Some(HistoryQuestion::Entries) => (entries, remarks) = history::entries(self)?,
            Some(HistoryQuestion::Generation(number)) => {
                generation = history::generation(self, number)?;
            }
        }
        for LiveService::Postfix(postfix) in services.values() {
            remarks.extend(postfix.queue.and_then(Queue::remark));
        }
        let mut observed = Observed {
            live: Live {
                facts,
                default_instance: self.default_beside(&services)?,
                services,
                files,
                indexes,
                unsound_indexes: BTreeSet::new(),
                tables: self.tables(questions),
                references: self.references(questions),
                ledger,
                ledger_sha256: ledger_bytes.as_deref().map(sha256_hex),
                journal: None,
                pending: None,
                lock: lock::look(self)?,
                leftovers: Vec::new(),
                // A sandbox is its user's.
                exposed: BTreeMap::new(),
                configuration_links: BTreeMap::new(),
                last_words: false,
                remarks,
            },
            known: None,
            entries,
            generation,
        };
        observed.resolve_hashes(questions);
        Ok(observed)
    }

    fn witnessing<'a>(
        &'a mut self,
        question: &'a EvidenceQuestion,
    ) -> Task<'a, Result<Evidence, MachineError>> {
        Box::pin(async move { self.evidence(question) })
    }
}

impl Apply for Sandbox {
    fn perform(
        &mut self,
        orders: &Orders,
        questions: Option<&Questions>,
    ) -> Result<Performed, MachineError> {
        // The folder may have been deleted while the user was asked.
        self.opened = OnceLock::new();
        let mut performed = perform::perform(self, orders)?;
        if performed.ending == Ending::Done {
            performed.seen = questions.and_then(|questions| self.observe(questions).ok());
        }
        Ok(performed)
    }
}
