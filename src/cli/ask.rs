//! Questions that only a person can answer, on the terminal and without echo.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::secret::Secret;
use crate::visible::visible;

/// Asks for the passphrase of a key. Gives nothing if there is no terminal or the answer is empty.
#[must_use]
pub fn passphrase(key: &Path) -> Option<Secret> {
    let mut terminal = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    // A manifest may name the key.
    let key = visible(&key.display().to_string());
    write!(terminal, "Passphrase for the key {key}: ").ok()?;
    let before = tcgetattr(&terminal).ok()?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Flush, &quiet).ok()?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    let restored = tcsetattr(&terminal, OptionalActions::Flush, &before);
    // Without echo, the terminal did not show the line end either.
    writeln!(terminal).ok()?;
    restored.ok()?;
    read.ok()?;
    let secret = line.trim_end_matches(['\n', '\r']).to_owned();
    (!secret.is_empty()).then(|| Secret::new(secret))
}
