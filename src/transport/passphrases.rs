//! The passphrases of one run: each is asked for once, however many hosts need it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::secret::Secret;

/// Asks a person for the passphrase of a key file. `None` if there is no terminal.
pub type AskPassphrase = dyn Fn(&Path) -> Option<Secret> + Send + Sync;

/// See the module.
pub struct Passphrases {
    ask: Box<AskPassphrase>,
    known: Mutex<BTreeMap<PathBuf, Option<Secret>>>,
}

impl Passphrases {
    /// Asks by `ask`.
    #[must_use]
    pub fn new(ask: Box<AskPassphrase>) -> Self {
        Self {
            ask,
            known: Mutex::default(),
        }
    }

    /// Never asks: no key has a passphrase.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Box::new(|_| None))
    }

    /// The passphrase of a key. Other callers wait meanwhile, so that only one question is on the terminal.
    pub(in crate::transport) fn of(&self, key: &Path) -> Option<Secret> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(key.to_owned())
            .or_insert_with(|| (self.ask)(key))
            .clone()
    }
}

impl fmt::Debug for Passphrases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrases")
    }
}
