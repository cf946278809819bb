//! One program on one channel: the only loop that reads from an SSH channel of a program.
//!
//! libssh2 remembers a packet that the socket took only in part. The same operation must then be called until the rest
//! is sent; any other operation fails and makes the session unusable. So an operation that blocks while *sending* is
//! repeated alone ([`Turn::HalfSent`]). This cannot deadlock: sshd reads even while it cannot write.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use ssh2::{Channel, Session};

use super::wire::{Wire, again, complete, interest};
use crate::exchange::MachineError;
use crate::transport::conversation::Conversation;
use crate::transport::limits::FLOOD;
use crate::transport::shell::ProgramExit;

/// How long a connection is quiet before a keepalive message: firewalls forget quiet connections.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How long to wait for the last packet of a channel whose program has ended.
const LAST_WORD: Duration = Duration::from_secs(10);

/// Standard error's number among a channel's streams (RFC 4254, 5.2).
const STDERR: i32 = 1;

/// Bytes read at once: the size of a packet (RFC 4253, 6.1).
const BUFFER: usize = 32 * 1024;

/// The state of the loop between two waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Every operation has done what it can without waiting.
    Idle,
    /// This operation has sent a part of a packet.
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
enum Progress {
    Again,
    Blocked,
    Done,
}

/// Why a program has no exit.
pub(super) enum ProgramError {
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
    pub(super) command_line: String,
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
        command_line: String,
        conversation: &'a mut Conversation<'b>,
    ) -> Self {
        Self {
            session,
            wire,
            channel,
            command_line,
            conversation,
            started: false,
            eof_sent: false,
            buffer: vec![0; BUFFER],
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) -> Result<ProgramExit, ProgramError> {
        self.session
            .set_keepalive(true, u32::try_from(KEEPALIVE.as_secs()).unwrap_or(15));
        let mut turn = Turn::Idle;
        loop {
            turn = match self.turn(turn) {
                Ok(turn) => turn,
                Err(PumpError::Lost(why)) => return Ok(ProgramExit::Lost(why)),
                Err(PumpError::ProgramError(broken)) => return Err(broken),
            };
            if turn == Turn::Idle && self.started && self.channel.eof() {
                return Ok(self.exit().await);
            }
            if self.wire.flooded() {
                return Ok(ProgramExit::Overrun(FLOOD.to_owned()));
            }
            match self.conversation.time_left() {
                Ok(time_left) => self.wait_for_socket(turn, time_left).await,
                Err(exit) => return Ok(exit),
            }
        }
    }

    /// Does all that can be done without waiting.
    fn turn(&mut self, turn: Turn) -> Result<Turn, PumpError> {
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
                    Progress::Again => {}
                    Progress::Done => break,
                    Progress::Blocked if interest(self.session).contains(PollFlags::OUT) => {
                        return Ok(Turn::HalfSent(step));
                    }
                    Progress::Blocked => break,
                }
            }
        }
        Ok(Turn::Idle)
    }

    fn step(&mut self, step: Step) -> Result<Progress, PumpError> {
        match step {
            Step::Start if self.started => Ok(Progress::Done),
            // Standard input follows the request without waiting for its answer: sshd reads in order, and
            // one exchange costs two round trips in place of three.
            Step::Start => match self.channel.exec(&self.command_line) {
                Ok(()) => {
                    self.started = true;
                    Ok(Progress::Done)
                }
                Err(error) if again(&error) => Ok(Progress::Blocked),
                Err(error) => Err(PumpError::ProgramError(ProgramError::Refused(
                    error.message().to_owned(),
                ))),
            },
            Step::Stdin => {
                let bytes = self.conversation.to_write();
                if bytes.is_empty() {
                    return Ok(Progress::Done);
                }
                match self.channel.write(bytes) {
                    Ok(0) => Ok(Progress::Blocked),
                    Ok(count) => {
                        self.conversation.wrote(count);
                        Ok(Progress::Again)
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Blocked),
                    // The program reads no more, but its output is still read. If the connection is lost, reading
                    // reports that.
                    Err(_) => {
                        self.conversation.abandon_input();
                        Ok(Progress::Done)
                    }
                }
            }
            Step::Eof if self.eof_sent || !self.conversation.input_is_complete() => {
                Ok(Progress::Done)
            }
            Step::Eof => match self.channel.send_eof() {
                Err(error) if again(&error) => Ok(Progress::Blocked),
                _ => {
                    self.eof_sent = true;
                    Ok(Progress::Done)
                }
            },
            Step::Stdout | Step::Stderr => self.read(step),
        }
    }

    fn read(&mut self, step: Step) -> Result<Progress, PumpError> {
        let stream = if step == Step::Stderr { STDERR } else { 0 };
        match self.channel.stream(stream).read(&mut self.buffer) {
            Ok(0) => Ok(Progress::Done),
            Ok(count) => {
                self.wire.delivered(count);
                let bytes = self.buffer.get(..count).unwrap_or_default();
                if step == Step::Stderr {
                    self.conversation
                        .received_stderr(bytes)
                        .map_err(|error| PumpError::ProgramError(ProgramError::Ended(error)))?;
                } else {
                    self.conversation.received_stdout(bytes);
                }
                Ok(Progress::Again)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Progress::Blocked),
            Err(error) => Err(PumpError::Lost(lost(&error))),
        }
    }

    /// Waits for the socket, and sends a keepalive message on a quiet connection.
    async fn wait_for_socket(&self, turn: Turn, time_left: Duration) {
        let flags = match turn {
            Turn::HalfSent(_) => PollFlags::OUT,
            // What was just received may need an answer, such as a password.
            Turn::Idle if self.can_write() => PollFlags::IN | PollFlags::OUT,
            Turn::Idle => PollFlags::IN,
        };
        let started = Instant::now();
        self.wire
            .ready(flags, started + time_left.min(KEEPALIVE))
            .await;
        if turn == Turn::Idle && started.elapsed() >= KEEPALIVE {
            let _ = self.session.keepalive_send();
        }
    }

    /// Whether there is input to write and the window has room.
    fn can_write(&self) -> bool {
        !self.conversation.to_write().is_empty() && self.channel.write_window().remaining > 0
    }

    /// How the program ended. The signal comes first, as the exit status of a killed program reads 0.
    async fn exit(mut self) -> ProgramExit {
        let deadline = Instant::now() + self.conversation.time_left().unwrap_or(LAST_WORD);
        let (session, wire) = (self.session, self.wire);
        if let Err(error) = complete(session, wire, deadline, || self.channel.wait_close()).await {
            return ProgramExit::Lost(error.to_string());
        }
        match self.channel.exit_signal() {
            Ok(signal) => match signal.exit_signal {
                Some(name) => ProgramExit::Signal(name),
                None => match self.channel.exit_status() {
                    Ok(code) => ProgramExit::Code(code),
                    Err(error) => ProgramExit::Lost(error.message().to_owned()),
                },
            },
            Err(error) => ProgramExit::Lost(error.message().to_owned()),
        }
    }
}

enum PumpError {
    Lost(String),
    ProgramError(ProgramError),
}

fn lost(error: &io::Error) -> String {
    format!("the connection broke: {error}")
}
