//! Reads and writes files beneath one folder, and nothing outside of it, whatever links say.
//!
//! A manifest may come from a stranger, and a sandbox may be committed by one. Their links may lead anywhere: to a
//! key of the operator, to a device that never ends, to a pipe that nothing writes to. Links that stay beneath the
//! folder are followed, as in a Kubernetes ConfigMap.

mod walk;
mod write;

pub use write::WriteOptions;

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// A folder that is open. All paths that its functions take are relative to it; a `/` at their begin is the folder.
#[derive(Debug)]
pub struct RootFolder {
    handle: OwnedFd,
    /// Where it is, by the name that it was opened by.
    named: PathBuf,
}

impl RootFolder {
    /// Opens a folder that the operator names; links on the way to it are followed.
    ///
    /// # Errors
    /// Where it is not a folder, or cannot be searched.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            handle: rustix::fs::open(path, flags, Mode::empty())?,
            named: path.to_owned(),
        })
    }

    /// Opens a folder beneath this one, which is then the root of its own.
    ///
    /// # Errors
    /// Where it is not a folder, or lies outside.
    pub fn beneath(&self, path: &Path) -> io::Result<Self> {
        Ok(Self {
            handle: self.open_any(path, OFlags::PATH | OFlags::DIRECTORY)?,
            named: self.named.join(relative(path)),
        })
    }

    /// Where it is, without links: a link with an absolute target that begins so stays inside. It is found out where such
    /// a link is met, as that costs a call for each directory on the way. A folder that was moved meanwhile has another
    /// answer: that is good enough, since what follows the link checks each component again.
    fn real(&self) -> io::Result<PathBuf> {
        self.named.canonicalize()
    }

    /// What is at a path, links followed.
    ///
    /// # Errors
    /// Where there is nothing, or it lies outside.
    pub fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        File::from(self.open_any(path, OFlags::PATH)?).metadata()
    }

    /// Whether there is a folder at a path, links followed.
    #[must_use]
    pub fn is_folder(&self, path: &Path) -> bool {
        self.metadata(path).is_ok_and(|found| found.is_dir())
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// Where it is no regular file, lies outside, or cannot be read.
    pub fn file(&self, path: &Path) -> io::Result<File> {
        Ok(self.sized_file(path)?.0)
    }

    /// Opens a regular file as [`file`](Self::file) does, and says how many bytes it has.
    fn sized_file(&self, path: &Path) -> io::Result<(File, u64)> {
        // Without NONBLOCK the opening of a pipe waits until something writes to it.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match self.open_any(path, flags) {
            // That is how a socket answers.
            Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                return Err(not_regular());
            }
            opened => File::from(opened?),
        };
        let found = file.metadata()?;
        if found.is_file() {
            Ok((file, found.len()))
        } else {
            Err(not_regular())
        }
    }

    /// The content of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`file`](Self::file), and where the file is larger.
    pub fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let (file, bytes) = self.sized_file(path)?;
        read_sized(file, bytes, limit)
    }

    /// The names in a folder, in their order.
    ///
    /// # Errors
    /// Where it is not a folder, lies outside, or cannot be read.
    pub fn list(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let folder = self.open_any(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in Dir::new(folder)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Opens what is at a path, beneath the folder.
    fn open_any(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let path = relative(path);
        let flags = flags | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let whole = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        match openat2(&self.handle, whole, flags, Mode::empty(), resolve) {
            Ok(opened) => Ok(opened),
            Err(Errno::NOENT) => Err(Errno::NOENT.into()),
            // A kernel or a container without the call; or a link that leads out, or whose target is absolute.
            Err(_) => self.open_by_walking(path, flags),
        }
    }
}

/// A path as one below the root.
fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

/// Opens a regular file anywhere for reading, links followed. /dev/null counts as an empty one.
///
/// A pipe that nothing writes to, a terminal and a device would hold up the program, or never end.
///
/// # Errors
/// Where it is no regular file, or cannot be opened.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        // That is how a socket answers.
        Err(Errno::NXIO) => return Err(not_regular()),
        opened => File::from(opened?),
    };
    let found = file.metadata()?;
    let null = || {
        use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
        // Its number is the same on every Linux (Documentation/admin-guide/devices.txt).
        found.file_type().is_char_device() && found.rdev() == rustix::fs::makedev(1, 3)
    };
    if found.is_file() || null() {
        Ok(file)
    } else {
        Err(not_regular())
    }
}

/// The content of a regular file anywhere, if it has at most `limit` bytes; see [`open_regular`].
///
/// # Errors
/// As [`open_regular`], and where it has more or cannot be read.
pub fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    read_at_most(open_regular(path)?, limit)
}

/// The content of an open file, if it has at most `limit` bytes.
///
/// # Errors
/// Where it has more, or cannot be read.
pub fn read_at_most(file: impl io::Read, limit: u64) -> io::Result<Vec<u8>> {
    read_sized(file, 0, limit)
}

/// As [`read_at_most`], for a file that had so many bytes when it was opened: it is read by one call, and its end by another.
fn read_sized(file: impl io::Read, size: u64, limit: u64) -> io::Result<Vec<u8>> {
    let room = usize::try_from(size.min(limit).saturating_add(1)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(if size == 0 { 0 } else { room });
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!(
            "it has more than {limit} bytes, which is the limit"
        )));
    }
    Ok(bytes)
}

fn not_regular() -> io::Error {
    io::Error::other("it is a folder, pipe, socket or device, not a regular file")
}

#[cfg(test)]
mod tests;
