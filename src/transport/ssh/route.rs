//! The route to a host: its jump hosts in order, and the host itself.

use crate::access::Access;
use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::name::HostName;
use crate::secret::Secrets;
use crate::transport::known_hosts::HostKey;
use crate::transport::options::ConnectOptions;
use crate::transport::ssh_config;

use super::hop::{Hop, hop};

/// A chain of jump hosts longer than this is a loop.
const LONGEST_ROUTE: usize = 8;

/// The hops to a host. The host is the last.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The hop that this workstation connects to.
    pub(super) first: Hop,
    /// The following hops, each through the one before it.
    pub(super) rest: Vec<Hop>,
}

/// The route to a host, from the manifest, and from ssh_config(5) for what the manifest does not set.
pub(super) async fn route(
    name: &HostName,
    access: &Access,
    options: &ConnectOptions,
    secrets: &Secrets,
) -> Result<Route, MachineError> {
    let alias = access.address.as_deref().unwrap_or(name.as_str());
    let alias = alias.trim_start_matches('[').trim_end_matches(']');
    let settings = ssh_config::resolve(
        alias,
        access.user.as_deref(),
        access.port,
        &options.environment,
        &options.files,
    )
    .await?;
    let mut hop = hop(alias, &settings, options, access.connect_timeout);
    if !hop.names.iter().any(|name| name == name.as_str()) {
        hop.names.push(name.to_string());
    }
    set_login(&mut hop, access, secrets)?;
    set_host_keys(&mut hop, access)?;
    let jump = access.jump.clone().or(settings.proxy_jump);
    let before = match jump.filter(|jump| jump != "none") {
        Some(jump) => jumps(&jump, &hop, options, 0).await?,
        None => Vec::new(),
    };
    let mut hops = before.into_iter();
    Ok(match hops.next() {
        Some(first) => Route {
            first,
            rest: hops.chain([hop]).collect(),
        },
        None => Route {
            first: hop,
            rest: Vec::new(),
        },
    })
}

/// Takes over what the manifest says of the login.
///
/// # Errors
/// `Unfit` where a secret has not been read.
fn set_login(hop: &mut Hop, access: &Access, secrets: &Secrets) -> Result<(), MachineError> {
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
    if let Some(user) = &access.user {
        hop.user.clone_from(user);
    }
    hop.port = access.port.unwrap_or(hop.port);
    if let Some(file) = &access.identity_file {
        hop.identities = vec![file.clone()];
        hop.identities_only = true;
    }
    hop.passphrase = secret(&access.passphrase)?;
    hop.password = secret(&access.password)?;
    Ok(())
}

/// Takes over what the manifest says of the host's keys.
///
/// # Errors
/// `Unreachable` where `ssh.host_key` is no key.
fn set_host_keys(hop: &mut Hop, access: &Access) -> Result<(), MachineError> {
    if let Some(file) = &access.known_hosts {
        hop.known_hosts = vec![file.clone()];
    }
    if let Some(text) = &access.host_key {
        hop.host_key = Some(HostKey::parse(text).ok_or_else(|| {
            MachineError::Unreachable(Failure {
                summary: "`ssh.host_key` is not a host key".to_owned(),
                detail: None,
                hint: Some(
                    "write it like `ssh-ed25519 AAAA…`, as `ssh-keyscan` prints it".to_owned(),
                ),
            })
        })?);
    }
    Ok(())
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
            hint: Some("write jump hosts as `[user@]host[:port]`, separated by commas".to_owned()),
        })
    };
    if depth >= LONGEST_ROUTE {
        return Err(wrong(format!("the jump hosts of `{text}` form a loop")));
    }
    let mut route = Vec::new();
    for (index, part) in text.split(',').enumerate() {
        let part = part.trim();
        let (user, address, port) =
            parse(part).ok_or_else(|| wrong(format!("`{part}` is not a jump host")))?;
        let settings =
            ssh_config::resolve(address, user, port, &options.environment, &options.files).await?;
        let mut hop = hop(address, &settings, options, target.timeout);
        if let Some(user) = user {
            user.clone_into(&mut hop.user);
        }
        hop.port = port.unwrap_or(hop.port);
        // A CI job often has one key for everything, so the keys of the host are also tried on the jump host.
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
            route.extend(Box::pin(jumps(&before, &hop, options, depth + 1)).await?);
        }
        route.push(hop);
    }
    Ok(route)
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
