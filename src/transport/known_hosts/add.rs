//! Adds a new host to a known_hosts file (`--accept-new`).

use std::fs::{DirBuilder, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use rustix::fs::OFlags;

use super::{HostKey, names};

/// The line of a host.
#[must_use]
pub fn entry(name: &str, port: u16, key: &HostKey) -> String {
    let name = names::with_port(&name.to_ascii_lowercase(), port);
    format!("{name} {} {}\n", key.kind(), STANDARD.encode(key.blob()))
}

/// The same with the name hashed (`HashKnownHosts`), so that the file does not reveal the name.
#[must_use]
pub fn hashed_entry(name: &str, port: u16, key: &HostKey) -> String {
    let name = names::with_port(&name.to_ascii_lowercase(), port);
    let mut salt = [0; 20];
    for part in salt.chunks_mut(8) {
        // A salt needs no more: the standard library's hasher has a random key of the system.
        let random = RandomState::new().build_hasher().finish().to_ne_bytes();
        part.copy_from_slice(random.get(..part.len()).unwrap_or_default());
    }
    let name = names::hashed(&name, &salt);
    format!("{name} {} {}\n", key.kind(), STANDARD.encode(key.blob()))
}

/// Appends a line, in one write under a lock: two threads or processes never mix their lines, and a reader sees the
/// whole line or none.
///
/// # Errors
/// Those of the file system.
pub fn add(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut known = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        // Without it the opening of a pipe waits until something reads it.
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(file)?;
    if !known.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    known.lock()?;
    let mut text = String::new();
    if known.seek(SeekFrom::End(0))? > 0 {
        known.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        known.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    text.push_str(line);
    known.write_all(text.as_bytes())?;
    known.sync_data()
}
