//! The client's cache of facts: what changes on a host only with an upgrade.
//!
//! One small file a host. Losing it costs one more look; the host says by an identity of its own
//! whether what is kept still holds, so nothing here can make a plan wrong.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::options::Reach;
use crate::machine::KnownFacts;
use crate::name::HostName;

/// Where facts are kept between runs; nowhere, where there is no home.
#[derive(Debug)]
pub struct FactsCache {
    directory: Option<PathBuf>,
    /// The file read last. Hosts of one make have the same facts, which are long: so they are
    /// understood once, and shared.
    last: Mutex<Option<(Vec<u8>, KnownFacts)>>,
}

/// The cache of this user; none for a sandbox, whose folders have no upgrades and no facts of the real host of
/// their name.
#[must_use]
pub fn facts_cache(reach: &Reach) -> Option<FactsCache> {
    reach.sandbox.is_none().then(FactsCache::of_user)
}

impl FactsCache {
    /// `$XDG_CACHE_HOME/murder/facts`, else `~/.cache/murder/facts`.
    #[must_use]
    pub fn of_user() -> Self {
        let base = std::env::var_os("XDG_CACHE_HOME")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
        Self {
            directory: base.map(|base| base.join("murder/facts")),
            last: Mutex::default(),
        }
    }

    /// What is kept of a host.
    #[must_use]
    pub fn get(&self, host: &HostName) -> Option<KnownFacts> {
        let path = self.directory.as_ref()?.join(format!("{host}.json"));
        let bytes = std::fs::read(path).ok()?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, known)) = &*last
            && *read == bytes
        {
            return Some(known.clone());
        }
        let known: KnownFacts = serde_json::from_slice(&bytes).ok()?;
        *last = Some((bytes, known.clone()));
        Some(known)
    }

    /// Keeps what a host said. A cache that cannot be written is no failure: the next look asks again.
    pub fn put(&self, host: &HostName, known: &KnownFacts) {
        let Some(directory) = &self.directory else {
            return;
        };
        if std::fs::create_dir_all(directory).is_err() {
            return;
        }
        let (Ok(bytes), Ok(file)) = (
            serde_json::to_vec(known),
            tempfile::NamedTempFile::new_in(directory),
        ) else {
            return;
        };
        if std::fs::write(file.path(), bytes).is_ok() {
            // Lost races and full disks only cost the next run a question.
            let _ = file.persist(directory.join(format!("{host}.json")));
        }
    }
}
