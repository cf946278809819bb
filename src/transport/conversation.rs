//! The state of one exchange: what to write next, what was received, and when to give up.
//!
//! Both read loops, that of child processes and that of SSH channels, pass everything that they read to it: limits of
//! bytes and time belong here. It knows no file descriptor.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::exchange::MachineError;
use crate::transport::become_root::SudoPrompt;
use crate::transport::limits::size;
use crate::transport::memory::{Pool, Share};
use crate::transport::shell::{ProgramExit, ProgramRequest, ProgramResponse};

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
    stdout: Share,
    stderr: Vec<u8>,
    last_activity: Instant,
    end: Instant,
    /// Which limit of bytes was exceeded.
    overrun: Option<String>,
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
            stdout: Pool::of_process().share(),
            stderr: Vec::new(),
            last_activity: now,
            end: now + request.limits.total,
            overrun: None,
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

    /// Takes bytes from standard output. What exceeds the limit is dropped, and [`Self::time_left`] ends the exchange.
    pub(in crate::transport) fn received_stdout(&mut self, bytes: &[u8]) {
        self.last_activity = Instant::now();
        if fits(self.stdout.len(), bytes, self.request.limits.stdout) {
            self.stdout.push(bytes);
        } else {
            let limit = size(self.request.limits.stdout);
            self.overrun = Some(format!("it sent more than {limit} of output"));
        }
    }

    /// Takes bytes from standard error, with a limit as in [`Self::received_stdout`].
    ///
    /// # Errors
    /// `Unfit` where sudo refused. The exchange ends then.
    pub(in crate::transport) fn received_stderr(
        &mut self,
        bytes: &[u8],
    ) -> Result<(), MachineError> {
        self.last_activity = Instant::now();
        if !fits(self.stderr.len(), bytes, self.request.limits.stderr) {
            let limit = size(self.request.limits.stderr);
            self.overrun = Some(format!("it sent more than {limit} of error messages"));
            return Ok(());
        }
        self.stderr.extend_from_slice(bytes);
        if let Some(answer) = self.sudo_prompt.on_stderr(&self.stderr)? {
            self.answer = answer;
            self.answered = 0;
        }
        Ok(())
    }

    /// How long to wait for the next bytes.
    ///
    /// # Errors
    /// The reason to end the exchange: the limit that it exceeded.
    pub(in crate::transport) fn time_left(&self) -> Result<Duration, ProgramExit> {
        self.time_left_at(Instant::now())
    }

    fn time_left_at(&self, now: Instant) -> Result<Duration, ProgramExit> {
        let limits = &self.request.limits;
        if let Some(overrun) = self.overrun.clone().or_else(|| self.stdout.dropped()) {
            return Err(ProgramExit::Overrun(overrun));
        }
        let silence = (self.last_activity + limits.silence).saturating_duration_since(now);
        let rest = self.end.saturating_duration_since(now);
        if rest.is_zero() {
            return Err(ProgramExit::Overrun(format!(
                "it did not end within {} s",
                limits.total.as_secs_f32()
            )));
        }
        if silence.is_zero() {
            return Err(ProgramExit::Lost(format!(
                "no output for {} s",
                limits.silence.as_secs_f32()
            )));
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
        // Another host's answer may have needed the room at the last moment.
        let exit = self.stdout.dropped().map_or(exit, ProgramExit::Overrun);
        Ok(ProgramResponse {
            stdout: self.stdout.take(),
            stderr,
            exit,
        })
    }
}

/// Whether `more` may be added to what was received.
fn fits(received: usize, more: &[u8], limit: u64) -> bool {
    let length = received.saturating_add(more.len());
    u64::try_from(length).is_ok_and(|length| length <= limit)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::transport::become_root::Escalation;
    use crate::transport::limits::ExchangeLimits;

    fn request() -> ProgramRequest {
        ProgramRequest {
            command: String::new(),
            stdin: Zeroizing::default(),
            limits: ExchangeLimits {
                silence: Duration::from_secs(10),
                total: Duration::from_secs(300),
                stdout: 8,
                stderr: 4,
            },
        }
    }

    fn why(result: Result<Duration, ProgramExit>) -> String {
        match result.unwrap_err() {
            ProgramExit::Overrun(why) | ProgramExit::Lost(why) => why,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn silence_ends_it_and_so_does_output_without_an_end() {
        let request = request();
        let mut conversation = Conversation::new(&request, Escalation::None.sudo_prompt());
        let start = conversation.last_activity;
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(conversation.time_left_at(at(4)).unwrap().as_secs(), 6);
        let silent = why(conversation.time_left_at(at(10)));
        assert!(silent.starts_with("no output for 10 s"), "{silent}");
        conversation.last_activity = at(295);
        assert_eq!(conversation.time_left_at(at(296)).unwrap().as_secs(), 4);
        let endless = why(conversation.time_left_at(at(300)));
        assert!(
            endless.starts_with("it did not end within 300 s"),
            "{endless}"
        );
    }

    #[test]
    fn more_bytes_than_allowed_end_it_on_either_stream_and_are_not_kept() {
        let request = request();
        let new = || Conversation::new(&request, Escalation::None.sudo_prompt());
        let mut conversation = new();
        conversation.received_stdout(b"12345678");
        assert!(conversation.time_left().is_ok());
        conversation.received_stdout(b"9");
        let exit = conversation.time_left().unwrap_err();
        assert_eq!(
            exit,
            ProgramExit::Overrun("it sent more than 8 bytes of output".to_owned())
        );
        assert_eq!(conversation.finish(exit).unwrap().stdout, b"12345678");
        let mut conversation = new();
        conversation.received_stderr(b"12345").unwrap();
        assert_eq!(
            why(conversation.time_left()),
            "it sent more than 4 bytes of error messages"
        );
    }
}
