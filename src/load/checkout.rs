//! A manifest as it is in a revision of git, copied to a temporary folder. The work tree is neither read nor changed.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::bounded::{Bounds, Printed};
use super::files::Origin;
use super::git::{BOUNDS, Git};
use crate::diagnostic::Diagnostic;

/// Bytes and files that the folder of a manifest may have in a revision.
const MOST_BYTES: u64 = 64 << 20;
const MOST_FILES: usize = 20_000;

/// The copy of a manifest's folder in a revision. It is deleted with this value.
#[derive(Debug)]
pub struct Checkout {
    /// The manifest in it.
    pub manifest: PathBuf,
    /// The overlays in it.
    pub overlays: Vec<PathBuf>,
    pub(super) origin: Origin,
    _root: TempDir,
}

/// Two revisions: `main..HEAD`, or `main...HEAD` from the commit where both parted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRange {
    /// The older one, as written.
    pub old: String,
    /// The newer one.
    pub new: String,
    /// Whether the older one is the last commit that both have in common.
    pub since_parting: bool,
}

impl RevisionRange {
    /// Reads a range as git-rev-parse(1) writes it. A side that is left out is `HEAD`. None where the text is no range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (old, new, since_parting) = match text.split_once("...") {
            Some((old, new)) => (old, new, true),
            None => {
                let (old, new) = text.split_once("..")?;
                (old, new, false)
            }
        };
        let or_head = |side: &str| match side {
            "" => "HEAD".to_owned(),
            side => side.to_owned(),
        };
        let has_side = !old.is_empty() || !new.is_empty();
        (has_side && !new.starts_with('/')).then(|| Self {
            old: or_head(old),
            new: or_head(new),
            since_parting,
        })
    }

    /// Copies the manifest at `path` with `overlays`, which are paths of the work tree, from both revisions.
    ///
    /// # Errors
    /// If git does not know one of them, or has no manifest there.
    pub fn check_out(
        &self,
        path: &Path,
        overlays: &[PathBuf],
    ) -> Result<(Checkout, Checkout), Diagnostic> {
        let place = Place::of(path)?;
        let new = place.commit(&self.new)?;
        let old = match self.since_parting {
            false => (place.commit(&self.old)?, self.old.clone()),
            true => {
                let base = place.parting(&place.commit(&self.old)?, &new, self)?;
                let short = base.get(..12).unwrap_or(&base).to_owned();
                (base, short)
            }
        };
        Ok((
            place.check_out(&old.0, &old.1, overlays)?,
            place.check_out(&new, &self.new, overlays)?,
        ))
    }
}

/// Where a manifest is in its repository.
struct Place {
    /// A folder of the work tree.
    folder: PathBuf,
    /// The path from the top of the repository, without a slash at its end; empty for the top itself.
    path: String,
}

/// One file of a revision.
struct Blob {
    id: String,
    path: String,
    size: u64,
    is_link: bool,
}

