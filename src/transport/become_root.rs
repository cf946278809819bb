//! Becoming root on a host: the command before the program, and the answer to its password prompt.
//!
//! `sudo -S` reads the password from the stream that later feeds the program. It asks only where sudoers requires a
//! password and no earlier login is remembered. A password that is written without a prompt would reach the program.
//! So nothing is written until one of two texts appears on stderr: the prompt, which contains a nonce (`-p`), or the
//! marker that a small `sh` prints as root before it becomes the program. A second prompt means that the password
//! was wrong. The exchange ends there: one mistake costs one failed login and does not lock the account.
//!
//! Without a password (`sudo -n`, `doas -n`) the payload follows at once. If the marker never appears, sudo or doas
//! refused, and the program did not fail.

use std::hash::{BuildHasher, Hasher, RandomState};

use memchr::memmem::{Finder, find};
use zeroize::Zeroizing;

use crate::access::Become;
use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::secret::{MASK, Secret, Secrets};
use crate::transport::limits::beginning;
use crate::transport::refusal::{refusal, wrong_password};
use crate::transport::shell::ProgramExit;

/// How to become root, with the password where there is one.
#[derive(Debug, Clone)]
pub(in crate::transport) enum Escalation {
    /// The login is root.
    None,
    /// By sudo(8).
    Sudo(Option<Secret>),
    /// By doas(1), which reads passwords from a terminal only.
    Doas,
}

impl Escalation {
    /// Looks the password up.
    ///
    /// # Errors
    /// `Unfit` where the password is named and was not read.
    pub(in crate::transport) fn new(
        become_: &Become,
        secrets: &Secrets,
    ) -> Result<Self, MachineError> {
        Ok(match become_ {
            Become::No => Self::None,
            Become::Doas => Self::Doas,
            Become::Sudo(None) => Self::Sudo(None),
            Become::Sudo(Some(name)) => match secrets.get(name) {
                Some(password) => Self::Sudo(Some(password.clone())),
                None => {
                    return Err(MachineError::Unfit(Failure {
                        summary: format!("the password for sudo, `{name}`, has not been read"),
                        detail: None,
                        hint: None,
                    }));
                }
            },
        })
    }

    /// The state of one exchange, with new nonces.
    pub(in crate::transport) fn sudo_prompt(&self) -> SudoPrompt {
        let nonce = nonce();
        SudoPrompt {
            stage: match self {
                Self::Sudo(Some(_)) => Stage::Waiting,
                Self::None | Self::Sudo(None) | Self::Doas => Stage::Open,
            },
            escalation: self.clone(),
            prompt: format!("murder-password-{nonce}"),
            ready: format!("murder-ready-{nonce}"),
            scanned: 0,
        }
    }
}

/// 128 random bits in hexadecimal.
///
/// The standard library's hasher is SipHash with a random key of the system. Its value for empty input cannot be
/// predicted without that key.
fn nonce() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Neither prompt nor marker has appeared.
    Waiting,
    /// The password was given.
    Answered,
    /// Standard input reaches the program.
    Open,
}

/// Decides when a program's standard input may be written, and answers sudo's prompt before that.
#[derive(Debug)]
pub(in crate::transport) struct SudoPrompt {
    escalation: Escalation,
    stage: Stage,
    prompt: String,
    ready: String,
    /// Neither prompt nor marker begins in so many bytes of stderr, apart from those that were answered. Each byte is
    /// searched once, however small the pieces in which it arrives.
    scanned: usize,
}

impl SudoPrompt {
    /// The exec line: `command`, run as root.
    ///
    /// Only words, single quotes and no `!`, so that sh, csh and fish read it alike. `env LC_ALL=C`
    /// makes sudo speak the language that [`refusal`] understands.
    pub(in crate::transport) fn line(&self, command: &str) -> String {
        let program = command.strip_prefix("exec ").unwrap_or(command);
        let marked = format!("sh -c 'echo {} >&2; exec \"$@\"' sh {program}", self.ready);
        match &self.escalation {
            Escalation::None => command.to_owned(),
            Escalation::Sudo(None) => format!("exec env LC_ALL=C sudo -n -- {marked}"),
            Escalation::Sudo(Some(_)) => {
                format!("exec env LC_ALL=C sudo -S -p {} -- {marked}", self.prompt)
            }
            Escalation::Doas => format!("exec env LC_ALL=C doas -n -- {marked}"),
        }
    }

    /// Whether the payload may be written.
    pub(in crate::transport) fn accepts_input(&self) -> bool {
        self.stage == Stage::Open
    }

