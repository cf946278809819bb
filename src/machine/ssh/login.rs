//! Proving who we are: agent, key files, password, in the order that bothers a person last.

use std::path::Path;
use std::sync::Once;
use std::time::Instant;

use libssh2_sys::{
    LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND,
};
use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt, Session};

use super::hop::Hop;
use super::key_file::{KeyFile, beside, public};
use super::wire::{Stuck, Wire, through};
use super::words;
use crate::machine::MachineError;
use crate::machine::known_hosts::HostKey;
use crate::machine::shell::Passphrases;
use crate::secret::Secret;

/// Logs in.
///
/// No `none` request goes first to ask for the methods: it costs a round trip for each host, and a key
/// that is refused says as much.
pub(super) fn login(
    hop: &Hop,
    session: &Session,
    wire: &Wire,
    passphrases: &Passphrases,
) -> Result<(), MachineError> {
    let mut attempt = Attempt {
        hop,
        session,
        wire,
        tried: Vec::new(),
        late: false,
        hung_up: false,
    };
    let mut locked = Vec::new();
    let done = attempt.agent()
        || hop.identities.iter().any(|file| match KeyFile::read(file) {
            Ok(key) if key.encrypted => {
                locked.push((file, key));
                false
            }
            Ok(key) => attempt.key(file, &key, None),
            // The usual keys need not be there; one that somebody named should.
            Err(error) => {
                if hop.identities_only {
                    attempt.tried.push(format!("{} ({error})", file.display()));
                }
                false
            }
        })
        || locked
            .into_iter()
            .any(|(file, key)| attempt.locked_key(file, &key, passphrases))
        || hop
            .password
            .as_ref()
            .is_some_and(|password| attempt.password(password));
    if done {
        return Ok(());
    }
    if attempt.late {
        return Err(words::lost(hop, "it took too long over the login"));
    }
    let offers = attempt.offers();
    Err(words::no_login(
        hop,
        &attempt.tried,
        offers.as_deref(),
        attempt.hung_up,
    ))
}

struct Attempt<'a> {
    hop: &'a Hop,
    session: &'a Session,
    wire: &'a Wire,
    tried: Vec<String>,
    late: bool,
    hung_up: bool,
}

impl Attempt<'_> {
    /// Runs one method; `name` is for the case that it fails.
    fn run(&mut self, name: String, step: impl FnMut() -> Result<(), ssh2::Error>) -> bool {
        if self.late || self.hung_up {
            return false;
        }
        // Each method has the time of a handshake: a person may have typed a passphrase before it.
        let deadline = Instant::now() + self.hop.timeout;
        match through(self.session, self.wire, deadline, step) {
            Ok(()) => return true,
            Err(Stuck::Late) => {
                self.late = true;
                self.tried.push(name);
            }
            Err(Stuck::Failed(error)) => {
                // Where the server hangs up in place of an answer, libssh2's code is that of a refusal.
                self.hung_up = error.message().starts_with("Waiting for")
                    || matches!(
                        error.code(),
                        ErrorCode::Session(
                            LIBSSH2_ERROR_SOCKET_DISCONNECT
                                | LIBSSH2_ERROR_SOCKET_RECV
                                | LIBSSH2_ERROR_SOCKET_SEND
                        )
                    );
                self.tried.push(format!("{name} ({})", error.message()));
            }
        }
        false
    }

    fn agent(&mut self) -> bool {
        let Some(socket) = &self.hop.agent else {
            return false;
        };
        let keys = self.session.agent().and_then(|mut agent| {
            agent.set_identity_path(socket)?;
            agent.connect()?;
            agent.list_identities()?;
            let keys = agent.identities()?;
            Ok((agent, keys))
        });
        let (agent, mut keys) = match keys {
            Ok(found) => found,
            Err(error) => {
                self.tried.push(format!(
                    "the agent at {} ({})",
                    socket.display(),
                    error.message()
                ));
                return false;
            }
        };
        // sshd hangs up after a few wrong keys, so the named ones go first, and alone if so wished.
        let named: Vec<HostKey> = self
            .hop
            .identities
            .iter()
            .filter_map(|file| public(file))
            .collect();
        let is_named = |blob: &[u8]| named.iter().any(|key| key.blob() == blob);
        if self.hop.identities_only {
            keys.retain(|key| is_named(key.blob()));
        }
        keys.sort_by_key(|key| !is_named(key.blob()));
        keys.iter().any(|key| {
            let name = format!("agent key {}", HostKey::new(key.blob()).fingerprint());
            self.run(name, || agent.userauth(&self.hop.user, key))
        })
    }

    /// A key's certificate, where one lies beside it, and the key itself.
    fn key(&mut self, file: &Path, key: &KeyFile, passphrase: Option<&Secret>) -> bool {
        let (session, user) = (self.session, &self.hop.user);
        let passphrase = passphrase.map(Secret::expose);
        let certificate = beside(file, "-cert.pub");
        if certificate.exists()
            && self.run(certificate.display().to_string(), || {
                session.userauth_pubkey_file(user, Some(&certificate), file, passphrase)
            })
        {
            return true;
        }
        warm_up();
        self.run(file.display().to_string(), || {
            session.userauth_pubkey_memory(user, key.public.as_deref(), &key.text, passphrase)
        })
    }

    fn locked_key(&mut self, file: &Path, key: &KeyFile, passphrases: &Passphrases) -> bool {
        if self.late || self.hung_up {
            return false;
        }
        let passphrase = self.hop.passphrase.clone().or_else(|| passphrases.of(file));
        match passphrase {
            Some(passphrase) => self.key(file, key, Some(&passphrase)),
            None => {
                self.tried
                    .push(format!("{} (no passphrase)", file.display()));
                false
            }
        }
    }

    /// By `password`, or by `keyboard-interactive` where PAM asks.
    fn password(&mut self, password: &Secret) -> bool {
        let (session, user) = (self.session, &self.hop.user);
        let offers = self.offers().unwrap_or_default();
        if offers.contains("password")
            && self.run("password".to_owned(), || {
                session.userauth_password(user, password.expose())
            })
        {
            return true;
        }
        let mut answer = Answer(password);
        offers.contains("keyboard-interactive")
            && self.run("keyboard-interactive".to_owned(), || {
                session.userauth_keyboard_interactive(user, &mut answer)
            })
    }

    /// What the server accepts.
    fn offers(&self) -> Option<String> {
        if self.hung_up || self.late {
            return None;
        }
        let deadline = Instant::now() + self.hop.timeout;
        through(self.session, self.wire, deadline, || {
            self.session.auth_methods(&self.hop.user).map(str::to_owned)
        })
        .ok()
    }
}

/// Lets OpenSSL look up once how keys are read. It remembers that, but each of many threads that ask at the same
/// time looks it up anew, and that costs more than the signature. A session that is not connected only reads.
fn warm_up() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        if let Ok(session) = Session::new() {
            let _ = session.userauth_pubkey_memory("", None, "no key", None);
        }
    });
}

/// The password for every hidden prompt; nothing for what would be shown, which is no password.
struct Answer<'a>(&'a Secret);

impl KeyboardInteractivePrompt for Answer<'_> {
    fn prompt(&mut self, _: &str, _: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        prompts
            .iter()
            .map(|prompt| {
                if prompt.echo {
                    String::new()
                } else {
                    self.0.expose().to_owned()
                }
            })
            .collect()
    }
}