impl Place {
    fn of(path: &Path) -> Result<Self, Diagnostic> {
        // The manifest may be in a revision alone: git is asked in the nearest folder that exists.
        let mut folder = match path.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => path.to_owned(),
        };
        let mut rest = Vec::new();
        while !folder.is_dir() {
            match folder.components().next_back() {
                Some(Component::Normal(name)) => rest.push(name.to_owned()),
                _ => return Err(no_repository(path)),
            }
            folder.pop();
            if folder.as_os_str().is_empty() {
                folder.push(".");
            }
        }
        let git = Git::new(&folder);
        let Some(prefix) = git.text(&["rev-parse", "--show-prefix"]) else {
            return Err(no_repository(path));
        };
        let mut whole = PathBuf::from(prefix);
        whole.extend(rest.iter().rev());
        let whole = whole.to_string_lossy().trim_end_matches('/').to_owned();
        Ok(Self {
            folder,
            path: whole,
        })
    }

    fn git(&self) -> Git<'_> {
        Git::new(&self.folder)
    }

    fn commit(&self, revision: &str) -> Result<String, Diagnostic> {
        let commit = format!("{revision}^{{commit}}");
        let arguments = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        let known = self.git().text(&arguments);
        known.filter(|id| is_id(id)).ok_or_else(|| {
            Diagnostic::error(format!("git has no commit `{revision}`"))
                .detail("a shallow clone has few commits and branches")
                .hint(format!("fetch it: `git fetch origin {revision}`"))
        })
    }

    fn parting(&self, old: &str, new: &str, range: &RevisionRange) -> Result<String, Diagnostic> {
        let base = self.git().text(&["merge-base", old, new]);
        base.filter(|id| is_id(id)).ok_or_else(|| {
            let RevisionRange { old, new, .. } = range;
            Diagnostic::error(format!(
                "git knows no commit that `{old}` and `{new}` have in common"
            ))
            .detail("a shallow clone does not have the whole history")
            .hint("fetch the history: `git fetch --unshallow`")
        })
    }

    /// Copies the manifest's folder and the overlays, with the permissions of a private file.
    fn check_out(
        &self,
        commit: &str,
        shown: &str,
        overlays: &[PathBuf],
    ) -> Result<Checkout, Diagnostic> {
        let root = tempfile::Builder::new()
            .prefix("murder-diff.")
            .tempdir()
            .map_err(|error| unwritable(&error))?;
        let object = format!("{commit}:{}", self.path);
        let kind = self.git().text(&["cat-file", "-t", &object]);
        let folder = match kind.as_deref() {
            Some("tree") => self.path.as_str(),
            Some("blob") => self.path.rsplit_once('/').map_or("", |(folder, _)| folder),
            _ => {
                let path = if self.path.is_empty() {
                    "."
                } else {
                    &self.path
                };
                return Err(
                    Diagnostic::error(format!("`{shown}` has no manifest `{path}`"))
                        .hint("give the path of the manifest as it is in the repository"),
                );
            }
        };
        let mut blobs = self.blobs(commit, folder, shown)?;
        let mut places = Vec::new();
        for overlay in overlays {
            let place = Self::of(overlay)?;
            let known = blobs.iter().any(|blob| blob.path == place.path);
            if !known {
                blobs.extend(self.blobs(commit, &place.path, shown)?);
            }
            places.push(root.path().join(place.path));
        }
        self.copy(&blobs, root.path(), shown)?;
        Ok(Checkout {
            manifest: root.path().join(&self.path),
            overlays: places,
            origin: Origin {
                root: root.path().to_owned(),
                shown: format!("{shown}:"),
            },
            _root: root,
        })
    }

    /// The files of a folder in a revision, or the file of that path.
    fn blobs(&self, commit: &str, path: &str, shown: &str) -> Result<Vec<Blob>, Diagnostic> {
        let mut arguments = vec!["ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--"];
        if !path.is_empty() {
            arguments.push(path);
        }
        let list = match self.git().run_with(&arguments, b"") {
            Some(Printed::Whole(bytes)) => bytes,
            Some(Printed::TooMuch) => return Err(too_much(path, shown)),
            None => return Err(unreadable(path, shown)),
        };
        let list = String::from_utf8_lossy(&list);
        let blobs: Vec<Blob> = list.split('\0').filter_map(blob).collect();
        let bytes: u64 = blobs.iter().map(|blob| blob.size).sum();
        match blobs.len() > MOST_FILES || bytes > MOST_BYTES {
            true => Err(too_much(path, shown)),
            false => Ok(blobs),
        }
    }

    /// Writes files below a new folder. Links come last, so that no file is written through one.
    fn copy(&self, blobs: &[Blob], root: &Path, shown: &str) -> Result<(), Diagnostic> {
        let input: String = blobs.iter().map(|blob| format!("{}\n", blob.id)).collect();
        let git = Git {
            bounds: Bounds {
                bytes: MOST_BYTES + 200 * blobs.len() as u64,
                ..BOUNDS
            },
            ..self.git()
        };
        let Some(Printed::Whole(bytes)) = git.run_with(&["cat-file", "--batch"], input.as_bytes())
        else {
            return Err(unreadable(&self.path, shown));
        };
        let mut rest = bytes.as_slice();
        let mut texts = Vec::with_capacity(blobs.len());
        for blob in blobs {
            let (text, after) = object(rest, blob).ok_or_else(|| unreadable(&blob.path, shown))?;
            texts.push((blob, text));
            rest = after;
        }
        texts.sort_by_key(|(blob, _)| blob.is_link);
        for (blob, text) in texts {
            write(&root.join(&blob.path), text, blob.is_link)
                .map_err(|error| unwritable(&error))?;
        }
        Ok(())
    }
}

/// Reads a line of `git ls-tree -l`: `100644 blob ID SIZE<tab>PATH`. None for a submodule, and for a path that leads out
/// of the folder, which only a forged tree has.
fn blob(line: &str) -> Option<Blob> {
    let (head, path) = line.split_once('\t')?;
    let mut words = head.split_whitespace();
    let (mode, kind, id, size) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
    let is_safe = !path.is_empty() && Path::new(path).components().all(inside);
    (kind == "blob" && is_id(id) && is_safe).then(|| Blob {
        id: id.to_owned(),
        path: path.to_owned(),
        size: size.parse().unwrap_or(u64::MAX),
        is_link: mode == "120000",
    })
}

/// Splits the output of `git cat-file --batch` behind one object: `ID blob SIZE`, a line end, the bytes, a line end.
fn object<'a>(bytes: &'a [u8], blob: &Blob) -> Option<(&'a [u8], &'a [u8])> {
    let head = format!("{} blob {}\n", blob.id, blob.size);
    let rest = bytes.strip_prefix(head.as_bytes())?;
    let size = usize::try_from(blob.size).ok()?;
    let (text, rest) = rest.split_at_checked(size)?;
    Some((text, rest.strip_prefix(b"\n")?))
}

fn write(path: &Path, text: &[u8], is_link: bool) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if is_link {
        return std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(text), path);
    }
    io::Write::write_all(&mut fs::File::create_new(path)?, text)
}

fn is_id(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn no_repository(path: &Path) -> Diagnostic {
    Diagnostic::error(format!("`{}` is in no git repository", path.display()))
        .detail("git(1) is missing, or knows no work tree there, or its repository belongs to another user")
        .hint("give two manifests: `murder diff OLD NEW`")
}

fn unreadable(path: &str, shown: &str) -> Diagnostic {
    Diagnostic::error(format!("git cannot read `{path}` of `{shown}`"))
        .detail("git failed, or took longer than 30 s; a partial clone does not have every file")
        .hint("fetch the whole revision, or give two manifests: `murder diff OLD NEW`")
}

fn too_much(path: &str, shown: &str) -> Diagnostic {
    Diagnostic::error(format!("`{path}` of `{shown}` is too large"))
        .detail(format!(
            "the manifest's folder may have {MOST_FILES} files and {} MiB",
            MOST_BYTES >> 20
        ))
        .hint("keep the manifest in a folder of its own")
}

fn unwritable(error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("the temporary folder cannot be written: {error}"))
        .hint("name another one: `TMPDIR=/var/tmp murder diff …`")
}
