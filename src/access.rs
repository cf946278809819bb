//! How a host is reached, whatever says so: a manifest, a saved plan, or the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::SecretName;

/// How a host is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Which machine: ssh2's own, or the system's `ssh`.
    pub client: SshClient,
    /// What is connected to; the host's name where none is given.
    pub address: Option<String>,
    /// Login name.
    pub user: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Jump host, `[user@]host[:port]`; several by commas as in ssh(1) `-J`.
    pub jump: Option<String>,
    /// A private key file.
    pub identity_file: Option<PathBuf>,
    /// Its passphrase, by name.
    pub passphrase: Option<SecretName>,
    /// The login password, by name.
    pub password: Option<SecretName>,
    /// The host key (`ssh-ed25519 AAAA…`), for CI without a known_hosts.
    pub host_key: Option<String>,
    /// known_hosts file in place of the user's own.
    pub known_hosts: Option<PathBuf>,
    /// How root is become.
    pub become_: Become,
    /// For TCP and the handshake.
    pub connect_timeout: Duration,
    /// For one exchange, silence of this long ends it.
    pub command_timeout: Duration,
}

/// See [`Access::client`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshClient {
    /// The `ssh2` crate.
    Ssh2,
    /// The system's `ssh`.
    OpenSsh,
}

/// How root is become on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Become {
    /// Not at all: the login is root already.
    No,
    /// `sudo`, with a password where the host wants one.
    Sudo(Option<SecretName>),
    /// `doas`, without a password.
    Doas,
}
