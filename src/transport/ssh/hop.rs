//! One sshd on the way to a host, and the way: jump hosts first, the host last.

use std::path::PathBuf;
use std::time::Duration;

use crate::access::Access;
use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::name::HostName;
use crate::secret::{Secret, Secrets};
use crate::transport::known_hosts::HostKey;
use crate::transport::options::ConnectOptions;
use crate::transport::ssh_config::{self, Settings};

/// A chain of jump hosts longer than this is a loop.
const LONGEST_WAY: usize = 8;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    /// What is connected to.
    pub(super) address: String,
    /// The port.
    pub(super) port: u16,
    /// The login name.
    pub(super) user: String,
    /// The names under which known_hosts may have it.
    pub(super) names: Vec<String>,
    /// Private keys, in order; whether somebody named them, or they are the usual ones.
    pub(super) identities: Vec<PathBuf>,
    /// Only these keys, even of an agent.
    pub(super) identities_only: bool,
    /// The agent's socket.
    pub(super) agent: Option<PathBuf>,
    /// The passphrase of its keys.
    pub(super) passphrase: Option<Secret>,
    /// The login password.
    pub(super) password: Option<Secret>,
    /// The one key that it must have.
    pub(super) host_key: Option<HostKey>,
    /// The user's known_hosts files, the first of which learns new hosts.
    pub(super) known_hosts: Vec<PathBuf>,
    /// The system's.
    pub(super) global_known_hosts: Vec<PathBuf>,
    /// Whether new names are written hashed.
    pub(super) hash_known_hosts: bool,
    /// For TCP and the handshake.
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

/// The hops to a host, which is the last of them.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// What is connected to from here.
    pub(super) first: Hop,
    /// What is reached through the one before.
    pub(super) rest: Vec<Hop>,
}

/// The way to a host: what the manifest says, and ssh_config(5) where it says nothing.
pub(super) async fn way(
    name: &HostName,
    access: &Access,
    options: &ConnectOptions,
    secrets: &Secrets,
) -> Result<Way, MachineError> {
    let ssh = access;
    let alias = ssh.address.as_deref().unwrap_or(name.as_str());
    let alias = alias.trim_start_matches('[').trim_end_matches(']');
    let environment = &options.environment;
    let settings = ssh_config::resolve(
        alias,
        ssh.user.as_deref(),
        ssh.port,
        environment,
        &options.files,
    )
    .await?;
    let secret = |name: &Option<_>| match name {
        None => Ok(None),
        Some(name) => secrets.get(name).cloned().map(Some).ok_or_else(|| {
            MachineError::Unfit(Failure {
                summary: format!("the secret `{name}` has not been read"),
                detail: None,
                hint: None,
            })
        }),
    };
    let mut hop = hop(alias, &settings, options, ssh.connect_timeout);
    if let Some(user) = &ssh.user {
        hop.user.clone_from(user);
    }
    hop.port = ssh.port.unwrap_or(hop.port);
    if !hop.names.iter().any(|name| name == name.as_str()) {
        hop.names.push(name.to_string());
    }
    if let Some(file) = &ssh.identity_file {
        hop.identities = vec![file.clone()];
        hop.identities_only = true;
    }
    hop.passphrase = secret(&ssh.passphrase)?;
    hop.password = secret(&ssh.password)?;
    if let Some(file) = &ssh.known_hosts {
        hop.known_hosts = vec![file.clone()];
    }
    if let Some(text) = &ssh.host_key {
        hop.host_key = Some(HostKey::parse(text).ok_or_else(|| {
            MachineError::Unreachable(Failure {
                summary: "`ssh.host_key` is no host key".to_owned(),
                detail: None,
                hint: Some(
                    "it looks like `ssh-ed25519 AAAA…`, as `ssh-keyscan` shows it".to_owned(),
                ),
            })
        })?);
    }
    let jump = ssh
        .jump
        .clone()
        .or(settings.proxy_jump)
        .filter(|jump| jump != "none");
    let mut hops = match jump {
        Some(jump) => jumps(&jump, &hop, options, 0).await?.into_iter(),
        None => Vec::new().into_iter(),
    };
    Ok(match hops.next() {
        Some(first) => Way {
            first,
            rest: hops.chain([hop]).collect(),
        },
        None => Way {
            first: hop,
            rest: Vec::new(),
        },
    })
}

/// The hops of `[user@]host[:port],…`; the first may have a jump host of its own.
async fn jumps(
    text: &str,
    target: &Hop,
    options: &ConnectOptions,
    depth: usize,
) -> Result<Vec<Hop>, MachineError> {
    let wrong = |summary: String| {
        MachineError::Unreachable(Failure {
            summary,
            detail: None,
            hint: Some("a jump host is written `[user@]host[:port]`, several by commas".to_owned()),
        })
    };
    if depth >= LONGEST_WAY {
        return Err(wrong(format!("the jump hosts of `{text}` never end")));
    }
    let mut way = Vec::new();
    for (index, part) in text.split(',').enumerate() {
        let part = part.trim();
        let (user, address, port) =
            parse(part).ok_or_else(|| wrong(format!("`{part}` is no jump host")))?;
        let settings =
            ssh_config::resolve(address, user, port, &options.environment, &options.files).await?;
        let mut hop = hop(address, &settings, options, target.timeout);
        if let Some(user) = user {
            user.clone_into(&mut hop.user);
        }
        hop.port = port.unwrap_or(hop.port);
        // A CI job has one key for all: what opens the host may open the bastion.
        for identity in &target.identities {
            if !hop.identities.contains(identity) {
                hop.identities.push(identity.clone());
            }
        }
        hop.passphrase.clone_from(&target.passphrase);
        hop.known_hosts.clone_from(&target.known_hosts);
        let before = settings
            .proxy_jump
            .filter(|jump| jump != "none" && index == 0);
        if let Some(before) = before {
            way.extend(Box::pin(jumps(&before, &hop, options, depth + 1)).await?);
        }
        way.push(hop);
    }
    Ok(way)
}

fn parse(text: &str) -> Option<(Option<&str>, &str, Option<u16>)> {
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, text),
    };
    let (address, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => match rest.split_once(':') {
            Some((address, port)) if !port.contains(':') => (address, Some(port)),
            _ => (rest, None),
        },
    };
    let port = match port {
        Some(port) => Some(port.parse().ok()?),
        None => None,
    };
    (!address.is_empty() && user != Some("")).then_some((user, address, port))
}

/// A hop as ssh_config(5) has it.
fn hop(alias: &str, settings: &Settings, options: &ConnectOptions, timeout: Duration) -> Hop {
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::parse;

    #[test]
    fn jump_hosts_are_read_as_ssh_reads_them() {
        assert_eq!(parse("bastion"), Some((None, "bastion", None)));
        assert_eq!(
            parse("me@bastion:2222"),
            Some((Some("me"), "bastion", Some(2222)))
        );
        assert_eq!(
            parse("me@[2001:db8::1]:22"),
            Some((Some("me"), "2001:db8::1", Some(22)))
        );
        assert_eq!(parse("2001:db8::1"), Some((None, "2001:db8::1", None)));
        assert_eq!(parse("bastion:port"), None);
        assert_eq!(parse("@bastion"), None);
    }
}
