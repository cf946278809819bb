//! How a host is reached, in a saved plan.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{Access, Become, SshClient};
use crate::secret::SecretName;

/// How a host is reached. What is none or false is not in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedAccess {
    /// Whether the system's `ssh` is used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub openssh: bool,
    /// What is connected to; the host's name where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Login name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// TCP port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Jump hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<String>,
    /// A private key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_file: Option<PathBuf>,
    /// The name of the secret that is its passphrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub passphrase: Option<SecretName>,
    /// The name of the secret that is the login's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub password: Option<SecretName>,
    /// The host key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
    /// The known_hosts file in place of the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_hosts: Option<PathBuf>,
    /// How root is become.
    #[serde(rename = "become")]
    pub become_: SavedBecome,
    /// Seconds for TCP and the handshake.
    pub connect_timeout: u64,
    /// Seconds of silence that end an exchange.
    pub command_timeout: u64,
}

/// How root is become on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SavedBecome {
    /// Not at all.
    No,
    /// `sudo` without a password.
    Sudo,
    /// `sudo` with the password of this secret.
    SudoWith(#[schemars(with = "String")] SecretName),
    /// `doas`.
    Doas,
}

impl SavedAccess {
    /// The names of the secrets of the login.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        let become_ = match &self.become_ {
            SavedBecome::SudoWith(name) => Some(name),
            SavedBecome::No | SavedBecome::Sudo | SavedBecome::Doas => None,
        };
        [self.passphrase.as_ref(), self.password.as_ref(), become_]
            .into_iter()
            .flatten()
    }
}

impl From<&Access> for SavedAccess {
    fn from(access: &Access) -> Self {
        let access = access.clone();
        Self {
            openssh: access.client == SshClient::OpenSsh,
            address: access.address,
            user: access.user,
            port: access.port,
            jump: access.jump,
            identity_file: access.identity_file,
            passphrase: access.passphrase,
            password: access.password,
            host_key: access.host_key,
            known_hosts: access.known_hosts,
            become_: match access.become_ {
                Become::No => SavedBecome::No,
                Become::Sudo(None) => SavedBecome::Sudo,
                Become::Sudo(Some(name)) => SavedBecome::SudoWith(name),
                Become::Doas => SavedBecome::Doas,
            },
            connect_timeout: access.connect_timeout.as_secs(),
            command_timeout: access.command_timeout.as_secs(),
        }
    }
}

impl From<&SavedAccess> for Access {
    fn from(saved: &SavedAccess) -> Self {
        let saved = saved.clone();
        Self {
            client: match saved.openssh {
                true => SshClient::OpenSsh,
                false => SshClient::Ssh2,
            },
            address: saved.address,
            user: saved.user,
            port: saved.port,
            jump: saved.jump,
            identity_file: saved.identity_file,
            passphrase: saved.passphrase,
            password: saved.password,
            host_key: saved.host_key,
            known_hosts: saved.known_hosts,
            become_: match saved.become_ {
                SavedBecome::No => Become::No,
                SavedBecome::Sudo => Become::Sudo(None),
                SavedBecome::SudoWith(name) => Become::Sudo(Some(name)),
                SavedBecome::Doas => Become::Doas,
            },
            connect_timeout: Duration::from_secs(saved.connect_timeout),
            command_timeout: Duration::from_secs(saved.command_timeout),
        }
    }
}