    /// Reads stderr, which has grown. The bytes that it returns must be written before anything else.
    ///
    /// # Errors
    /// `Unfit` where sudo asks a second time.
    pub(in crate::transport) fn on_stderr(
        &mut self,
        stderr: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, MachineError> {
        while self.stage != Stage::Open {
            let unheard = stderr.get(self.scanned..).unwrap_or_default();
            let prompt = find(unheard, self.prompt.as_bytes());
            let ready = find(unheard, self.ready.as_bytes());
            match (prompt, ready, self.stage) {
                (Some(at), ready, stage) if ready.is_none_or(|ready| at < ready) => {
                    self.scanned += at + self.prompt.len();
                    let Escalation::Sudo(Some(password)) = &self.escalation else {
                        return Ok(None);
                    };
                    if stage == Stage::Answered {
                        return Err(MachineError::Unfit(wrong_password(self.words(stderr))));
                    }
                    self.stage = Stage::Answered;
                    let mut answer =
                        Zeroizing::new(Vec::with_capacity(password.expose().len() + 1));
                    answer.extend_from_slice(password.expose().as_bytes());
                    answer.push(b'\n');
                    return Ok(Some(answer));
                }
                (_, Some(_), _) => self.stage = Stage::Open,
                _ => {
                    // A word may have arrived in part.
                    let part = self.prompt.len().max(self.ready.len()) - 1;
                    self.scanned = self.scanned.max(stderr.len().saturating_sub(part));
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Ends the exchange: returns stderr without prompts and markers.
    ///
    /// # Errors
    /// `Unfit` where the program never began, with the reason that sudo or doas gave.
    pub(in crate::transport) fn close(
        &self,
        stderr: Vec<u8>,
        exit: &ProgramExit,
    ) -> Result<Vec<u8>, MachineError> {
        let tool = match &self.escalation {
            Escalation::None => return Ok(stderr),
            Escalation::Sudo(_) => "sudo",
            Escalation::Doas => "doas",
        };
        let began = find(&stderr, self.ready.as_bytes()).is_some();
        if !began && !matches!(exit, ProgramExit::Lost(_)) {
            return Err(MachineError::Unfit(refusal(
                tool,
                self.words(&stderr),
                exit,
            )));
        }
        let stderr = without(&stderr, self.prompt.as_bytes());
        Ok(without(&stderr, format!("{}\n", self.ready).as_bytes()))
    }

    /// The output of sudo or doas, with the password masked.
    fn words(&self, stderr: &[u8]) -> String {
        let text = String::from_utf8_lossy(stderr).replace(&self.prompt, "");
        let text = match &self.escalation {
            Escalation::Sudo(Some(password)) if !password.expose().is_empty() => {
                text.replace(password.expose(), MASK)
            }
            _ => text,
        };
        beginning(&text)
    }
}

/// The text without each occurrence of the word.
fn without(text: &[u8], word: &[u8]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(text.len());
    let mut end = 0;
    for at in Finder::new(word).find_iter(text) {
        rest.extend_from_slice(text.get(end..at).unwrap_or_default());
        end = at + word.len();
    }
    rest.extend_from_slice(text.get(end..).unwrap_or_default());
    rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn with_password() -> SudoPrompt {
        Escalation::Sudo(Some(Secret::new("hunter22".to_owned()))).sudo_prompt()
    }

    #[test]
    fn the_password_is_given_once_it_is_asked_for_and_only_once() {
        let mut sudo_prompt = with_password();
        assert!(sudo_prompt.on_stderr(b"Welcome!\n").unwrap().is_none());
        assert!(!sudo_prompt.accepts_input());
        let mut said = format!("Welcome!\n{}", sudo_prompt.prompt).into_bytes();
        assert_eq!(
            sudo_prompt.on_stderr(&said).unwrap().unwrap().as_slice(),
            b"hunter22\n"
        );
        assert!(sudo_prompt.on_stderr(&said).unwrap().is_none());
        assert!(!sudo_prompt.accepts_input());
        said.extend_from_slice(format!("{}\n", sudo_prompt.ready).as_bytes());
        assert!(sudo_prompt.on_stderr(&said).unwrap().is_none());
        assert!(sudo_prompt.accepts_input());
        let left = sudo_prompt.close(said, &ProgramExit::Code(0)).unwrap();
        assert_eq!(left, b"Welcome!\n");
    }

    #[test]
    fn a_host_that_does_not_ask_never_gets_the_password() {
        let mut sudo_prompt = with_password();
        let said = format!("{}\n", sudo_prompt.ready).into_bytes();
        assert!(sudo_prompt.on_stderr(&said).unwrap().is_none());
        assert!(sudo_prompt.accepts_input());
    }

    #[test]
    fn a_second_question_means_a_wrong_password() {
        let mut sudo_prompt = with_password();
        let said = format!("{0}Sorry, try again.\n{0}", sudo_prompt.prompt).into_bytes();
        assert!(sudo_prompt.on_stderr(&said).unwrap().is_some());
        let error = sudo_prompt.on_stderr(&said).unwrap_err();
        let MachineError::Unfit(failure) = error else {
            panic!("{error:?}")
        };
        assert_eq!(failure.summary, "sudo does not accept the password");
        assert_eq!(failure.detail.as_deref(), Some("Sorry, try again."));
    }

    #[test]
    fn a_million_prompts_in_small_pieces_are_read_once_and_removed() {
        let mut sudo_prompt = with_password();
        let mut said = vec![b'x'; 1 << 20];
        for end in (0..said.len()).step_by(64) {
            assert!(sudo_prompt.on_stderr(&said[..end]).unwrap().is_none());
        }
        let prompt = sudo_prompt.prompt.clone();
        let (first, second) = prompt.split_at(9);
        said.extend_from_slice(first.as_bytes());
        assert!(sudo_prompt.on_stderr(&said).unwrap().is_none());
        said.extend_from_slice(second.as_bytes());
        assert!(sudo_prompt.on_stderr(&said).unwrap().is_some());
        said.extend_from_slice(format!("{}\n", sudo_prompt.ready).as_bytes());
        assert!(sudo_prompt.on_stderr(&said).unwrap().is_none());
        said.extend_from_slice(&sudo_prompt.prompt.as_bytes().repeat(1_000_000));
        let left = sudo_prompt.close(said, &ProgramExit::Code(0)).unwrap();
        assert_eq!(left.len(), 1 << 20);
    }
}
