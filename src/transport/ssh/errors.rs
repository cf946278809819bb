//! The errors of a connection: what failed, why, and what to do.

use std::io;

use super::hop::Hop;
use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::transport::known_hosts::{HostKey, LineLocation};
use crate::transport::limits::FLOOD;

fn unreachable(summary: String, detail: Option<String>, hint: Option<String>) -> MachineError {
    MachineError::Unreachable(Failure {
        summary,
        detail,
        hint,
    })
}

pub(super) fn name_not_resolved(host: &str, error: &io::Error) -> MachineError {
    unreachable(
        format!("the name `{host}` has no address"),
        Some(error.to_string()),
        Some("set `ssh.address`".to_owned()),
    )
}

pub(super) fn connection_failed(host: &str, port: u16, error: &io::Error) -> MachineError {
    let summary = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("{host} refuses connections on port {port}"),
        io::ErrorKind::TimedOut => format!("{host} does not answer on port {port}"),
        _ => format!("cannot connect to {host} on port {port}"),
    };
    unreachable(
        summary,
        Some(error.to_string()),
        Some("check that sshd runs there and that no firewall blocks the port".to_owned()),
    )
}

pub(super) fn handshake_timed_out(hop: &Hop) -> MachineError {
    unreachable(
        format!(
            "{hop} accepted the connection but did not finish the SSH handshake within {} s",
            hop.timeout.as_secs_f32()
        ),
        None,
        Some("check that sshd listens on that port, or raise `ssh.connect_timeout`".to_owned()),
    )
}

pub(super) fn closed_before_handshake(hop: &Hop, tries: u32, detail: &str) -> MachineError {
    unreachable(
        format!("{hop} closed the connection before the SSH handshake {tries} times"),
        Some(detail.to_owned()),
        Some(
            "raise `MaxStartups` in its sshd_config, or run again when fewer clients log in"
                .to_owned(),
        ),
    )
}

pub(super) fn handshake_failed(hop: &Hop, detail: &str) -> MachineError {
    unreachable(
        format!("the SSH handshake with {hop} failed"),
        Some(detail.to_owned()),
        Some("use `ssh: {client: openssh}` if its sshd offers only old algorithms".to_owned()),
    )
}

/// The peer has sent more than it may before the login.
pub(super) fn handshake_flooded(hop: &Hop) -> MachineError {
    unreachable(
        format!("the SSH handshake with {hop} was given up"),
        Some(FLOOD.to_owned()),
        Some("check that sshd listens on that port".to_owned()),
    )
}

pub(super) fn jump_refused(hop: &Hop, jump: &Hop, detail: &str) -> MachineError {
    unreachable(
        format!("the jump host {jump} cannot connect to {hop}"),
        Some(detail.to_owned()),
        Some(
            "check that it can reach the host, and that its sshd has `AllowTcpForwarding yes`"
                .to_owned(),
        ),
    )
}

pub(super) fn host_key_revoked(hop: &Hop, key: &HostKey, place: &LineLocation) -> MachineError {
    unreachable(
        format!(
            "{hop} has the key {} ({}), which {place} revokes",
            key.fingerprint(),
            key.kind()
        ),
        None,
        Some("do not connect: a revoked key may be known to an attacker".to_owned()),
    )
}

pub(super) fn host_key_changed(hop: &Hop, key: &HostKey, place: &LineLocation) -> MachineError {
    unreachable(
        format!(
            "the key of {hop} has changed: it is {} ({}), but {place} has another",
            key.fingerprint(),
            key.kind()
        ),
        None,
        Some(format!(
            "if the host was reinstalled, compare the fingerprint and remove line {} of {}; if not, \
             an attacker may intercept the connection",
            place.line,
            place.file.display()
        )),
    )
}

pub(super) fn host_key_differs_from_manifest(
    hop: &Hop,
    key: &HostKey,
    wanted: &HostKey,
) -> MachineError {
    unreachable(
        format!(
            "the key of {hop} is {} ({}), but `ssh.host_key` in the manifest is {}",
            key.fingerprint(),
            key.kind(),
            wanted.fingerprint()
        ),
        None,
        Some(
            "if the host was reinstalled, correct the manifest; if not, an attacker may intercept the connection"
                .to_owned(),
        ),
    )
}

pub(super) fn host_key_unknown(hop: &Hop, key: &HostKey) -> MachineError {
    unreachable(
        format!(
            "{hop} is not in any known_hosts file; its key is {} ({})",
            key.fingerprint(),
            key.kind()
        ),
        None,
        Some(
            "compare the fingerprint, then run once with `--accept-new`, or set `ssh.host_key`"
                .to_owned(),
        ),
    )
}

pub(super) fn known_hosts_unreadable(file: &std::path::Path, error: &io::Error) -> MachineError {
    unreachable(
        format!("cannot read `{}`", file.display()),
        Some(error.to_string()),
        None,
    )
}

pub(super) fn known_hosts_not_written(file: &std::path::Path, error: &io::Error) -> MachineError {
    unreachable(
        format!("cannot add the new host to `{}`", file.display()),
        Some(error.to_string()),
        None,
    )
}

pub(super) fn login_refused(
    hop: &Hop,
    tried: &[String],
    offers: Option<&str>,
    hung_up: bool,
) -> MachineError {
    let tried = if tried.is_empty() {
        "nothing: there is no key, agent or password".to_owned()
    } else {
        tried.join("; ")
    };
    let hint = if hung_up {
        "set `ssh.identity_file` to the right key: the server closed the connection after too many tries (`MaxAuthTries`)"
    } else {
        "set `ssh.identity_file`, load the key into the agent, or set `ssh.password`"
    };
    unreachable(
        format!("cannot log in to {hop} as {}", hop.user),
        Some(match offers {
            Some(offers) => format!("tried: {tried}; it accepts: {offers}"),
            None => format!("tried: {tried}"),
        }),
        Some(hint.to_owned()),
    )
}

pub(super) fn connection_lost(hop: &Hop, detail: &str) -> MachineError {
    unreachable(
        format!("the connection to {hop} was lost"),
        Some(detail.to_owned()),
        None,
    )
}

pub(super) fn command_refused(hop: &Hop, detail: &str) -> MachineError {
    MachineError::Unfit(Failure {
        summary: format!("cannot run a command on {hop} as {}", hop.user),
        detail: Some(detail.to_owned()),
        hint: Some(
            "check `ForceCommand` in its sshd_config, and the login shell of that user".to_owned(),
        ),
    })
}
