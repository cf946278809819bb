//! Helpers for the file system of this machine.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// Permission bits.
#[must_use]
pub fn mode(meta: &Metadata) -> u32 {
    meta.mode() & 0o7777
}

/// Modification time, seconds since the epoch.
#[must_use]
pub fn mtime(meta: &Metadata) -> i64 {
    meta.mtime()
}

/// A program of this machine, from `PATH` or /usr/sbin.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}
