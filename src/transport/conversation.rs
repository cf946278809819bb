//! One exchange as the pumps see it: what to write next, what was heard, and when to give up.
//!
//! It knows no file descriptor, so that the three shells share it and a test needs none.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::exchange::MachineError;
use crate::transport::become_root::SudoPrompt;
use crate::transport::shell::{ProgramExit, ProgramRequest, ProgramResponse};

/// A program that keeps dripping words is not silent, and may still never end: after this many times the
/// permitted silence it has had its time.
const TOTAL_TIMEOUTS: u32 = 30;

/// See the module.
#[derive(Debug)]
pub(in crate::transport) struct Conversation<'a> {
    request: &'a ProgramRequest,
    sudo_prompt: SudoPrompt,
    /// What sudo is to be told before the payload.
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
    /// Begins now.
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

    /// What the program's standard input takes now; empty where it must wait, or is whole.
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

    /// So much of it was taken.
    pub(in crate::transport) fn wrote(&mut self, count: usize) {
        self.last_activity = Instant::now();
        if self.answered < self.answer.len() {
            self.answered += count;
        } else {
            self.written += count;
        }
    }

    /// The other side reads no more: whatever is left stays unwritten.
    pub(in crate::transport) fn abandon_input(&mut self) {
        self.abandoned = true;
    }

    /// Whether standard input may be closed.
    pub(in crate::transport) fn input_is_complete(&self) -> bool {
        self.abandoned || (self.sudo_prompt.accepts_input() && self.to_write().is_empty())
    }

    /// Standard output said this.
    pub(in crate::transport) fn received_stdout(&mut self, bytes: &[u8]) {
        self.last_activity = Instant::now();
        self.stdout.extend_from_slice(bytes);
    }

    /// Standard error said this.
    ///
    /// # Errors
    /// `Unfit` where sudo refused: the exchange ends here.
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

    /// How much longer to wait for the next word, or why no more.
    pub(in crate::transport) fn time_left(&self) -> Result<Duration, String> {
        let now = Instant::now();
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

    /// Ends it.
    ///
    /// # Errors
    /// `Unfit` where root was not to be had, so that the program never began.
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
