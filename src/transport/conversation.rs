//! The state of one exchange: what to write next, what was received, and when to give up.
//!
//! Both read loops, that of child processes and that of SSH channels, pass everything that they read to it: limits of
//! bytes and time belong here. It knows no file descriptor.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::exchange::MachineError;
use crate::transport::become_root::SudoPrompt;
use crate::transport::shell::{ProgramExit, ProgramRequest, ProgramResponse};

/// The longest exchange, as a multiple of the longest silence: a program that writes a little now and then never
/// exceeds the silence, and may still never end.
const TOTAL_TIMEOUTS: u32 = 30;

/// See the module.
#[derive(Debug)]
pub(in crate::transport) struct Conversation<'a> {
    request: &'a ProgramRequest,
    sudo_prompt: SudoPrompt,
    /// The answer to the prompt of sudo, which precedes the payload.
    answer: Zeroizing<Vec<u8>>,
    answered: usize,
    written: usize,
    abandoned: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    last_activity: Instant,
    end: Instant,
}

impl<'a> Conversation<'a> {
    /// Starts an exchange now.
    pub(in crate::transport) fn new(request: &'a ProgramRequest, sudo_prompt: SudoPrompt) -> Self {
        let now = Instant::now();
        Self {
            request,
            sudo_prompt,
            answer: Zeroizing::default(),
            answered: 0,
            written: 0,
            abandoned: false,
            stdout: Vec::new(),
            stderr: Vec::new(),
            last_activity: now,
            end: now + request.timeout.saturating_mul(TOTAL_TIMEOUTS),
        }
    }

    /// The bytes to write to the program's standard input now. Empty if it must wait or has everything.
    pub(in crate::transport) fn to_write(&self) -> &[u8] {
        if self.abandoned {
            &[]
        } else if self.answered < self.answer.len() {
            self.answer.get(self.answered..).unwrap_or_default()
        } else if self.sudo_prompt.accepts_input() {
            self.request.stdin.get(self.written..).unwrap_or_default()
        } else {
            &[]
        }
    }

    /// Notes that `count` bytes were written.
    pub(in crate::transport) fn wrote(&mut self, count: usize) {
        self.last_activity = Instant::now();
        if self.answered < self.answer.len() {
            self.answered += count;
        } else {
            self.written += count;
        }
    }

    /// Notes that the program reads no more. The rest of its input is not written.
    pub(in crate::transport) fn abandon_input(&mut self) {
        self.abandoned = true;
    }

    /// Whether standard input can be closed.
    pub(in crate::transport) fn input_is_complete(&self) -> bool {
        self.abandoned || (self.sudo_prompt.accepts_input() && self.to_write().is_empty())
    }

    /// Takes bytes from standard output.
    pub(in crate::transport) fn received_stdout(&mut self, bytes: &[u8]) {
        self.last_activity = Instant::now();
        self.stdout.extend_from_slice(bytes);
    }

    /// Takes bytes from standard error.
    ///
    /// # Errors
    /// `Unfit` where sudo refused. The exchange ends then.
    pub(in crate::transport) fn received_stderr(
        &mut self,
        bytes: &[u8],
    ) -> Result<(), MachineError> {
        self.last_activity = Instant::now();
        self.stderr.extend_from_slice(bytes);
        if let Some(answer) = self.sudo_prompt.on_stderr(&self.stderr)? {
            self.answer = answer;
            self.answered = 0;
        }
        Ok(())
    }

    /// How long to wait for the next bytes, or the reason to give up.
    pub(in crate::transport) fn time_left(&self) -> Result<Duration, String> {
        self.time_left_at(Instant::now())
    }

    fn time_left_at(&self, now: Instant) -> Result<Duration, String> {
        let silence = (self.last_activity + self.request.timeout).saturating_duration_since(now);
        let rest = self.end.saturating_duration_since(now);
        if rest.is_zero() {
            let total = self.request.timeout.saturating_mul(TOTAL_TIMEOUTS);
            return Err(format!("it did not end within {} s", total.as_secs()));
        }
        if silence.is_zero() {
            return Err(format!(
                "no output for {} s",
                self.request.timeout.as_secs_f32()
            ));
        }
        Ok(silence.min(rest))
    }

    /// Ends the exchange.
    ///
    /// # Errors
    /// `Unfit` where the program did not start because it could not become root.
    pub(in crate::transport) fn finish(
        self,
        exit: ProgramExit,
    ) -> Result<ProgramResponse, MachineError> {
        let stderr = self.sudo_prompt.close(self.stderr, &exit)?;
        Ok(ProgramResponse {
            stdout: self.stdout,
            stderr,
            exit,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::transport::become_root::Escalation;

    #[test]
    fn silence_ends_it_and_so_does_output_without_an_end() {
        let request = ProgramRequest {
            command: String::new(),
            stdin: Zeroizing::default(),
            timeout: Duration::from_secs(10),
        };
        let mut conversation = Conversation::new(&request, Escalation::None.sudo_prompt());
        let start = conversation.last_activity;
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(conversation.time_left_at(at(4)).unwrap().as_secs(), 6);
        let why = conversation.time_left_at(at(10)).unwrap_err();
        assert!(why.starts_with("no output for 10 s"), "{why}");
        conversation.last_activity = at(295);
        assert_eq!(conversation.time_left_at(at(296)).unwrap().as_secs(), 4);
        let why = conversation.time_left_at(at(300)).unwrap_err();
        assert!(why.starts_with("it did not end within 300 s"), "{why}");
    }
}
