//! The way beneath a folder, component by component, for what `openat2` cannot say.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat, openat2, readlinkat};
use rustix::io::Errno;

use super::{RootFolder, relative};

/// Links that one path may lead over, as in Linux.
const MOST_LINKS: usize = 40;

/// Where a path ends: a name in an open folder, which is no link. None for the root itself.
pub(super) struct Place {
    pub(super) folder: OwnedFd,
    pub(super) name: Option<OsString>,
}

/// What is to be done where a folder on the way is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Fail,
    Create,
}

/// One walk: the folders from the root to where it is, and what is left of the way.
struct Walk<'a> {
    root: &'a RootFolder,
    inside: Vec<OwnedFd>,
    /// The next component is the last one.
    left: Vec<OsString>,
    links: usize,
}

impl RootFolder {
    /// Opens what is at a path. Each component is opened by itself, so nothing that changes meanwhile leads out.
    pub(super) fn open_by_walking(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let place = self.place(path, Missing::Fail)?;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let name = place.name.as_deref().unwrap_or(OsStr::new("."));
        Ok(openat(&place.folder, name, flags, Mode::empty())?)
    }

    /// Where a path ends, all links followed.
    pub(super) fn place(&self, path: &Path, missing: Missing) -> io::Result<Place> {
        if let Some(place) = self.place_at_once(path) {
            return Ok(place);
        }
        let mut walk = Walk {
            root: self,
            inside: Vec::new(),
            left: Vec::new(),
            links: 0,
        };
        walk.prepend(path)?;
        walk.run(missing)
    }
}

impl RootFolder {
    /// Where a path ends, by one call of the kernel for its folder. None where the folder is missing or lies outside, where
    /// the last name is that of a link, and where the path has no last name: the walk judges these.
    fn place_at_once(&self, path: &Path) -> Option<Place> {
        let path = relative(path);
        let (above, name) = (path.parent()?, path.file_name()?);
        let above = match above.as_os_str().is_empty() {
            true => Path::new("."),
            false => above,
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let folder = openat2(&self.handle, above, flags, Mode::empty(), resolve).ok()?;
        match readlinkat(&folder, name, Vec::new()) {
            Err(Errno::INVAL | Errno::NOENT) => Some(Place {
                folder,
                name: Some(name.to_owned()),
            }),
            _ => None,
        }
    }
}

impl Walk<'_> {
    fn run(mut self, missing: Missing) -> io::Result<Place> {
        while let Some(name) = self.left.pop() {
            if name == ".." {
                if self.inside.pop().is_none() {
                    return Err(self.outside());
                }
            } else if let Some(target) = self.link(&name)? {
                self.links += 1;
                if self.links > MOST_LINKS {
                    return Err(Errno::LOOP.into());
                }
                self.prepend(&target)?;
            } else if self.left.is_empty() {
                return Ok(Place {
                    folder: self.here().try_clone_to_owned()?,
                    name: Some(name),
                });
            } else {
                let folder = self.enter(&name, missing)?;
                self.inside.push(folder);
            }
        }
        Ok(Place {
            folder: self.here().try_clone_to_owned()?,
            name: None,
        })
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.inside
            .last()
            .map_or(self.root.handle.as_fd(), |folder| folder.as_fd())
    }

    /// Puts a path before what is left of the way.
    fn prepend(&mut self, path: &Path) -> io::Result<()> {
        let rest: PathBuf;
        let path = if path.is_absolute() {
            // A path of the caller begins without a slash: this is a link's target.
            self.inside.clear();
            let real = self.root.real()?;
            rest = path
                .strip_prefix(real)
                .map_err(|_| self.outside())?
                .to_owned();
            &rest
        } else {
            path
        };
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.left.push(name.to_owned()),
                Component::ParentDir => self.left.push("..".into()),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        Ok(())
    }

    fn enter(&self, name: &OsStr, missing: Missing) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || openat(self.here(), name, flags, Mode::empty());
        match open() {
            Err(Errno::NOENT) if missing == Missing::Create => {
                match mkdirat(self.here(), name, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => Ok(open()?),
                    Err(error) => Err(error.into()),
                }
            }
            opened => Ok(opened?),
        }
    }

    /// The target of a link; none where there is no link of that name.
    fn link(&self, name: &OsStr) -> io::Result<Option<PathBuf>> {
        match readlinkat(self.here(), name, Vec::new()) {
            Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()).into())),
            Err(Errno::INVAL | Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn outside(&self) -> io::Error {
        let folder = self.root.real().unwrap_or_else(|_| self.root.named.clone());
        io::Error::other(format!("it leads out of the folder `{}`", folder.display()))
    }
}
