//! Runs a program of this client whose output and time have a limit.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// What is allowed to a program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long it may run.
    pub time: Duration,
    /// How many bytes it may print.
    pub bytes: u64,
}

/// What a program printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Printed {
    /// All of it; the program ended with success.
    Whole(Vec<u8>),
    /// More than was allowed; the program was killed.
    TooMuch,
}

/// Runs a program without input. Gives nothing where it cannot be started, fails, or takes too long: it is then killed,
/// with all that it has started.
pub(super) fn run(command: &mut Command, bounds: Bounds) -> Option<Printed> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .ok()?;
    let (send, receive) = mpsc::channel();
    let output = child.stdout.take()?;
    // A pipe has no deadline of its own. The thread ends when the last process that has the pipe does.
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output
            .take(bounds.bytes.saturating_add(1))
            .read_to_end(&mut bytes);
        // The other end is gone where the time is over.
        let _ = send.send(read.map(|_| bytes));
    });
    let bytes = match receive.recv_timeout(bounds.time) {
        Ok(Ok(bytes)) => bytes,
        _ => {
            end(&mut child);
            return None;
        }
    };
    if bytes.len() as u64 > bounds.bytes {
        end(&mut child);
        return Some(Printed::TooMuch);
    }
    // It may close its output and stay.
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success().then_some(Printed::Whole(bytes)),
            Ok(None) if began.elapsed() < bounds.time => {
                std::thread::sleep(Duration::from_millis(1));
            }
            _ => {
                end(&mut child);
                return None;
            }
        }
    }
}

/// Kills a program with its process group, and waits for it.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sh(script: &str, bytes: u64) -> Option<Printed> {
        let time = Duration::from_millis(700);
        run(
            Command::new("sh").args(["-c", script]),
            Bounds { time, bytes },
        )
    }

    #[test]
    fn no_program_holds_up_the_run_or_fills_its_memory() {
        assert_eq!(sh("echo a", 2).unwrap(), Printed::Whole(b"a\n".to_vec()));
        assert_eq!(sh("echo a", 1).unwrap(), Printed::TooMuch);
        assert_eq!(sh("echo a; exit 1", 9), None);
        for (script, bytes) in [
            ("sleep 100", 9),
            ("exec >&-; sleep 100", 9),
            ("sleep 100 & sleep 100", 9),
            ("cat /dev/zero", 1 << 20),
            ("trap '' TERM; while :; do echo a; sleep 0.1; done", 1 << 20),
        ] {
            let began = Instant::now();
            let printed = sh(script, bytes);
            assert!(!matches!(printed, Some(Printed::Whole(_))), "{script}");
            assert!(began.elapsed() < Duration::from_secs(20), "{script}");
        }
    }
}
