//! How this machine words what went wrong.

use crate::exchange::Failure;
use crate::machine::MachineError;

/// The host was reached and does not serve.
pub(super) fn failure(
    summary: impl Into<String>,
    detail: Option<String>,
    hint: impl Into<String>,
) -> MachineError {
    MachineError::Unfit(Failure {
        summary: summary.into(),
        detail,
        hint: Some(hint.into()),
    })
}

/// The host answered, and not with an answer.
pub(super) fn wrong_answer(why: &str, said: &[u8]) -> MachineError {
    failure(
        format!("cannot understand the host's answer: {why}"),
        (!said.is_empty()).then(|| excerpt(said)),
        "run `ssh HOST true`: it must print nothing but banners, and the login shell must be able to run `sh`",
    )
}

/// The beginning of what a host said, fit for a terminal: no control characters, 400 at most.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]);
    let mut short: String = text
        .trim()
        .chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .take(400)
        .collect();
    if text.trim().chars().count() > 400 || bytes.len() > 2048 {
        short.push('…');
    }
    short
}
