//! Secrets that are encrypted by age(1), decrypted by its program: it knows identities of SSH and of plugins, and asks for
//! passphrases itself.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::command::not_started;
use super::{MOST, Text, file, first_lines, text_of};
use crate::diagnostic::Diagnostic;
use crate::program::{Bounds, Ended, run, run_asking};
use crate::secret::{AgeContent, AgeSource, LocalFile, SecretSource};

/// The largest encrypted file: a secret of 64 KiB with many recipients, armored.
const MOST_FILE: u64 = 1 << 20;

const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(30),
    bytes: MOST,
};

/// The begin of an encrypted file, in its own form and in that for text.
const HEADER: &[u8] = b"age-encryption.org/v1\n";
const ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";

/// A person answers one question at a time.
static ASKING: Mutex<()> = Mutex::new(());

/// Decrypts by the first identity that fits. One that is missing, broken or of another user does not keep the next from
/// being tried.
pub(super) fn read(source: &AgeSource) -> Text {
    let sealed = match &source.content {
        AgeContent::File(path) => file::public(path, MOST_FILE)?,
        AgeContent::Text(text) => Zeroizing::new(format!("{}\n", text.trim()).into_bytes()),
    };
    let what = SecretSource::Age(source.clone()).to_string();
    if by_passphrase(&sealed) {
        return decrypt(&sealed, None, true).map_err(|failure| match failure {
            AgeFailure::NotStarted(problem) => problem,
            AgeFailure::Why(why) => Diagnostic::error(format!("{what} cannot be decrypted"))
                .detail(why)
                .hint("it is encrypted by a passphrase: run `murder` on a terminal, or encrypt it for an identity"),
        });
    }
    if source.identities.is_empty() {
        return Err(
            Diagnostic::error(format!("there is no identity to decrypt {what}"))
                .hint("name files of identities: `secret_sources: {age: {identities: [~/.config/age/keys.txt]}}`"),
        );
    }
    let mut tried = Vec::new();
    for identity in &source.identities {
        match by_identity(&sealed, identity) {
            Ok(text) => return Ok(text),
            Err(AgeFailure::NotStarted(problem)) => return Err(problem),
            Err(AgeFailure::Why(why)) => tried.push(format!("{identity}: {why}")),
        }
    }
    Err(
        Diagnostic::error(format!("no identity decrypts {what}"))
            .detail(tried.join("\n"))
            .hint("encrypt it for the recipient of one of these identities (`age-keygen -y FILE` prints it), or add an identity"),
    )
}

/// Why nothing was decrypted.
enum AgeFailure {
    /// age(1) cannot be started: no other identity helps.
    NotStarted(Diagnostic),
    /// In words.
    Why(String),
}

impl From<String> for AgeFailure {
    fn from(why: String) -> Self {
        Self::Why(why)
    }
}

/// Tries one file of identities; the error is why it does not help.
fn by_identity(sealed: &[u8], identity: &LocalFile) -> Result<Zeroizing<String>, AgeFailure> {
    let words = |problem: Diagnostic| match problem.detail {
        Some(detail) => format!("{} ({detail})", problem.summary),
        None => problem.summary,
    };
    let path = file::path_of(identity).map_err(words)?;
    let opened = file::open(&path).map_err(words)?;
    let found = opened.metadata().map_err(|error| error.to_string())?;
    file::closed(&path, &found, file::variable_of(identity)).map_err(words)?;
    let mut begin = Zeroizing::new(Vec::with_capacity(8192));
    let read = opened.take(8000).read_to_end(&mut begin);
    read.map_err(|error| error.to_string())?;
    decrypt(sealed, Some(&path), may_ask(&begin))
}

/// Runs age(1).
fn decrypt(
    sealed: &[u8],
    identity: Option<&Path>,
    asks: bool,
) -> Result<Zeroizing<String>, AgeFailure> {
    let mut command = Command::new("age");
    command.arg("--decrypt");
    if let Some(path) = identity {
        command.arg("--identity").arg(path);
    }
    let ended = if asks {
        let _one = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a terminal it would fail in words of its own.
        if OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .is_err()
        {
            return Err(AgeFailure::Why(
                "it needs a passphrase, and there is no terminal to ask on".to_owned(),
            ));
        }
        run_asking(&mut command, sealed, MOST)
    } else {
        run(&mut command, sealed, BOUNDS)
    };
    match ended {
        Ended::Done { status, output, .. } if status.success() => {
            text_of(&output, "what is encrypted").map_err(|problem| problem.summary.into())
        }
        Ended::Done { messages, .. } => {
            let messages = first_lines(&messages);
            let line = messages.lines().next().unwrap_or("age failed");
            Err(line.trim_start_matches("age: error: ").to_owned().into())
        }
        Ended::NotStarted(error) => Err(AgeFailure::NotStarted(not_started("age", &error))),
        Ended::TimedOut => Err(format!("age did not end within {:?}", BOUNDS.time).into()),
        Ended::TooMuch => Err("what is encrypted is too large for a secret"
            .to_owned()
            .into()),
    }
}

/// Whether a text is encrypted by a passphrase: its first stanza is `scrypt`.
fn by_passphrase(sealed: &[u8]) -> bool {
    let decoded;
    let plain = match std::str::from_utf8(sealed)
        .ok()
        .and_then(|text| text.trim_start().strip_prefix(ARMOR))
    {
        Some(armored) => {
            let base64: String = armored
                .split_whitespace()
                .flat_map(str::chars)
                .take(96)
                .collect();
            decoded = STANDARD.decode(base64).unwrap_or_default();
            decoded.as_slice()
        }
        None => sealed,
    };
    plain
        .strip_prefix(HEADER)
        .is_some_and(|rest| rest.starts_with(b"-> scrypt "))
}

/// Whether age(1) may ask a person when it uses these identities: only those of its own kind need nothing.
fn may_ask(identities: &[u8]) -> bool {
    let text = String::from_utf8_lossy(identities);
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    text.starts_with(ARMOR)
        || identities.starts_with(HEADER)
        || lines.any(|line| line.starts_with("-----BEGIN") || line.starts_with("AGE-PLUGIN-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_known_by_the_first_stanza() {
        let sealed = b"age-encryption.org/v1\n-> scrypt abc 18\nxyz\n--- mac\n";
        assert!(by_passphrase(sealed));
        let lines = STANDARD.encode([&sealed[..], &[0; 60]].concat());
        let armored = format!("{ARMOR}\n{}\n{}\n-----END", &lines[..64], &lines[64..]);
        assert!(by_passphrase(armored.as_bytes()));
        assert!(!by_passphrase(b"age-encryption.org/v1\n-> X25519 abc\n"));
        assert!(!by_passphrase(b"-> scrypt"));
        assert!(!by_passphrase(format!("{ARMOR}\n!!").as_bytes()));
    }

    #[test]
    fn only_plain_identities_ask_for_nothing() {
        assert!(!may_ask(b"# created\nAGE-SECRET-KEY-1ABC\n"));
        assert!(!may_ask(b"rubbish"));
        assert!(may_ask(b"-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(may_ask(b"AGE-PLUGIN-YUBIKEY-1ABC\n"));
        assert!(may_ask(HEADER));
    }
}
