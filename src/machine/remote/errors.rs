//! The errors of a remote machine.

use crate::exchange::Failure;
use crate::machine::MachineError;

/// The error for a host that was reached and cannot be managed.
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

/// The error for an answer that cannot be understood.
pub(super) fn wrong_answer(why: &str, said: &[u8]) -> MachineError {
    failure(
        format!("cannot understand the host's answer: {why}"),
        (!said.is_empty()).then(|| excerpt(said)),
        "run `ssh HOST true`: it must print nothing but banners, and the login shell must be able to run `sh`",
    )
}

/// The failure for an order with text that a shell would change.
pub(super) fn unsayable(what: &str, text: &str) -> Failure {
    Failure {
        summary: format!("{what} is not fit to be sent to a host: {text:?}"),
        detail: None,
        hint: Some("plan again; if it happens again, this is a mistake in `murder`".to_owned()),
    }
}

/// Bytes of a host's output that an error looks at.
const BEGINNING: usize = 2048;

/// The beginning of a host's output.
pub(super) fn beginning(bytes: &[u8]) -> &[u8] {
    bytes.get(..BEGINNING).unwrap_or(bytes)
}

/// The beginning of a host's output for an error: at most 400 characters, control characters replaced.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(beginning(bytes));
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
    if text.trim().chars().count() > 400 || bytes.len() > BEGINNING {
        short.push('…');
    }
    short
}
