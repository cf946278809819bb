//! The recorded owners of a sandbox's files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `owner:group` by path. All other files belong to root.
#[derive(Debug, Default)]
pub struct Owners(BTreeMap<String, String>);

impl Owners {
    fn path(root: &Path) -> PathBuf {
        root.join("var/lib/murder/owners.json")
    }

    /// Reads the list below a sandbox's root; an absent or broken one is empty.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        std::fs::read(Self::path(root))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .map(Self)
            .unwrap_or_default()
    }

    /// Owner and group of a path.
    #[must_use]
    pub fn of(&self, path: &str) -> (String, String) {
        self.0
            .get(path)
            .and_then(|pair| pair.split_once(':'))
            .map_or_else(
                || ("root".to_owned(), "root".to_owned()),
                |(owner, group)| (owner.to_owned(), group.to_owned()),
            )
    }

    /// Notes owner and group of a path.
    pub fn set(&mut self, path: &str, owner: &str, group: &str) {
        self.0.insert(path.to_owned(), format!("{owner}:{group}"));
    }

    /// Forgets a path.
    pub fn forget(&mut self, path: &str) {
        self.0.remove(path);
    }

    /// The list as it is written.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // A map of strings always serialises.
        serde_json::to_vec_pretty(&self.0).unwrap_or_default()
    }

    /// The list's name as a path of the host.
    pub const FILE: &'static str = "/var/lib/murder/owners.json";
}
