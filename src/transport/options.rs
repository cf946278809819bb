//! Options of all connections of one run.

use std::sync::Arc;

use super::client_files::ClientFiles;
use super::passphrases::Passphrases;
use super::penalties::Penalties;
use super::ssh::limits::HandshakeLimits;
use super::ssh_config::Environment;

/// Options of all connections of one run.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Add the key of an unknown host to known_hosts and continue (`--accept-new`).
    pub accept_new: bool,
    /// The host is this one: a child `sh` in place of a connection (`--local`).
    pub local: bool,
    /// How many handshakes with one address may run at once.
    pub limits: Arc<HandshakeLimits>,
    /// What failed logins cost so far.
    pub penalties: Arc<Penalties>,
    /// The passphrases of keys.
    pub passphrases: Arc<Passphrases>,
    /// The places of OpenSSH's files.
    pub environment: Environment,
    /// The contents of those that have been read.
    pub files: Arc<ClientFiles>,
}
