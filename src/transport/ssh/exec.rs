//! One program on one channel: the pump over stdin, stdout and stderr.
//!
//! libssh2 remembers a packet that the socket took only in part, and must be called with the very same
//! operation until the rest is gone: any other one fails and leaves the session unusable. So an operation
//! that is stuck while *sending* is repeated alone ([`Turn::HalfSent`]); sshd reads on whatever it has to
//! write itself, so this cannot lock up.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use ssh2::{Channel, Session};

use super::wire::{Wire, again, interest, through};
use crate::exchange::MachineError;
use crate::transport::Exit;
use crate::transport::conversation::Conversation;

/// While the host works in silence, it hears from us this often: firewalls forget quiet connections.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// A program that has ended has little left to say: so long may the last packet of its channel take.
const LAST_WORD: Duration = Duration::from_secs(10);

/// Standard error's number among a channel's streams (RFC 4254, 5.2).
const STDERR: i32 = 1;

/// Bytes read at once: what a packet may hold (RFC 4253, 6.1).
const BUFFER: usize = 32 * 1024;

/// Where the pump stands between two polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Everything that could be done was done.
    Idle,
    /// This operation has a packet half sent.
    HalfSent(Step),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    Stdout,
    Stderr,
    Stdin,
    Eof,
}

/// How one step went.
enum Went {
    On,
    Blocked,
    Over,
}

/// Why there is no exit.
pub(super) enum Broken {
    /// The server does not start the program.
    Refused(String),
    /// The conversation ended it.
    Ended(MachineError),
}

/// A program on its channel.
pub(super) struct Program<'a, 'b> {
    pub(super) session: &'a Session,
    pub(super) wire: &'a Arc<Wire>,
    pub(super) channel: Channel,
    pub(super) line: String,
    pub(super) conversation: &'a mut Conversation<'b>,
    started: bool,
    eof_sent: bool,
    buffer: Vec<u8>,
}

