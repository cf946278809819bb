//! This host itself: a child `sh` runs the same program.

use std::process::Command;

use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::transport::become_root::Escalation;
use crate::transport::child;
use crate::transport::conversation::Conversation;
use crate::transport::shell::{ProgramRequest, ProgramResponse, Shell};

/// See the module.
#[derive(Debug)]
pub struct Local {
    escalation: Escalation,
}

impl Local {
    /// Starts nothing; each exchange starts a child.
    pub(in crate::transport) fn new(escalation: Escalation) -> Self {
        Self { escalation }
    }
}

impl Shell for Local {
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        let sudo_prompt = self.escalation.sudo_prompt();
        let line = sudo_prompt.line(&request.command);
        let child = child::spawn(Command::new("sh").arg("-c").arg(line)).map_err(|error| {
            MachineError::Unfit(Failure {
                summary: "cannot start `sh` on this host".to_owned(),
                detail: Some(error.to_string()),
                hint: None,
            })
        })?;
        child::converse(child, Conversation::new(request, sudo_prompt))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::time::{Duration, Instant};

    use zeroize::Zeroizing;

    use super::*;
    use crate::transport::limits::ExchangeLimits;
    use crate::transport::shell::ProgramExit;

    fn run(command: &str, stdin: &[u8], silence: Duration) -> ProgramResponse {
        Local::new(Escalation::None)
            .exchange(&ProgramRequest {
                command: command.to_owned(),
                stdin: Zeroizing::new(stdin.to_vec()),
                limits: ExchangeLimits {
                    silence,
                    total: silence * 30,
                    stdout: 8 << 20,
                    stderr: 8 << 20,
                },
            })
            .unwrap()
    }

    #[test]
    fn streams_and_exits_come_back_as_they_were() {
        let minute = Duration::from_secs(60);
        let response = run("cat; echo no >&2; exit 7", b"yes\n", minute);
        assert_eq!(response.stdout, b"yes\n");
        assert_eq!(response.stderr, b"no\n");
        assert_eq!(response.exit, ProgramExit::Code(7));
        let response = run("kill -TERM $$", b"", minute);
        assert_eq!(response.exit, ProgramExit::Signal("TERM".to_owned()));
        let large = vec![b'x'; 8 << 20];
        let response = run("tee /dev/stderr", &large, minute);
        assert!(response.stdout == large && response.stderr == large);
        let response = run("exec true", &large, minute);
        assert_eq!(response.exit, ProgramExit::Code(0));
    }

    #[test]
    fn silence_and_dripping_both_end() {
        let started = Instant::now();
        let response = run("sleep 60", b"", Duration::from_millis(200));
        assert!(matches!(response.exit, ProgramExit::Lost(why) if why.starts_with("no output")));
        let drip = "while :; do echo .; sleep 0.02; done";
        let response = run(drip, b"", Duration::from_millis(100));
        // On a busy machine a pause may count as silence: the test of the conversation checks the reason.
        assert!(matches!(
            response.exit,
            ProgramExit::Lost(_) | ProgramExit::Overrun(_)
        ));
        assert!(!response.stdout.is_empty());
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
