//! The only loop that reads from a child process: it carries a conversation over its three streams.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::conversation::Conversation;
use crate::exchange::MachineError;
use crate::transport::become_root::Escalation;
use crate::transport::limits::ExchangeLimits;
use crate::transport::shell::{ProgramExit, ProgramRequest, ProgramResponse};

/// Starts `command` with three pipes, in a process group of its own: Ctrl-C at the terminal must not end an exchange
/// that has begun.
pub(in crate::transport) fn spawn(command: &mut Command) -> std::io::Result<Child> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// Carries the conversation to its end, and ends the child.
///
/// # Errors
/// Those of the conversation.
pub(in crate::transport) fn converse(
    mut child: Child,
    mut conversation: Conversation<'_>,
) -> Result<ProgramResponse, MachineError> {
    let exit = match pump(&mut child, &mut conversation) {
        Ok(exit) => exit,
        Err(error) => {
            end(&mut child);
            return Err(error);
        }
    };
    if matches!(exit, ProgramExit::Lost(_) | ProgramExit::Overrun(_)) {
        end(&mut child);
    }
    conversation.finish(exit)
}

/// Runs a program of this client without input, such as `ssh -G`. It ends within `time`, or is killed.
///
/// # Errors
/// Where it cannot be started.
pub(in crate::transport) fn run(
    command: &mut Command,
    time: Duration,
) -> std::io::Result<ProgramResponse> {
    let request = ProgramRequest {
        command: String::new(),
        stdin: Vec::new().into(),
        limits: ExchangeLimits::client_program(time),
    };
    let child = spawn(command)?;
    let conversation = Conversation::new(&request, Escalation::None.sudo_prompt());
    converse(child, conversation).map_err(std::io::Error::other)
}

struct Streams {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

fn pump(
    child: &mut Child,
    conversation: &mut Conversation<'_>,
) -> Result<ProgramExit, MachineError> {
    let mut streams = Streams {
        stdin: child.stdin.take(),
        stdout: child.stdout.take(),
        stderr: child.stderr.take(),
    };
    if let Err(error) = streams.unblock() {
        return Ok(ProgramExit::Lost(error.to_string()));
    }
    let mut buffer = vec![0; 64 * 1024];
    while streams.stdout.is_some() || streams.stderr.is_some() {
        if conversation.input_is_complete() {
            streams.stdin = None;
        }
        let time_left = match conversation.time_left() {
            Ok(time_left) => time_left,
            Err(exit) => return Ok(exit),
        };
        let writing = !conversation.to_write().is_empty();
        if let Err(error) = streams.wait(writing, time_left) {
            return Ok(ProgramExit::Lost(error.to_string()));
        }
        if writing {
            streams.write(conversation);
        }
        if let Some(count) = read(&mut streams.stdout, &mut buffer) {
            conversation.received_stdout(buffer.get(..count).unwrap_or_default());
        }
        if let Some(count) = read(&mut streams.stderr, &mut buffer) {
            conversation.received_stderr(buffer.get(..count).unwrap_or_default())?;
        }
    }
    drop(streams.stdin);
    Ok(reap(child, conversation))
}

impl Streams {
    fn unblock(&self) -> rustix::io::Result<()> {
        if let Some(stream) = &self.stdin {
            rustix::io::ioctl_fionbio(stream, true)?;
        }
        if let Some(stream) = &self.stdout {
            rustix::io::ioctl_fionbio(stream, true)?;
        }
        if let Some(stream) = &self.stderr {
            rustix::io::ioctl_fionbio(stream, true)?;
        }
        Ok(())
    }

    fn wait(&self, writing: bool, time_left: Duration) -> rustix::io::Result<()> {
        let mut fds = Vec::with_capacity(3);
        if let Some(stream) = &self.stdout {
            fds.push(PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN));
        }
        if let Some(stream) = &self.stderr {
            fds.push(PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN));
        }
        if let Some(stream) = self.stdin.as_ref().filter(|_| writing) {
            fds.push(PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::OUT));
        }
        wait(&mut fds, time_left)
    }

    fn write(&mut self, conversation: &mut Conversation<'_>) {
        let Some(stdin) = &mut self.stdin else {
            return conversation.abandon_input();
        };
        match stdin.write(conversation.to_write()) {
            Ok(count) => conversation.wrote(count),
            Err(error) if again(&error) => {}
            // It reads no more input, but its output is still read.
            Err(_) => conversation.abandon_input(),
        }
    }
}

/// Polls once. An interrupted poll returns early; every caller repeats it.
pub(in crate::transport) fn wait(
    fds: &mut [PollFd<'_>],
    time_left: Duration,
) -> rustix::io::Result<()> {
    let timeout = Timespec::try_from(time_left).map_err(|_| rustix::io::Errno::INVAL)?;
    match poll(fds, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error),
    }
}

fn again(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Reads once. A stream that has ended or failed becomes `None`.
fn read(stream: &mut Option<impl Read>, buffer: &mut [u8]) -> Option<usize> {
    match stream.as_mut()?.read(buffer) {
        Ok(count) if count > 0 => Some(count),
        Err(error) if again(&error) => None,
        _ => {
            *stream = None;
            None
        }
    }
}

/// Waits for a child that has closed its outputs. Nearly always it has exited already.
fn reap(child: &mut Child, conversation: &Conversation<'_>) -> ProgramExit {
    let mut pause = Duration::from_micros(500);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return exit(status),
            Ok(None) => {}
            Err(error) => return ProgramExit::Lost(error.to_string()),
        }
        if let Err(exit) = conversation.time_left() {
            return exit;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Kills a child and its process group.
pub(in crate::transport) fn end(child: &mut Child) {
    // The process has not been waited for, so its id cannot belong to another one.
    if let Ok(None) = child.try_wait() {
        let group = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn exit(status: ExitStatus) -> ProgramExit {
    match (status.code(), status.signal()) {
        (Some(code), _) => ProgramExit::Code(code),
        (None, Some(signal)) => ProgramExit::Signal(signal_name(signal)),
        (None, None) => ProgramExit::Lost("its exit status is unknown".to_owned()),
    }
}

/// A signal's name as SSH gives it (RFC 4254, 6.10): without `SIG`.
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        6 => "ABRT",
        8 => "FPE",
        9 => "KILL",
        11 => "SEGV",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        other => return other.to_string(),
    }
    .to_owned()
}
