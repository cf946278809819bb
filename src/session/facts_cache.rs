//! The client's cache of facts: what changes on a host only with an upgrade.
//!
//! One small file for each host. If it is lost, the host is observed once more. The host compares an identity of its
//! Postfix with the cached one, so an outdated file cannot make a plan wrong.

use std::fs::Permissions;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::options::Reach;
use crate::machine::KnownFacts;
use crate::name::HostName;
use crate::root_folder::read_regular;

/// The largest file of facts that is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// Keeps facts between runs; keeps nothing if the user has no home directory.
#[derive(Debug)]
pub struct FactsCache {
    directory: Option<PathBuf>,
    /// The file that was read last. Hosts with the same system have the same long facts, so they are parsed once and
    /// shared.
    last: Mutex<Option<(Vec<u8>, KnownFacts)>>,
}

/// The cache of this user; none for a sandbox, whose folders have no upgrades and no facts of the real host of
/// their name.
#[must_use]
pub fn facts_cache(reach: &Reach) -> Option<FactsCache> {
    (reach.sandbox.is_none() && !reach.from_live_file).then(FactsCache::of_user)
}

impl FactsCache {
    /// The cache of this user.
    #[must_use]
    pub fn of_user() -> Self {
        Self {
            directory: user_cache("facts"),
            last: Mutex::default(),
        }
    }

    /// The cached facts of a host.
    #[must_use]
    pub fn get(&self, host: &HostName) -> Option<KnownFacts> {
        let path = self.directory.as_ref()?.join(format!("{host}.json"));
        let bytes = read_regular(&path, LARGEST).ok()?;
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

    /// Keeps the facts of a host. If the cache cannot be written, the next observation asks the host again.
    pub fn put(&self, host: &HostName, known: &KnownFacts) {
        let Some(directory) = &self.directory else {
            return;
        };
        if make_private(directory).is_err() {
            return;
        }
        let (Ok(bytes), Ok(file)) = (
            serde_json::to_vec(known),
            tempfile::NamedTempFile::new_in(directory),
        ) else {
            return;
        };
        let private = file
            .as_file()
            .set_permissions(Permissions::from_mode(0o600));
        if private.is_ok() && std::fs::write(file.path(), bytes).is_ok() {
            // After a lost race or a full disk, the next run asks the host again.
            let _ = file.persist(directory.join(format!("{host}.json")));
        }
    }
}

/// `$XDG_CACHE_HOME/murder/NAME`, else `~/.cache/murder/NAME`.
fn user_cache(name: &str) -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.map(|base| base.join("murder").join(name))
}

/// A folder of the client's cache that exists and that only its user reads; none where it cannot be made.
pub(super) fn cache_folder(name: &str) -> Option<PathBuf> {
    let folder = user_cache(name)?;
    make_private(&folder).ok()?;
    Some(folder)
}

/// Creates the cache's folder, and closes it and the one above it to other users, whatever the umask is.
fn make_private(directory: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    for folder in [Some(directory), directory.parent()].into_iter().flatten() {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::state::Facts;

    #[test]
    fn only_its_user_reads_the_cache_also_where_an_older_one_was_open() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("murder/facts");
        let known = KnownFacts {
            identity: "x".to_owned(),
            facts: Facts::debian(),
        };
        let host = HostName::new("mx.example.org").unwrap();
        for open in [false, true] {
            if open {
                let everyone = Permissions::from_mode(0o777);
                std::fs::set_permissions(&directory, everyone.clone()).unwrap();
                std::fs::set_permissions(home.path().join("murder"), everyone).unwrap();
            }
            let cache = FactsCache {
                directory: Some(directory.clone()),
                last: Mutex::default(),
            };
            cache.put(&host, &known);
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&home.path().join("murder")), 0o700);
            assert_eq!(mode(&directory), 0o700);
            assert_eq!(mode(&directory.join("mx.example.org.json")), 0o600);
            assert_eq!(cache.get(&host), Some(known.clone()));
        }
    }
}
