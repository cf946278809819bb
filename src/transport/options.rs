//! What holds for every connection of one run.

use std::sync::Arc;

use super::client_files::ClientFiles;
use super::passphrases::Passphrases;
use super::ssh::limits::HandshakeLimits;
use super::ssh_config::Environment;

/// What holds for all hosts of one run.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Write down the key of a host that nobody has met, and go on (`--accept-new`).
    pub accept_new: bool,
    /// The host is this one: a child `sh` in place of a connection (`--local`).
    pub local: bool,
    /// How many handshakes at once.
    pub limits: Arc<HandshakeLimits>,
    /// Who is asked for the passphrase of a key.
    pub passphrases: Arc<Passphrases>,
    /// Where OpenSSH's files lie.
    pub environment: Environment,
    /// Those of them that have been read.
    pub files: Arc<ClientFiles>,
}
