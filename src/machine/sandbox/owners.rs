//! The recorded owners of a sandbox's files.

use std::collections::BTreeMap;

use super::Sandbox;

/// `owner:group` by path. All other files belong to root.
#[derive(Debug, Default)]
pub struct Owners(BTreeMap<String, String>);

impl Owners {
    /// Reads the list of a sandbox; an absent or broken one is empty.
    ///
    /// # Errors
    /// Where it is no regular file, or leads out of the sandbox.
    pub(super) fn read(sandbox: &Sandbox) -> std::io::Result<Self> {
        let bytes = sandbox.read(Self::FILE)?;
        let owners = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(owners.map(Self).unwrap_or_default())
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
