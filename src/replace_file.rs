//! Replaces a file of the operator atomically: whoever reads it sees the old text or the new one.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while a file is replaced.
static AT_WORK: Mutex<()> = Mutex::new(());

/// Waits until no file is being replaced. As long as the guard lives, none is: whoever ends the program then leaves no part of one.
pub fn whole() -> MutexGuard<'static, ()> {
    AT_WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a file with these permission bits, or with those that the process's mask leaves. It reaches the disk before it gets its name, and its name before this returns.
///
/// # Errors
/// If it cannot be written; then the file is as it was.
pub fn replace(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let _at_work = whole();
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new()
        .prefix(".murder.")
        .permissions(Permissions::from_mode(mode.unwrap_or(0o666)))
        .tempfile_in(folder)?;
    if let Some(mode) = mode {
        // The process's own mask may have taken bits away.
        file.as_file()
            .set_permissions(Permissions::from_mode(mode))?;
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
