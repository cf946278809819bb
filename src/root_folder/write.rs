//! Writing beneath a folder. A link that stays inside is kept, and its target is written.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fs::{AtFlags, Mode, OFlags, openat, readlinkat, renameat, unlinkat};
use rustix::io::Errno;

use super::walk::{Missing, Place};
use super::{RootFolder, relative};

/// How a file is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteOptions {
    /// Its mode; without it, what the umask leaves of 0666.
    pub mode: Option<u32>,
    /// Its modification time; without it, now.
    pub modified: Option<SystemTime>,
}

impl RootFolder {
    /// Writes a file whole: beside its target, then renamed. Folders on the way are created. A link is kept, and the
    /// file that it leads to is written.
    ///
    /// # Errors
    /// Where the path leads out, or the file cannot be written.
    pub fn write(&self, path: &Path, bytes: &[u8], options: WriteOptions) -> io::Result<()> {
        let (place, name) = self.named(path, Missing::Create)?;
        let (staged, mut file) = stage(&place, options.mode)?;
        let done = fill(&mut file, bytes, options)
            .and_then(|()| Ok(renameat(&place.folder, &staged, &place.folder, &name)?));
        if done.is_err() {
            // What is left of the attempt is of no use; the error is the one above.
            let _ = unlinkat(&place.folder, &staged, AtFlags::empty());
        }
        done
    }

    /// Opens a regular file to add to it, and creates it where it is missing.
    ///
    /// # Errors
    /// Where it is no regular file, leads out, or cannot be opened.
    pub fn append(&self, path: &Path) -> io::Result<File> {
        let (place, name) = self.named(path, Missing::Create)?;
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let file = openat(&place.folder, &name, flags, Mode::from_raw_mode(0o666))?;
        let file = File::from(file);
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(super::not_regular())
        }
    }

    /// Creates a folder and those above it, where they are missing.
    ///
    /// # Errors
    /// Where the path leads out, or something else has the name.
    pub fn create_folders(&self, path: &Path) -> io::Result<()> {
        if self.is_folder(path) {
            return Ok(());
        }
        let (place, name) = match self.named(path, Missing::Create) {
            Ok(found) => found,
            // The root itself.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(()),
            Err(error) => return Err(error),
        };
        match rustix::fs::mkdirat(&place.folder, &name, Mode::from_raw_mode(0o777)) {
            Ok(()) => Ok(()),
            // Another thread was faster.
            Err(Errno::EXIST) if self.is_folder(path) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the mode of a folder or file.
    ///
    /// # Errors
    /// Where there is nothing, or it lies outside.
    pub fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        let opened = self.open_any(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        File::from(opened).set_permissions(Permissions::from_mode(mode))
    }

    /// Deletes a file, or a link itself. A file that does not exist is no error.
    ///
    /// # Errors
    /// Where the path leads out, or the file cannot be deleted.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.unlink(path, AtFlags::empty())
    }

    /// Deletes a folder, if it is empty. A folder that does not exist is no error.
    ///
    /// # Errors
    /// Where the path leads out, or the folder is not empty.
    pub fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.unlink(path, AtFlags::REMOVEDIR)
    }

    /// Renames a file. A link of the new name is kept, and the file that it leads to is replaced.
    ///
    /// # Errors
    /// Where one of the paths leads out, or the file cannot be renamed.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, old) = self.named(from, Missing::Fail)?;
        let (to, new) = self.named(to, Missing::Create)?;
        Ok(renameat(&from.folder, &old, &to.folder, &new)?)
    }

    /// The target of the link at a path; none where there is no link, or it lies outside.
    #[must_use]
    pub fn link(&self, path: &Path) -> Option<PathBuf> {
        let (place, name) = self.parent(path).ok()?;
        let target = readlinkat(&place.folder, &name, Vec::new()).ok()?;
        Some(OsString::from_vec(target.into_bytes()).into())
    }

    fn unlink(&self, path: &Path, flags: AtFlags) -> io::Result<()> {
        let (place, name) = match self.parent(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        match unlinkat(&place.folder, &name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The open folder of a path, and the path's last name, which may be a link.
    fn parent(&self, path: &Path) -> io::Result<(Place, OsString)> {
        let path = relative(path);
        let name = path.file_name().ok_or_else(no_name)?.to_owned();
        let above = path.parent().unwrap_or(Path::new(""));
        let folder = self.open_any(above, OFlags::PATH | OFlags::DIRECTORY)?;
        Ok((Place { folder, name: None }, name))
    }

    /// Where a path ends, which must have a name.
    fn named(&self, path: &Path, missing: Missing) -> io::Result<(Place, OsString)> {
        let mut place = self.place(relative(path), missing)?;
        let name = place.name.take().ok_or_else(no_name)?;
        Ok((place, name))
    }
}

fn no_name() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is the folder itself")
}

/// A new file of its own name in the folder of a place.
fn stage(place: &Place, mode: Option<u32>) -> io::Result<(OsString, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    const TRIES: usize = 1000;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(mode.unwrap_or(0o666));
    for _ in 0..TRIES {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = OsString::from(format!(".murder.{}.{number}", std::process::id()));
        match openat(place.folder.as_fd(), OsStr::new(&name), flags, mode) {
            Ok(file) => return Ok((name, File::from(file))),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::EXIST.into())
}

fn fill(file: &mut File, bytes: &[u8], options: WriteOptions) -> io::Result<()> {
    if let Some(mode) = options.mode {
        // The umask may have cut bits from the mode.
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    file.write_all(bytes)?;
    if let Some(modified) = options.modified {
        file.set_modified(modified)?;
    }
    Ok(())
}
