//! Reading the files of saved plans, and live files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::files::unreadable;
use crate::diagnostic::Diagnostic;

/// The largest file that is read as a plan, in bytes.
const MOST: u64 = 1 << 30;
/// The largest live file that is read, in bytes.
const MOST_LIVE: u64 = 256 << 20;

/// The bytes of a saved plan's file.
///
/// # Errors
/// If it cannot be read, or is too large.
pub fn read_plan(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    read(path, MOST).map_err(|error| {
        unreadable(path, &error).hint("name the file that `murder plan --out FILE` wrote")
    })
}

/// The bytes of a live file.
///
/// # Errors
/// If it cannot be read, or is too large.
pub fn read_live_file(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    read(path, MOST_LIVE).map_err(|error| {
        unreadable(path, &error).hint("name the file that `murder observe --out FILE` wrote")
    })
}

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let why = format!("it has more than {most} bytes, which is the limit");
        return Err(io::Error::other(why));
    }
    Ok(bytes)
}
