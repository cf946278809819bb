//! What the operator says of the LDAP servers.

use std::path::PathBuf;

/// What the operator says of the LDAP servers, in place of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LdapOptions {
    /// Ask these servers and not those of the manifest.
    pub uris: Vec<String>,
    /// Trust these CA certificates of this machine and not those of the manifest.
    pub ca_file: Option<PathBuf>,
}
