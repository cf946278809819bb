//! How much a host may send, and for how long: every limit on what comes from a host, in one place.
//!
//! `docs/security.md` lists them. A host that exceeds one has its row in the report like any host that fails, and costs
//! the other hosts nothing. The time limits follow `ssh.connect_timeout` and `ssh.command_timeout` of the manifest.

use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// Bytes of files' texts in one observation. The host counts them itself and sends only hashes of the rest. A table of
/// a million lines has about 40 MB.
pub const TEXTS: u64 = 48 * MIB;

/// Bytes of everything else in an answer: facts, main.cf, master.cf, ledger, hashes, banners.
const HEAD: u64 = 16 * MIB;

/// Bytes of a host's history, in addition to those of an observation.
const HISTORY: u64 = 32 * MIB;

/// Bytes on standard error, where honest hosts send a few lines.
const STDERR: u64 = MIB;

/// Bytes that a peer may send from the connection to the end of the login: lines before its version, key exchange,
/// banners and refusals.
pub(in crate::transport) const LOGIN: u64 = MIB;

/// Bytes that a peer may send after the login beyond the output of the program: SSH's own messages, and data on their
/// way through the channel's window of 2 MiB.
pub(in crate::transport) const OVERHEAD: u64 = 8 * MIB;

/// The reason to leave a peer that has sent more than one of these two.
pub(in crate::transport) const FLOOD: &str = "it sends more than any SSH server needs to";

/// How long a login may take altogether, as a multiple of `ssh.connect_timeout`, which limits each try.
pub(in crate::transport) const LOGIN_TIMEOUTS: u32 = 3;

/// How long an agent may take for all its keys. A person may have to confirm one, or to touch a token.
pub(in crate::transport) const AGENT: Duration = Duration::from_secs(180);

/// How long a whole exchange may take, as a multiple of `ssh.command_timeout`, the longest silence: a host that writes
/// a little now and then never reaches the latter.
const EXCHANGE_TIMEOUTS: u32 = 5;

/// The longest silence during an apply, which prints nothing while it works. Each of its children on the host has a
/// shorter deadline.
const APPLY_SILENCE: Duration = Duration::from_secs(900);

/// The limits of one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeLimits {
    /// The longest silence.
    pub silence: Duration,
    /// The longest time altogether.
    pub total: Duration,
    /// Bytes on standard output.
    pub stdout: u64,
    /// Bytes on standard error.
    pub stderr: u64,
}

impl ExchangeLimits {
    /// Those of an observation; `with_history` if the host is also asked for its history.
    #[must_use]
    pub fn observation(command_timeout: Duration, with_history: bool) -> Self {
        Self {
            silence: command_timeout,
            total: command_timeout.saturating_mul(EXCHANGE_TIMEOUTS),
            stdout: HEAD + TEXTS + if with_history { HISTORY } else { 0 },
            stderr: STDERR,
        }
    }

    /// Those of an apply: the payload's way to the host, the work there, the report, and one observation.
    #[must_use]
    pub fn apply(command_timeout: Duration) -> Self {
        let observation = Self::observation(command_timeout, true);
        let silence = command_timeout.max(APPLY_SILENCE);
        Self {
            silence,
            total: silence.saturating_add(observation.total),
            stdout: observation.stdout.saturating_add(HEAD),
            stderr: STDERR,
        }
    }

    /// Those of a program on this client, which prints a few lines and ends within `time`.
    pub(in crate::transport) fn client_program(time: Duration) -> Self {
        Self {
            silence: time,
            total: time,
            stdout: STDERR,
            stderr: STDERR,
        }
    }
}

/// Characters of a program's error messages that an error shows.
const MESSAGES: usize = 2000;

/// The beginning of a program's error messages, for an error.
pub(in crate::transport) fn beginning(messages: &str) -> String {
    let messages = messages.trim();
    match messages.char_indices().nth(MESSAGES) {
        Some((end, _)) => format!("{}…", messages.get(..end).unwrap_or_default()),
        None => messages.to_owned(),
    }
}

/// A number of bytes as a person reads it: `16 MiB`, `500 KiB`, `20 bytes`.
pub(in crate::transport) fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= MIB && bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        bytes if bytes >= 1024 && bytes.is_multiple_of(1024) => format!("{} KiB", bytes / 1024),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_history_may_have_a_longer_answer_and_an_apply_the_longest() {
        let minute = Duration::from_secs(60);
        let observation = ExchangeLimits::observation(minute, false);
        let history = ExchangeLimits::observation(minute, true);
        let apply = ExchangeLimits::apply(minute);
        assert!(observation.stdout > TEXTS && observation.stdout < history.stdout);
        assert!(history.stdout < apply.stdout);
        assert_eq!(
            (observation.silence, observation.total),
            (minute, minute * 5)
        );
        assert_eq!(apply.total, Duration::from_secs(900 + 5 * 60));
        let hour = Duration::from_secs(3600);
        assert_eq!(ExchangeLimits::apply(hour).silence, hour);
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        assert_eq!(beginning(" no \n"), "no");
        let long = beginning(&"é".repeat(1_000_000));
        assert_eq!(long.chars().count(), MESSAGES + 1);
        assert!(long.ends_with("é…"));
    }

    #[test]
    fn sizes_have_the_largest_unit_without_a_remainder() {
        assert_eq!(size(64 * MIB), "64 MiB");
        assert_eq!(size(3 * 1024), "3 KiB");
        assert_eq!(size(1025), "1025 bytes");
    }
}
