//! Runs a program of this client whose output and time have a limit.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

/// What is allowed to a program.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long it may run.
    pub time: Duration,
    /// How many bytes it may print.
    pub bytes: u64,
}

/// Bytes of error messages that are kept.
const MESSAGES: u64 = 4096;

/// How a program ended.
#[derive(Debug)]
pub enum Ended {
    /// It could not be started.
    NotStarted(io::Error),
    /// It ran for too long and was killed, with all that it had started.
    TimedOut,
    /// It printed more than was allowed and was killed.
    TooMuch,
    /// It ended.
    Done {
        /// With this status.
        status: ExitStatus,
        /// What it printed. It may hold a secret, so it is wiped when it is dropped.
        output: Zeroizing<Vec<u8>>,
        /// The first bytes of its error messages.
        messages: String,
    },
}

/// Runs a program in a process group of its own, with `input` on its standard input.
#[must_use]
pub fn run(command: &mut Command, input: &[u8], bounds: Bounds) -> Ended {
    command.process_group(0);
    run_until(command, input, Some(bounds.time), bounds.bytes)
}

/// Runs a program that may ask a person on the terminal: it stays in the process group of the terminal, and has no limit
/// of time.
#[must_use]
pub fn run_asking(command: &mut Command, input: &[u8], bytes: u64) -> Ended {
    run_until(command, input, None, bytes)
}

fn run_until(command: &mut Command, input: &[u8], time: Option<Duration>, bytes: u64) -> Ended {
    let began = Instant::now();
    let stdin = match input {
        [] => Stdio::null(),
        _ => Stdio::piped(),
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ended::NotStarted(error),
    };
    if let Some(mut pipe) = child.stdin.take() {
        let input = Zeroizing::new(input.to_vec());
        // A program that reads no input would hold up the run. One that closes its end gets no more.
        std::thread::spawn(move || pipe.write_all(&input).unwrap_or_default());
    }
    let output = reading(child.stdout.take(), bytes.saturating_add(1));
    let messages = reading(child.stderr.take(), MESSAGES);
    let left = || time.map(|time| time.saturating_sub(began.elapsed()));
    let Some(output) = receive(&output, left()) else {
        end(&mut child, time.is_some());
        return Ended::TimedOut;
    };
    if output.len() as u64 > bytes {
        end(&mut child, time.is_some());
        return Ended::TooMuch;
    }
    // It may close its output and stay.
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if left().is_none_or(|left| !left.is_zero()) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            _ => {
                end(&mut child, time.is_some());
                return Ended::TimedOut;
            }
        }
    };
    // What it has started may still have the pipe.
    let messages = receive(&messages, Some(Duration::from_millis(200))).unwrap_or_default();
    Ended::Done {
        status,
        output,
        messages: String::from_utf8_lossy(&messages).into_owned(),
    }
}

type Bytes = Zeroizing<Vec<u8>>;

/// Reads at most `limit` bytes of a pipe on a thread of its own: a pipe has no deadline. The thread ends when the last
/// process that has the pipe does.
fn reading(
    pipe: Option<impl io::Read + Send + 'static>,
    limit: u64,
) -> mpsc::Receiver<io::Result<Bytes>> {
    let (send, receive) = mpsc::channel();
    if let Some(pipe) = pipe {
        std::thread::spawn(move || {
            // A vector that grows leaves copies of its bytes behind.
            let room = usize::try_from(limit.min(1 << 17)).unwrap_or_default();
            let mut bytes = Zeroizing::new(Vec::with_capacity(room + 64));
            let mut limited = pipe.take(limit);
            let read = limited.read_to_end(&mut bytes);
            // The other end is gone where the time is over.
            let _ = send.send(read.map(|_| bytes));
            // A program that cannot write its messages would wait for ever.
            let _ = io::copy(&mut limited.into_inner(), &mut io::sink());
        });
    }
    receive
}

fn receive(pipe: &mpsc::Receiver<io::Result<Bytes>>, left: Option<Duration>) -> Option<Bytes> {
    let bytes = match left {
        Some(left) => pipe.recv_timeout(left).ok()?,
        None => pipe.recv().ok()?,
    };
    bytes.ok()
}

/// Kills a program, with its process group if that is its own, and waits for it.
fn end(child: &mut Child, own_group: bool) {
    if own_group && let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]

    use super::*;

    fn sh(script: &str, input: &[u8], bytes: u64) -> Ended {
        let time = Duration::from_millis(700);
        let mut command = Command::new("sh");
        run(command.args(["-c", script]), input, Bounds { time, bytes })
    }

    #[test]
    fn a_program_gets_its_input_and_its_end_is_known() {
        let Ended::Done { status, output, .. } = sh("cat", b"a\n", 2) else {
            panic!("it did not end");
        };
        assert!(status.success());
        assert_eq!(**output, *b"a\n");
        assert!(matches!(sh("echo a", b"", 1), Ended::TooMuch));
        let Ended::Done {
            status, messages, ..
        } = sh("echo why >&2; exit 3", b"", 9)
        else {
            panic!("it did not end");
        };
        assert_eq!((status.code(), messages.as_str()), (Some(3), "why\n"));
        let mut missing = Command::new("/no/such/program");
        let time = Duration::from_secs(1);
        assert!(matches!(
            run(&mut missing, b"", Bounds { time, bytes: 1 }),
            Ended::NotStarted(_)
        ));
    }

    #[test]
    fn no_program_holds_up_the_run_or_fills_its_memory() {
        for (script, bytes) in [
            ("sleep 100", 9),
            ("exec >&-; sleep 100", 9),
            ("sleep 100 & sleep 100", 9),
            ("cat /dev/zero", 1 << 20),
            ("trap '' TERM; while :; do echo a; sleep 0.1; done", 1 << 20),
        ] {
            let began = Instant::now();
            let ended = sh(script, &[b'x'; 1 << 20], bytes);
            assert!(!matches!(ended, Ended::Done { .. }), "{script}");
            assert!(began.elapsed() < Duration::from_secs(20), "{script}");
        }
        // Messages without end are read and thrown away.
        let ended = sh("head -c 3000000 /dev/zero >&2; echo a", b"", 9);
        assert!(matches!(ended, Ended::Done { messages, .. } if messages.len() == 4096));
    }
}
