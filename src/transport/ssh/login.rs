//! The login: agent, key files, then password. Methods that ask a person come last.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use async_io::block_on;
use blocking::unblock;
use libssh2_sys::{
    LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND,
};
use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt, Session};

use super::errors;
use super::hop::Hop;
use super::key_file::{KeyFile, beside, public};
use super::wire::{StepError, Wire, complete};
use crate::exchange::MachineError;
use crate::secret::Secret;
use crate::transport::deadline::until;
use crate::transport::known_hosts::HostKey;
use crate::transport::limits::{AGENT, FLOOD, LOGIN_TIMEOUTS};
use crate::transport::options::ConnectOptions;
use crate::transport::passphrases::Passphrases;

/// Logs in.
///
/// It sends no `none` request to ask for the methods: that costs a round trip for each host, and the refusal of a key
/// lists them too.
pub(super) async fn login(
    hop: &Hop,
    session: &Session,
    wire: &Arc<Wire>,
    options: &ConnectOptions,
) -> Result<(), MachineError> {
    let mut attempt = Attempt {
        hop,
        session,
        wire,
        tried: Vec::new(),
        left: hop.timeout.saturating_mul(LOGIN_TIMEOUTS),
        given_up: None,
        hung_up: false,
    };
    if attempt.try_all(options).await {
        return Ok(());
    }
    if let Some(why) = &attempt.given_up {
        return Err(errors::connection_lost(hop, why));
    }
    let offers = attempt.offers().await;
    Err(errors::login_refused(
        hop,
        &attempt.tried,
        offers.as_deref(),
        attempt.hung_up,
    ))
}

struct Attempt<'a> {
    hop: &'a Hop,
    session: &'a Session,
    wire: &'a Arc<Wire>,
    tried: Vec<String>,
    /// How long the host may still take for its answers.
    left: Duration,
    /// Why the login ended early, if it did: the host was too slow, or sent too much.
    given_up: Option<String>,
    hung_up: bool,
}

