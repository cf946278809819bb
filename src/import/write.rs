//! Writes a manifest with the files beside it into a folder that does not exist yet, whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::secret::Secret;

/// The files of a manifest's folder, by their path in it.
#[derive(Debug, Default)]
pub struct ManifestFolder {
    /// Texts.
    pub texts: Vec<(String, String)>,
    /// Secrets, which only their owner may read.
    pub secrets: Vec<(String, Secret)>,
}

/// Writes the files into a new folder.
///
/// # Errors
/// If the folder exists already, or cannot be written. There is no folder of that name then.
pub fn write_new(folder: &Path, files: &ManifestFolder) -> io::Result<()> {
    if folder.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent)?;
    let staged = tempfile::Builder::new()
        .prefix(".murder-")
        .tempdir_in(&parent)?;
    let whole = staged.path().join("whole");
    create(&whole, 0o755)?;
    for (path, text) in &files.texts {
        put(&whole, path, text.as_bytes(), 0o644)?;
    }
    for (path, secret) in &files.secrets {
        let line = zeroize::Zeroizing::new(format!("{}\n", secret.expose()));
        put(&whole, path, line.as_bytes(), 0o600)?;
    }
    // An empty folder would be replaced otherwise.
    renameat_with(CWD, &whole, CWD, folder, RenameFlags::NOREPLACE)?;
    Ok(())
}

fn put(folder: &Path, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let path = folder.join(path);
    if let Some(parent) = path.parent()
        && !parent.is_dir()
    {
        create(parent, if mode == 0o600 { 0o700 } else { 0o755 })?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(bytes)
}

fn create(folder: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().mode(mode).create(folder)
}
