//! The baseline of `verify`: a file of keyed hashes of accepted findings, and beside it the key.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::error::CliError;
use crate::diagnostic::Diagnostic;
use crate::replace_file::replace;
use crate::verify::{Baseline, Finding};

/// The length of a new key in bytes.
const KEY: usize = 32;

/// Reads a baseline and its key, `FILE.key`.
///
/// # Errors
/// If either cannot be read, or they do not fit.
pub fn read(path: &Path) -> Result<Baseline, CliError> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => CliError::arguments(vec![
            Diagnostic::error(format!("there is no baseline `{}`", path.display())).hint(
                "`--write-baseline` beside `--baseline FILE` makes it, from the findings of today",
            ),
        ]),
        _ => unreadable(path, &error),
    })?;
    let key_path = key_path(path);
    let key = fs::read(&key_path).map_err(|error| unreadable(&key_path, &error))?;
    Baseline::read(&text, key).map_err(|why| {
        CliError::message(format!(
            "cannot use the baseline `{}`: {why}",
            path.display()
        ))
    })
}

/// Writes a baseline that has these findings, and of `others` those that it had before; makes the key if there is none.
///
/// # Errors
/// If a file cannot be read or written.
pub fn write(path: &Path, findings: &[Finding], others: &[Finding]) -> Result<(), CliError> {
    let before = match others.is_empty() || !path.exists() {
        true => None,
        false => Some(read(path)?),
    };
    let key_path = key_path(path);
    let key = match fs::read(&key_path) {
        Ok(key) => key,
        Err(error) if error.kind() == ErrorKind::NotFound => new_key(&key_path)?,
        Err(error) => return Err(unreadable(&key_path, &error)),
    };
    let mut baseline = Baseline::new(key);
    for finding in findings {
        baseline.accept(finding);
    }
    if let Some(before) = &before {
        others
            .iter()
            .for_each(|finding| baseline.keep(finding, before));
    }
    let text = baseline
        .text()
        .map_err(|error| CliError::message(error.to_string()))?;
    replace(path, text.as_bytes(), None).map_err(|error| unwritable(path, &error))
}

fn key_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// Makes a key that only its owner can read.
fn new_key(path: &Path) -> Result<Vec<u8>, CliError> {
    let mut key = vec![0; KEY];
    let random = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut key));
    random.map_err(|error| CliError::message(format!("cannot read /dev/urandom: {error}")))?;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(&key))
        .map_err(|error| unwritable(path, &error))?;
    Ok(key)
}

fn unreadable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::message(format!("cannot read `{}`: {error}", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::message(format!("cannot write `{}`: {error}", path.display()))
}
