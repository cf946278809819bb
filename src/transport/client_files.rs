//! Files of this workstation that every connection needs, read once in a run: ssh_config(5) and private keys.
//!
//! known_hosts is read again for each host, so that a key that is revoked during a run is not trusted.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::transport::ssh::key_file::KeyFile;

/// See the module.
#[derive(Debug, Default)]
pub struct ClientFiles {
    /// Contents of files; `None` where the file does not exist.
    pub(in crate::transport) texts: Memo<Option<Arc<str>>>,
    /// The files that a name with wildcards matches.
    pub(in crate::transport) globs: Memo<Arc<[PathBuf]>>,
    /// Private keys; those with a passphrase are still encrypted.
    pub(in crate::transport) keys: Memo<Arc<KeyFile>>,
}

/// Values by path, each made once.
pub(in crate::transport) struct Memo<T>(Mutex<BTreeMap<PathBuf, T>>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Shows none of the values, as private keys are among them.
impl<T> std::fmt::Debug for Memo<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memo")
    }
}

impl<T: Clone> Memo<T> {
    /// The value for `path`. `make` runs the first time, and again where it failed.
    pub(in crate::transport) fn of(
        &self,
        path: &Path,
        make: impl FnOnce(&Path) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = known.get(path) {
            return Ok(made.clone());
        }
        let made = make(path)?;
        known.insert(path.to_owned(), made.clone());
        Ok(made)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_worked_is_made_once_and_what_failed_again() {
        let memo = Memo::<u8>::default();
        let path = Path::new("x");
        let fail = |_: &Path| Err(io::ErrorKind::NotFound.into());
        assert!(memo.of(path, fail).is_err());
        assert_eq!(memo.of(path, |_| Ok(1)).unwrap(), 1);
        assert_eq!(memo.of(path, fail).unwrap(), 1);
        assert_eq!(memo.of(Path::new("y"), |_| Ok(2)).unwrap(), 2);
    }
}
