//! The SSH handshake, and the check of the host key.

use std::sync::Arc;
use std::time::Instant;

use ssh2::{MethodType, Session};

use super::errors;
use super::hop::Hop;
use super::wire::{StepError, Wire, complete};
use crate::exchange::MachineError;
use crate::transport::known_hosts::{self, HostKey, KeyTrust, KnownHosts};

// What both sides have of this is taken in our order (RFC 4253, 7.1). All of it is strong; the order is by
// cost, as a run may greet thousands of hosts: one exchange over P-256 (as strong as X25519 and as cheap here, and
// cheaper for OpenSSH's server, which computes X25519 in portable C), AES with hardware support and its
// authentication in the same pass, and ChaCha20 where the server has no AES-GCM. The hybrid with ML-KEM goes
// first: it costs a tenth of a millisecond, and passwords that pass today shall not be read in twenty years.
// SHA-1, CBC and the 1024-bit group are not there at all. Compression stays off (libssh2's default): an
// exchange is a few KiB, and a compressor for each session costs more memory and CPU than it saves.
const KEY_EXCHANGES: &str = "mlkem768x25519-sha256,ecdh-sha2-nistp256,curve25519-sha256,curve25519-sha256@libssh.org,\
    ecdh-sha2-nistp384,ecdh-sha2-nistp521,\
    diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,\
    diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256";
const CIPHERS: &str = "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,\
    aes128-ctr,aes192-ctr,aes256-ctr";
const MACS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,\
    hmac-sha2-256,hmac-sha2-512";

/// Plain keys only: a server with a host certificate would otherwise send that, and no line of known_hosts names a
/// certificate.
const HOST_KEYS: [(&str, &str); 5] = [
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512,rsa-sha2-256"),
];

/// Why there is no session.
pub(super) enum DialError {
    /// sshd closed the connection before its greeting, as it does where `MaxStartups` is reached: try again.
    Closed(String),
    /// Any other error: do not try again.
    Final(MachineError),
}

/// The known host keys, read once for a hop.
pub(super) struct Trust {
    known: KnownHosts,
    accept_new: bool,
}

impl Trust {
    /// Reads the known_hosts files, unless the manifest has the key.
    pub(super) fn load(hop: &Hop, accept_new: bool) -> Result<Self, MachineError> {
        let known = if hop.host_key.is_some() {
            KnownHosts::default()
        } else {
            let files = [
                hop.known_hosts.as_slice(),
                hop.global_known_hosts.as_slice(),
            ]
            .concat();
            KnownHosts::load(&files)
                .map_err(|(file, error)| errors::known_hosts_unreadable(&file, &error))?
        };
        Ok(Self { known, accept_new })
    }

    /// The host key algorithms in the order of preference. Known kinds come first, as the server would otherwise send a
    /// key that cannot be compared.
    fn preference(&self, hop: &Hop) -> String {
        let mut known: Vec<String> = match &hop.host_key {
            Some(key) => vec![key.kind().to_owned()],
            None => Vec::new(),
        };
        for name in &hop.names {
            known.extend(self.known.kinds(name, hop.port));
        }
        let mut order = HOST_KEYS;
        order.sort_by_key(|(kind, _)| {
            known
                .iter()
                .position(|known| known == kind)
                .unwrap_or(known.len())
        });
        order.map(|(_, algorithms)| algorithms).join(",")
    }

    /// Checks that the key belongs to the host.
    fn verify(&self, hop: &Hop, key: &HostKey) -> Result<(), MachineError> {
        if let Some(wanted) = &hop.host_key {
            return if wanted == key {
                Ok(())
            } else {
                Err(errors::host_key_differs_from_manifest(hop, key, wanted))
            };
        }
        let mut trusted = false;
        let mut changed = None;
        for name in &hop.names {
            match self.known.check(name, hop.port, key) {
                KeyTrust::Revoked(place) => return Err(errors::host_key_revoked(hop, key, &place)),
                KeyTrust::Trusted => trusted = true,
                KeyTrust::Changed(place) => {
                    changed.get_or_insert(place);
                }
                KeyTrust::Unknown => {}
            }
        }
        match changed {
            _ if trusted => Ok(()),
            Some(place) => Err(errors::host_key_changed(hop, key, &place)),
            None if self.accept_new => record_key(hop, key),
            None => Err(errors::host_key_unknown(hop, key)),
        }
    }
}

fn record_key(hop: &Hop, key: &HostKey) -> Result<(), MachineError> {
    let (Some(file), Some(name)) = (hop.known_hosts.first(), hop.names.first()) else {
        return Err(errors::host_key_unknown(hop, key));
    };
    let line = if hop.hash_known_hosts {
        known_hosts::hashed_entry(name, hop.port, key)
    } else {
        known_hosts::entry(name, hop.port, key)
    };
    known_hosts::add(file, &line).map_err(|error| errors::known_hosts_not_written(file, &error))
}

/// Performs the handshake and checks the host key, before it sends any credentials.
pub(super) async fn handshake(
    hop: &Hop,
    wire: &Arc<Wire>,
    trust: &Trust,
    deadline: Instant,
) -> Result<Session, DialError> {
    let failed =
        |error: ssh2::Error| DialError::Final(errors::handshake_failed(hop, error.message()));
    let mut session = Session::new().map_err(failed)?;
    let host_keys = trust.preference(hop);
    for (method, names) in [
        (MethodType::Kex, KEY_EXCHANGES),
        (MethodType::HostKey, host_keys.as_str()),
        (MethodType::CryptCs, CIPHERS),
        (MethodType::CryptSc, CIPHERS),
        (MethodType::MacCs, MACS),
        (MethodType::MacSc, MACS),
    ] {
        session.method_pref(method, names).map_err(failed)?;
    }
    session.set_tcp_stream(Arc::clone(wire));
    session.set_blocking(false);
    // `handshake` borrows the session mutably. A session is a handle, so a clone serves for waiting.
    let watched = session.clone();
    match complete(&watched, wire, deadline, || session.handshake()).await {
        Ok(()) => {}
        Err(StepError::TimedOut) => return Err(DialError::Final(errors::handshake_timed_out(hop))),
        Err(StepError::Flooded) => {
            return Err(DialError::Final(errors::handshake_flooded(hop)));
        }
        Err(StepError::Failed(error)) => {
            // The code is that of the socket; only the message tells that no greeting was received.
            let ungreeted = error.message() == "Failed getting banner";
            return Err(if ungreeted {
                DialError::Closed(error.message().to_owned())
            } else {
                failed(error)
            });
        }
    }
    wire.greeted(session.banner());
    let key = session.host_key().map(|(blob, _)| HostKey::new(blob));
    let Some(key) = key else {
        return Err(DialError::Final(errors::handshake_failed(
            hop,
            "the server sent no host key",
        )));
    };
    trust.verify(hop, &key).map_err(DialError::Final)?;
    Ok(session)
}
