//! Which way to a host, and what the three ways have in common.

pub(in crate::machine) mod child;
pub(in crate::machine) mod conversation;
mod passphrases;

use std::sync::Arc;

use crate::machine::become_root::Means;
use crate::machine::files::Files;
use crate::machine::local::Local;
use crate::machine::openssh::OpenSsh;
use crate::machine::ssh::{HandshakeLimits, Ssh};
use crate::machine::ssh_config::Environment;
use crate::machine::{MachineError, Shell};
use crate::model::{Host, SshClient};
use crate::secret::Secrets;
use crate::tasks::block_on;

pub use passphrases::{AskPassphrase, Passphrases};

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
    pub files: Arc<Files>,
}

/// Connects to a host and logs in.
///
/// # Errors
/// `Unreachable` where there is no connection, no trust or no login; `Unfit` where a secret is missing.
pub fn connect(
    host: &Host,
    options: &ConnectOptions,
    secrets: &Secrets,
) -> Result<Box<dyn Shell>, MachineError> {
    block_on(connecting(host, options, secrets))
}

/// The same as a task.
///
/// # Errors
/// As [`connect`].
pub async fn connecting(
    host: &Host,
    options: &ConnectOptions,
    secrets: &Secrets,
) -> Result<Box<dyn Shell>, MachineError> {
    let means = Means::new(&host.ssh.become_, secrets)?;
    if options.local {
        return Ok(Box::new(Local::new(means)));
    }
    Ok(match host.ssh.client {
        SshClient::OpenSsh => Box::new(OpenSsh::connect(host, options, means)?),
        SshClient::Ssh2 => Box::new(Ssh::connect(host, options, secrets, means).await?),
    })
}