impl Attempt<'_> {
    /// Tries each method in turn until one succeeds.
    async fn try_all(&mut self, options: &ConnectOptions) -> bool {
        let hop = self.hop;
        if self.agent().await {
            return true;
        }
        let mut encrypted = Vec::new();
        for file in &hop.identities {
            match options
                .files
                .keys
                .of(file, |file| KeyFile::read(file).map(Arc::new))
            {
                Ok(key) if key.encrypted => encrypted.push((file, key)),
                Ok(key) => {
                    if self.key(file, &key, None).await {
                        return true;
                    }
                }
                // The default keys need not exist; a configured one should.
                Err(error) if hop.identities_only || error.kind() != ErrorKind::NotFound => {
                    self.tried.push(format!("{} ({error})", file.display()));
                }
                Err(_) => {}
            }
        }
        for (file, key) in encrypted {
            if self.encrypted_key(file, &key, &options.passphrases).await {
                return true;
            }
        }
        match &hop.password {
            Some(password) => self.password(password).await,
            None => false,
        }
    }

    /// Runs one method. `name` appears in the error if it fails.
    async fn run(&mut self, name: String, step: impl FnMut() -> Result<(), ssh2::Error>) -> bool {
        if self.given_up.is_some() || self.hung_up {
            return false;
        }
        // Each method has the whole time of a handshake: a person may have typed a passphrase before it.
        let begun = Instant::now();
        let deadline = begun + self.hop.timeout.min(self.left);
        let result = complete(self.session, self.wire, deadline, step).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        match result {
            Ok(()) => return true,
            Err(StepError::TimedOut) => {
                self.given_up = Some("the login timed out".to_owned());
                self.tried.push(name);
            }
            Err(StepError::Flooded) => self.given_up = Some(FLOOD.to_owned()),
            Err(StepError::Failed(error)) => {
                // If the server closes the connection in place of an answer, libssh2 returns the code of a refusal.
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

    /// Tries the keys of the agent, on another thread: an agent may ask a person before it signs, and libssh2 blocks
    /// meanwhile.
    async fn agent(&mut self) -> bool {
        let Some(socket) = self.hop.agent.clone() else {
            return false;
        };
        let hop = self.hop.clone();
        let (session, wire) = (self.session.clone(), Arc::clone(self.wire));
        let tried = std::mem::take(&mut self.tried);
        let left = self.left;
        let work = move || {
            let mut inner = Attempt {
                hop: &hop,
                session: &session,
                wire: &wire,
                tried,
                left,
                given_up: None,
                hung_up: false,
            };
            let done = block_on(inner.agent_keys(&socket));
            (done, inner.tried, inner.left, inner.given_up, inner.hung_up)
        };
        let Some(result) = until(Instant::now() + AGENT, unblock(work)).await else {
            // Its thread still holds the session, which must not be used any more.
            let why = format!("the agent has not answered within {} s", AGENT.as_secs());
            self.given_up = Some(why);
            return false;
        };
        let done;
        (done, self.tried, self.left, self.given_up, self.hung_up) = result;
        done
    }

    async fn agent_keys(&mut self, socket: &Path) -> bool {
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
        // sshd closes the connection after a few wrong keys, so configured keys come first.
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
        let user = &self.hop.user;
        for key in &keys {
            let name = format!("agent key {}", HostKey::new(key.blob()).fingerprint());
            if self.run(name, || agent.userauth(user, key)).await {
                return true;
            }
        }
        false
    }

    /// Tries a key: first with its certificate, if there is one beside it, then alone.
    async fn key(&mut self, file: &Path, key: &KeyFile, passphrase: Option<&Secret>) -> bool {
        let (session, user) = (self.session, &self.hop.user);
        let passphrase = passphrase.map(Secret::expose);
        let certificate = beside(file, "-cert.pub");
        if certificate.exists()
            && self
                .run(certificate.display().to_string(), || {
                    session.userauth_pubkey_file(user, Some(&certificate), file, passphrase)
                })
                .await
        {
            return true;
        }
        warm_up();
        self.run(file.display().to_string(), || {
            session.userauth_pubkey_memory(user, key.public.as_deref(), &key.text, passphrase)
        })
        .await
    }

    async fn encrypted_key(
        &mut self,
        file: &Path,
        key: &KeyFile,
        passphrases: &Arc<Passphrases>,
    ) -> bool {
        if self.given_up.is_some() || self.hung_up {
            return false;
        }
        let passphrase = match self.hop.passphrase.clone() {
            Some(passphrase) => Some(passphrase),
            None => {
                // This waits for a person, directly or behind another host.
                let (passphrases, file) = (Arc::clone(passphrases), file.to_owned());
                unblock(move || passphrases.of(&file)).await
            }
        };
        match passphrase {
            Some(passphrase) => self.key(file, key, Some(&passphrase)).await,
            None => {
                self.tried
                    .push(format!("{} (no passphrase)", file.display()));
                false
            }
        }
    }

    /// Tries `password`, then `keyboard-interactive`, which PAM may use.
    async fn password(&mut self, password: &Secret) -> bool {
        let (session, user) = (self.session, &self.hop.user);
        let offers = self.offers().await.unwrap_or_default();
        if offers.contains("password")
            && self
                .run("password".to_owned(), || {
                    session.userauth_password(user, password.expose())
                })
                .await
        {
            return true;
        }
        let mut answer = Answer(password);
        offers.contains("keyboard-interactive")
            && self
                .run("keyboard-interactive".to_owned(), || {
                    session.userauth_keyboard_interactive(user, &mut answer)
                })
                .await
    }

    /// The methods that the server accepts.
    async fn offers(&self) -> Option<String> {
        if self.hung_up || self.given_up.is_some() {
            return None;
        }
        let deadline = Instant::now() + self.hop.timeout.min(self.left);
        complete(self.session, self.wire, deadline, || {
            self.session.auth_methods(&self.hop.user).map(str::to_owned)
        })
        .await
        .ok()
    }
}

/// Lets OpenSSL find its key decoders once. It keeps them, but threads that ask at the same time each search for
/// themselves, which costs more than the signature. A session that is not connected only parses the key.
fn warm_up() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        if let Ok(session) = Session::new() {
            let _ = session.userauth_pubkey_memory("", None, "no key", None);
        }
    });
}

/// Answers each hidden prompt with the password, and each visible one with nothing.
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