impl<'a, 'b> Program<'a, 'b> {
    pub(super) fn new(
        session: &'a Session,
        wire: &'a Arc<Wire>,
        channel: Channel,
        line: String,
        conversation: &'a mut Conversation<'b>,
    ) -> Self {
        Self {
            session,
            wire,
            channel,
            line,
            conversation,
            started: false,
            eof_sent: false,
            buffer: vec![0; BUFFER],
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) -> Result<Exit, Broken> {
        self.session
            .set_keepalive(true, u32::try_from(KEEPALIVE.as_secs()).unwrap_or(15));
        let mut turn = Turn::Idle;
        loop {
            turn = match self.turn(turn) {
                Ok(turn) => turn,
                Err(Stop::Lost(why)) => return Ok(Exit::Lost(why)),
                Err(Stop::Broken(broken)) => return Err(broken),
            };
            if turn == Turn::Idle && self.started && self.channel.eof() {
                return Ok(self.exit().await);
            }
            match self.conversation.patience() {
                Ok(patience) => self.sleep(turn, patience).await,
                Err(why) => return Ok(Exit::Lost(why)),
            }
        }
    }

    /// Does all that can be done without waiting.
    fn turn(&mut self, turn: Turn) -> Result<Turn, Stop> {
        let first = match turn {
            Turn::HalfSent(step) => Some(step),
            Turn::Idle => None,
        };
        let others = [
            Step::Start,
            Step::Stdin,
            Step::Eof,
            Step::Stdout,
            Step::Stderr,
        ];
        let others = others.into_iter().filter(|step| Some(*step) != first);
        for step in first.into_iter().chain(others) {
            loop {
                match self.step(step)? {
                    Went::On => {}
                    Went::Over => break,
                    Went::Blocked if interest(self.session).contains(PollFlags::OUT) => {
                        return Ok(Turn::HalfSent(step));
                    }
                    Went::Blocked => break,
                }
            }
        }
        Ok(Turn::Idle)
    }

    fn step(&mut self, step: Step) -> Result<Went, Stop> {
        match step {
            Step::Start if self.started => Ok(Went::Over),
            // Standard input follows the request without waiting for its answer: sshd reads in order, and
            // one exchange costs two round trips in place of three.
            Step::Start => match self.channel.exec(&self.line) {
                Ok(()) => {
                    self.started = true;
                    Ok(Went::Over)
                }
                Err(error) if again(&error) => Ok(Went::Blocked),
                Err(error) => Err(Stop::Broken(Broken::Refused(error.message().to_owned()))),
            },
            Step::Stdin => {
                let bytes = self.conversation.to_write();
                if bytes.is_empty() {
                    return Ok(Went::Over);
                }
                match self.channel.write(bytes) {
                    Ok(0) => Ok(Went::Blocked),
                    Ok(count) => {
                        self.conversation.wrote(count);
                        Ok(Went::On)
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Went::Blocked),
                    // The program is over and reads no more; what it said is still to be read. Where the
                    // connection is gone, reading says so.
                    Err(_) => {
                        self.conversation.abandon_input();
                        Ok(Went::Over)
                    }
                }
            }
            Step::Eof if self.eof_sent || !self.conversation.input_is_over() => Ok(Went::Over),
            Step::Eof => match self.channel.send_eof() {
                Err(error) if again(&error) => Ok(Went::Blocked),
                _ => {
                    self.eof_sent = true;
                    Ok(Went::Over)
                }
            },
            Step::Stdout | Step::Stderr => self.read(step),
        }
    }

    fn read(&mut self, step: Step) -> Result<Went, Stop> {
        let stream = if step == Step::Stderr { STDERR } else { 0 };
        match self.channel.stream(stream).read(&mut self.buffer) {
            Ok(0) => Ok(Went::Over),
            Ok(count) => {
                let bytes = self.buffer.get(..count).unwrap_or_default();
                if step == Step::Stderr {
                    self.conversation
                        .heard_stderr(bytes)
                        .map_err(|error| Stop::Broken(Broken::Ended(error)))?;
                } else {
                    self.conversation.heard_stdout(bytes);
                }
                Ok(Went::On)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Went::Blocked),
            Err(error) => Err(Stop::Lost(lost(&error))),
        }
    }

    /// Polls, and keeps a quiet connection alive.
    async fn sleep(&self, turn: Turn, patience: Duration) {
        let flags = match turn {
            Turn::HalfSent(_) => PollFlags::OUT,
            // A password may have to follow what was just heard.
            Turn::Idle if self.can_write() => PollFlags::IN | PollFlags::OUT,
            Turn::Idle => PollFlags::IN,
        };
        let started = Instant::now();
        self.wire
            .ready(flags, started + patience.min(KEEPALIVE))
            .await;
        if turn == Turn::Idle && started.elapsed() >= KEEPALIVE {
            let _ = self.session.keepalive_send();
        }
    }

    /// Whether there is something to write that no full window holds back.
    fn can_write(&self) -> bool {
        !self.conversation.to_write().is_empty() && self.channel.write_window().remaining > 0
    }

    /// How the program ended. The signal first: the exit status of a killed program reads 0.
    async fn exit(mut self) -> Exit {
        let deadline = Instant::now() + self.conversation.patience().unwrap_or(LAST_WORD);
        let (session, wire) = (self.session, self.wire);
        if let Err(stuck) = through(session, wire, deadline, || self.channel.wait_close()).await {
            return Exit::Lost(stuck.to_string());
        }
        match self.channel.exit_signal() {
            Ok(signal) => match signal.exit_signal {
                Some(name) => Exit::Signal(name),
                None => match self.channel.exit_status() {
                    Ok(code) => Exit::Code(code),
                    Err(error) => Exit::Lost(error.message().to_owned()),
                },
            },
            Err(error) => Exit::Lost(error.message().to_owned()),
        }
    }
}

enum Stop {
    Lost(String),
    Broken(Broken),
}

fn lost(error: &io::Error) -> String {
    format!("the connection broke: {error}")
}
