//! Files of this workstation that the way to every host goes by, read once in a run: ssh_config(5), and keys.
//!
//! known_hosts is none of them: whom to trust is asked anew for each host.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::transport::ssh::key_file::KeyFile;

/// See the module.
#[derive(Debug, Default)]
pub struct ClientFiles {
    /// Texts of files; none where there is no such file.
    pub(in crate::transport) texts: Memo<Option<Arc<str>>>,
    /// What a name with wildcards stands for.
    pub(in crate::transport) globs: Memo<Arc<[PathBuf]>>,
    /// Private keys, still locked where they are.
    pub(in crate::transport) keys: Memo<Arc<KeyFile>>,
}

/// What was made of a path, once.
pub(in crate::transport) struct Memo<T>(Mutex<BTreeMap<PathBuf, T>>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Keys are among it: nothing of it is shown.
impl<T> std::fmt::Debug for Memo<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memo")
    }
}

impl<T: Clone> Memo<T> {
    /// What `make` made of it the first time. What failed is tried again.
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
