//! Hosts by the ssh2 crate: no process for each host, and one connection for all exchanges of a run.
//!
//! A session never blocks, and is pumped by `poll` against deadlines: the ways in which libssh2's blocking mode
//! locks up or waits for ever stay away by that. One thread pumps the sessions of many hosts (`async-io`).

mod errors;
mod exec;
mod handshake;
mod hop;
pub(in crate::transport) mod key_file;
pub(in crate::transport) mod limits;
mod login;
mod tunnel;
mod wire;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_io::{Timer, block_on};
use ssh2::{Channel, Session};

use crate::access::Access;
use crate::exchange::MachineError;
use crate::name::HostName;
use crate::secret::Secrets;
use crate::task::Task;
use crate::transport::become_root::Escalation;
use crate::transport::conversation::Conversation;
use crate::transport::options::ConnectOptions;
use crate::transport::{Exit, Request, Response, Shell};
use exec::{Broken, Program};
use handshake::{Trouble, Trust, shake};
use hop::{Hop, Way};
pub use limits::HandshakeLimits;
use wire::{Wire, through};

/// How often sshd is asked again when it hangs up before its first word.
const TRIES: u32 = 10;

/// The first pause between two tries; it doubles each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(150);

/// All pauses together are some 25 seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A channel's window. A larger one lets 64 MB through with fewer adjustments; memory is used only when the
/// other side is faster than we are.
const WINDOW: u32 = 2 * 1024 * 1024;

/// Bytes in one packet, as OpenSSH has them.
const PACKET: u32 = 32 * 1024;

/// A host by ssh2.
pub struct Ssh {
    way: Way,
    options: ConnectOptions,
    means: Escalation,
    line: Option<Line>,
}

/// A session that is logged in, and the wire below it.
struct Line {
    session: Session,
    wire: Arc<Wire>,
}

impl Drop for Line {
    fn drop(&mut self) {
        // No word of farewell (RFC 4253, 11.1): the end of the stream says as much, and a packet more for
        // each host costs a hundredth of a look.
        self.wire.cut();
    }
}

impl std::fmt::Debug for Ssh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ssh")
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

impl Ssh {
    /// Connects and logs in.
    pub(in crate::transport) async fn connect(
        name: &HostName,
        access: &Access,
        options: &ConnectOptions,
        secrets: &Secrets,
        means: Escalation,
    ) -> Result<Self, MachineError> {
        let mut ssh = Self {
            way: hop::way(name, access, options, secrets).await?,
            options: options.clone(),
            means,
            line: None,
        };
        ssh.line = Some(ssh.dial().await?);
        Ok(ssh)
    }

    /// Goes the whole way, and again where an sshd on it has too many others just now.
    async fn dial(&self) -> Result<Line, MachineError> {
        let mut pause = FIRST_PAUSE;
        let mut tried = 1;
        loop {
            let (hop, words) = match self.dial_once().await {
                Ok(line) => return Ok(line),
                Err((_, Trouble::Final(error))) => return Err(error),
                Err((hop, Trouble::Dropped(words))) => (hop, words),
            };
            if tried >= TRIES {
                return Err(errors::dropped(hop, tried, &words));
            }
            Timer::after(pause + jitter(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            tried += 1;
        }
    }

    async fn dial_once(&self) -> Result<Line, (&Hop, Trouble)> {
        let (mut hop, rest) = (&self.way.first, &self.way.rest);
        let mut line = self
            .reach(hop, None)
            .await
            .map_err(|trouble| (hop, trouble))?;
        for next in rest {
            line = self
                .reach(next, Some((line, hop)))
                .await
                .map_err(|trouble| (next, trouble))?;
            hop = next;
        }
        Ok(line)
    }

    /// Goes one hop further: connection, handshake, trust, login.
    async fn reach(&self, hop: &Hop, before: Option<(Line, &Hop)>) -> Result<Line, Trouble> {
        let trust = Trust::load(hop, self.options.accept_new).map_err(Trouble::Final)?;
        let _turn = self.options.limits.turn(&hop.to_string()).await;
        let deadline = Instant::now() + hop.timeout;
        let wire = match before {
            None => Wire::connect(&hop.address, hop.port, deadline).await,
            Some((line, jump)) => tunnel::dig(jump, hop, line, deadline).await,
        };
        let wire = wire.map_err(Trouble::Final)?;
        match shake(hop, &wire, &trust, deadline).await {
            Ok(session) => {
                let line = Line { session, wire };
                login::login(hop, &line.session, &line.wire, &self.options)
                    .await
                    .map_err(Trouble::Final)?;
                Ok(line)
            }
            Err(trouble) => {
                wire.cut();
                Err(trouble)
            }
        }
    }

    /// A channel of the session that is there, or of a new one: before the program starts nothing is lost by
    /// beginning anew, and a connection may have died while a person read the plan.
    async fn channel(&mut self, deadline: Instant) -> Result<(Channel, &Line), MachineError> {
        let reused = match &self.line {
            Some(line) => line.open(deadline).await.ok(),
            None => None,
        };
        let channel = match reused {
            Some(channel) => channel,
            None => {
                self.line = None;
                let line = self.dial().await?;
                let channel = line
                    .open(Instant::now() + self.target().timeout)
                    .await
                    .map_err(|words| errors::no_exec(self.target(), &words))?;
                self.line = Some(line);
                channel
            }
        };
        match &self.line {
            Some(line) => Ok((channel, line)),
            None => Err(errors::lost(self.target(), "it is gone")),
        }
    }

    fn target(&self) -> &Hop {
        self.way.rest.last().unwrap_or(&self.way.first)
    }
}

impl Line {
    async fn open(&self, deadline: Instant) -> Result<Channel, String> {
        through(&self.session, &self.wire, deadline, || {
            self.session.channel_open("session", WINDOW, PACKET, None)
        })
        .await
        .map_err(|stuck| stuck.to_string())
    }
}

/// Up to as much again: hosts that were dropped together shall not come back together.
fn jitter(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let share = u32::try_from(random % 1000).unwrap_or_default();
    pause * share / 1000
}

impl Ssh {
    async fn converse(&mut self, request: &Request) -> Result<Response, MachineError> {
        let gate = self.means.gate();
        let command = gate.line(&request.command);
        let deadline = Instant::now() + self.target().timeout;
        let (channel, line) = self.channel(deadline).await?;
        let mut conversation = Conversation::new(request, gate);
        let program = Program::new(
            &line.session,
            &line.wire,
            channel,
            command,
            &mut conversation,
        );
        match program.run().await {
            Ok(exit) => {
                // What is left of a broken exchange must not meet the next one.
                if matches!(exit, Exit::Lost(_)) {
                    self.line = None;
                }
                conversation.finish(exit)
            }
            Err(Broken::Refused(words)) => {
                self.line = None;
                Err(errors::no_exec(self.target(), &words))
            }
            Err(Broken::Ended(error)) => {
                self.line = None;
                Err(error)
            }
        }
    }
}

impl Shell for Ssh {
    fn exchange(&mut self, request: &Request) -> Result<Response, MachineError> {
        block_on(self.converse(request))
    }

    fn exchanging<'a>(
        &'a mut self,
        request: &'a Request,
    ) -> Task<'a, Result<Response, MachineError>> {
        Box::pin(self.converse(request))
    }
}
