//! What is said when a host cannot be reached: what, why, and what to do.

use std::io;

use super::hop::Hop;
use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::transport::known_hosts::{HostKey, LineLocation};

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
        Some("give one by `ssh.address`".to_owned()),
    )
}

pub(super) fn connection_failed(host: &str, port: u16, error: &io::Error) -> MachineError {
    let summary = match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("{host} refuses connections on port {port}"),
        io::ErrorKind::TimedOut => format!("{host} does not answer on port {port}"),
        _ => format!("there is no connection to {host} on port {port}"),
    };
    unreachable(
        summary,
        Some(error.to_string()),
        Some("see that sshd runs there and that no firewall is in between".to_owned()),
    )
}

pub(super) fn handshake_timed_out(hop: &Hop) -> MachineError {
    unreachable(
        format!(
            "{hop} took the connection and did not finish the SSH handshake within {} s",
            hop.timeout.as_secs_f32()
        ),
        None,
        Some(
            "see that it is sshd that listens there; `ssh.connect_timeout` gives it longer"
                .to_owned(),
        ),
    )
}

pub(super) fn closed_before_handshake(hop: &Hop, tries: u32, detail: &str) -> MachineError {
    unreachable(
        format!("{hop} hung up before the SSH handshake, {tries} times"),
        Some(detail.to_owned()),
        Some("its `MaxStartups` may be too low for others that log in there now".to_owned()),
    )
}

pub(super) fn handshake_failed(hop: &Hop, detail: &str) -> MachineError {
    unreachable(
        format!("the SSH handshake with {hop} failed"),
        Some(detail.to_owned()),
        Some(
            "an sshd with old algorithms only may be reached by `ssh: {client: openssh}`"
                .to_owned(),
        ),
    )
}

pub(super) fn jump_refused(hop: &Hop, jump: &Hop, detail: &str) -> MachineError {
    unreachable(
        format!("the jump host {jump} gives no connection to {hop}"),
        Some(detail.to_owned()),
        Some(
            "see that it may reach the host, and that its sshd has `AllowTcpForwarding`".to_owned(),
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
        Some("whoever revoked it thinks that it is in wrong hands: do not connect".to_owned()),
    )
}

pub(super) fn host_key_changed(hop: &Hop, key: &HostKey, place: &LineLocation) -> MachineError {
    unreachable(
        format!(
            "{hop} has the key {} ({}), and {place} knows it by another",
            key.fingerprint(),
            key.kind()
        ),
        None,
        Some(format!(
            "somebody may be listening in; if the host was set up anew, compare the fingerprint and \
             remove line {} of {}",
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
            "{hop} has the key {} ({}), and the manifest's `ssh.host_key` is {}",
            key.fingerprint(),
            key.kind(),
            wanted.fingerprint()
        ),
        None,
        Some(
            "somebody may be listening in; if the host was set up anew, correct the manifest"
                .to_owned(),
        ),
    )
}

pub(super) fn host_key_unknown(hop: &Hop, key: &HostKey) -> MachineError {
    unreachable(
        format!(
            "{hop} is in no known_hosts; its key is {} ({})",
            key.fingerprint(),
            key.kind()
        ),
        None,
        Some(
            "compare the fingerprint, then run once with `--accept-new`, or give `ssh.host_key`"
                .to_owned(),
        ),
    )
}

pub(super) fn known_hosts_unreadable(file: &std::path::Path, error: &io::Error) -> MachineError {
    unreachable(
        format!("{} cannot be read", file.display()),
        Some(error.to_string()),
        None,
    )
}

pub(super) fn known_hosts_not_written(file: &std::path::Path, error: &io::Error) -> MachineError {
    unreachable(
        format!("the new host cannot be written down in {}", file.display()),
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
        "nothing, as there is no key, agent or password".to_owned()
    } else {
        tried.join("; ")
    };
    let hint = if hung_up {
        "it hung up after too many tries (`MaxAuthTries`): name one key by `ssh.identity_file`"
    } else {
        "name a key by `ssh.identity_file`, load it into the agent, or give `ssh.password`"
    };
    unreachable(
        format!("{hop} does not let {} log in", hop.user),
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
        summary: format!("{hop} runs no commands for {}", hop.user),
        detail: Some(detail.to_owned()),
        hint: Some("see its `ForceCommand`, and the login shell of that user".to_owned()),
    })
}
