//! One sshd on the route to a host, and how to log in there.

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;
use crate::transport::known_hosts::HostKey;
use crate::transport::options::ConnectOptions;
use crate::transport::ssh_config::{self, Settings};

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    /// The address to connect to.
    pub(super) address: String,
    /// The port.
    pub(super) port: u16,
    /// The login name.
    pub(super) user: String,
    /// Its names in known_hosts.
    pub(super) names: Vec<String>,
    /// Private keys, in order.
    pub(super) identities: Vec<PathBuf>,
    /// Use only these keys, even from an agent.
    pub(super) identities_only: bool,
    /// The agent's socket.
    pub(super) agent: Option<PathBuf>,
    /// The passphrase of its keys.
    pub(super) passphrase: Option<Secret>,
    /// The login password.
    pub(super) password: Option<Secret>,
    /// The key that it must have, from the manifest.
    pub(super) host_key: Option<HostKey>,
    /// The user's known_hosts files. New hosts are added to the first.
    pub(super) known_hosts: Vec<PathBuf>,
    /// The system's known_hosts files.
    pub(super) global_known_hosts: Vec<PathBuf>,
    /// Whether names are hashed in new lines.
    pub(super) hash_known_hosts: bool,
    /// The time for TCP and the handshake.
    pub(super) timeout: Duration,
}

impl std::fmt::Display for Hop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.port == 22 {
            f.write_str(&self.address)
        } else if self.address.contains(':') {
            write!(f, "[{}]:{}", self.address, self.port)
        } else {
            write!(f, "{}:{}", self.address, self.port)
        }
    }
}

/// A hop with the settings of ssh_config(5).
pub(super) fn hop(
    alias: &str,
    settings: &Settings,
    options: &ConnectOptions,
    timeout: Duration,
) -> Hop {
    let environment = &options.environment;
    let home = &environment.home;
    let address = settings
        .host_name
        .clone()
        .unwrap_or_else(|| alias.to_owned());
    let ssh = home.join(".ssh");
    Hop {
        names: vec![
            settings
                .host_key_alias
                .clone()
                .unwrap_or_else(|| address.clone()),
        ],
        address,
        port: settings.port.unwrap_or(22),
        user: settings
            .user
            .clone()
            .unwrap_or_else(|| environment.user.clone()),
        identities: if settings.identity_files.is_empty() {
            ssh_config::default_identities(home)
        } else {
            settings.identity_files.clone()
        },
        identities_only: settings.identities_only,
        agent: match settings.identity_agent.as_deref() {
            Some("none") => None,
            None | Some("SSH_AUTH_SOCK") => environment.agent.clone(),
            Some(path) => Some(environment.expand(path)),
        },
        passphrase: None,
        password: None,
        host_key: None,
        known_hosts: settings
            .known_hosts
            .clone()
            .unwrap_or_else(|| vec![ssh.join("known_hosts"), ssh.join("known_hosts2")]),
        global_known_hosts: settings.global_known_hosts.clone().unwrap_or_else(|| {
            vec![
                "/etc/ssh/ssh_known_hosts".into(),
                "/etc/ssh/ssh_known_hosts2".into(),
            ]
        }),
        hash_known_hosts: settings.hash_known_hosts,
        timeout,
    }
}
