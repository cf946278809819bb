//! Which files belong to a manifest, and their texts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::plan_head::plan_in;
use crate::diagnostic::Diagnostic;
use crate::module::ModuleFile;
use crate::root_folder::{RootFolder, read_at_most, read_regular};

/// Bytes that all texts of one run may have together; a manifest of ten thousand hosts has about three million.
const MOST_BYTES: u64 = 64 << 20;

/// Reads texts beneath the manifest's folder, and those that the operator names.
pub(super) struct Reader {
    /// The folder, for messages.
    folder: PathBuf,
    root: io::Result<RootFolder>,
    /// Bytes that may still be read, see [`MOST_BYTES`].
    left: Cell<u64>,
    links: LinkScope,
    /// The checkout that the files are of, where they are of a revision of git.
    origin: Option<Origin>,
    /// The files that were read.
    read: RefCell<BTreeSet<PathBuf>>,
}

/// Where a copy of a revision is, and how its paths are shown.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// The folder of the copy.
    pub(super) root: PathBuf,
    /// What is shown in its place: `main:`.
    pub(super) shown: String,
}

impl Origin {
    /// A path of the copy as git names it: `main:manifests/hosts.yaml`.
    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.root) {
            Ok(inner) => format!("{}{}", self.shown, inner.display()).into(),
            Err(_) => path.to_owned(),
        }
    }
}

/// How far links are followed from a file that the operator names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkScope {
    /// To wherever they lead.
    Anywhere,
    /// In the file's own folder: whoever wrote the manifest may have put the link there.
    OwnFolder,
}

impl Reader {
    /// A reader for the folder of a manifest.
    pub(super) fn new(folder: &Path, links: LinkScope) -> Self {
        Self {
            folder: folder.to_owned(),
            root: RootFolder::open(folder),
            left: Cell::new(MOST_BYTES),
            links,
            origin: None,
            read: RefCell::default(),
        }
    }

    /// The same for files of a copy of a revision.
    pub(super) fn of(self, origin: Option<&Origin>) -> Self {
        Self {
            origin: origin.cloned(),
            ..self
        }
    }

    /// A path as messages show it.
    pub(super) fn label(&self, path: &Path) -> PathBuf {
        match &self.origin {
            Some(origin) => origin.shown(path),
            None => path.to_owned(),
        }
    }

    /// The files that were read so far, those in the manifest's folder as paths that begin with it.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        self.read.borrow().clone()
    }

    fn root(&self) -> io::Result<&RootFolder> {
        self.root
            .as_ref()
            .map_err(|error| io::Error::new(error.kind(), error.to_string()))
    }

    /// A path of the manifest's folder, as a user types it: `a.yaml`, and not `./a.yaml`.
    pub(super) fn shown(&self, path: &Path) -> PathBuf {
        let whole = self.label(&self.folder.join(path));
        whole
            .strip_prefix(".")
            .map_or(whole.clone(), Path::to_owned)
    }

    /// The text of a file in the manifest's folder; a link must not lead out of it.
    pub(super) fn inside(&self, path: &Path) -> Result<String, Diagnostic> {
        let bytes = self.root().and_then(|root| {
            if path.is_absolute() {
                return Err(io::Error::other(format!(
                    "it is outside of the manifest's folder `{}`",
                    self.label(&self.folder).display()
                )));
            }
            root.read(path, self.left.get())
        });
        self.read.borrow_mut().insert(self.folder.join(path));
        self.text(&self.shown(path), bytes)
    }

    /// The text of a file that the operator names. It may be anywhere. It is a pipe only where its name says that the
    /// operator made one, as `<(command)` does: any other pipe may have been put in its place.
    pub(super) fn named(&self, path: &Path) -> Result<String, Diagnostic> {
        let limit = self.left.get();
        self.read.borrow_mut().insert(path.to_owned());
        let bytes = if is_descriptor(path) {
            fs::File::open(path).and_then(|file| read_at_most(file, limit))
        } else if let (LinkScope::OwnFolder, Some(name)) = (self.links, path.file_name()) {
            RootFolder::open(&folder_of(path)).and_then(|root| root.read(Path::new(name), limit))
        } else {
            read_regular(path, limit)
        };
        self.text(&self.label(path), bytes)
    }

    fn text(&self, path: &Path, bytes: io::Result<Vec<u8>>) -> Result<String, Diagnostic> {
        let bytes = bytes.map_err(|error| unreadable(path, &error))?;
        self.left
            .set(self.left.get().saturating_sub(bytes.len() as u64));
        utf8(path, bytes)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        let names = self.root()?.list(path)?;
        Ok(names.into_iter().map(|name| path.join(name)).collect())
    }

    /// The files of the manifest's folder: all `*.yaml` and `*.yml` files but hidden ones and those that are given as
    /// overlays.
    pub(super) fn manifest_files(
        &self,
        overlays: &[PathBuf],
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<PathBuf> {
        let entries = match self.list(Path::new("")) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(unreadable(&self.label(&self.folder), &error));
                return Vec::new();
            }
        };
        let overlays: Vec<PathBuf> = overlays
            .iter()
            .filter_map(|overlay| fs::canonicalize(overlay).ok())
            .collect();
        let mut files = Vec::new();
        for entry in entries {
            let whole = self.folder.join(&entry);
            let overlay = || fs::canonicalize(&whole).is_ok_and(|entry| overlays.contains(&entry));
            if !looks_like_yaml(&entry) || overlay() {
                continue;
            }
            match self.no_part(&entry) {
                Some(problem) => problems.push(problem),
                None => files.push(entry),
            }
        }
        if files.is_empty() && problems.is_empty() {
            problems.push(
                Diagnostic::error(format!(
                    "there is no manifest in `{}`",
                    self.label(&self.folder).display()
                ))
                .detail("a manifest is one or more *.yaml or *.yml files")
                .hint(match plan_in(&self.folder) {
                    Some(plan) => format!(
                        "it has a saved plan: `murder show {plan}`, `murder apply {plan}`",
                        plan = self.label(&plan).display()
                    ),
                    None => "give the file or folder as the last argument: `murder check PATH`, \
                         `murder plan --sandbox=DIR PATH`, `murder release HOST all PATH`"
                        .to_owned(),
                }),
            );
        }
        files
    }

    /// Why what looks like a part of a manifest is none. To pass it over would take away the hosts in it.
    fn no_part(&self, path: &Path) -> Option<Diagnostic> {
        if let Some(problem) = self.no_file(path) {
            return Some(problem.hint(format!(
                "remove it, or rename it to `.{}`: names that begin with a dot are ignored",
                path.file_name().unwrap_or_default().display()
            )));
        }
        let shown = self.shown(path);
        let end = path.extension().unwrap_or_default();
        (end != "yaml" && end != "yml").then(|| {
            Diagnostic::error(format!("`{}` would be ignored", shown.display()))
                .detail("only files named *.yaml or *.yml, in lower case, belong to a manifest")
                .hint(format!(
                    "rename it to `{}`",
                    shown.with_extension(end.to_ascii_lowercase()).display()
                ))
        })
    }

    /// Why a path is nothing that can be read as a file: a link to nowhere or out of the folder, a folder, a pipe.
    fn no_file(&self, path: &Path) -> Option<Diagnostic> {
        let shown = self.shown(path);
        let shown = shown.display();
        match self.root().and_then(|root| root.metadata(path)) {
            Ok(seen) if seen.is_file() => None,
            Ok(seen) => {
                let what = if seen.is_dir() {
                    "a folder"
                } else {
                    "a pipe, socket or device"
                };
                Some(Diagnostic::error(format!(
                    "`{shown}` is {what}, not a file"
                )))
            }
            Err(error) => {
                let problem = Diagnostic::error(format!("`{shown}` cannot be read"));
                let target = self.root().ok().and_then(|root| root.link(path));
                Some(match target {
                    Some(target) => {
                        problem.detail(format!("it is a link to `{}`: {error}", target.display()))
                    }
                    None => problem.detail(error.to_string()),
                })
            }
        }
    }

    /// The files of the `modules/` folder beside a manifest, by their path in it.
    pub(super) fn module_files(&self, problems: &mut Vec<Diagnostic>) -> Vec<ModuleFile> {
        let mut found = Vec::new();
        let modules = Path::new("modules");
        match self.root().and_then(|root| root.metadata(modules)) {
            Ok(seen) if seen.is_dir() => self.collect(modules, "", &mut found, problems),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Modules that are passed over would take away what they set.
            Err(_) => problems.extend(
                self.no_file(modules)
                    .map(|problem| problem.hint("remove it, or put the folder there")),
            ),
        }
        found
    }

    fn collect(
        &self,
        folder: &Path,
        prefix: &str,
        found: &mut Vec<ModuleFile>,
        problems: &mut Vec<Diagnostic>,
    ) {
        /// `role/templates/x.tera` has two slashes.
        const DEPTH: usize = 3;
        let entries = match self.list(folder) {
            Ok(entries) => entries,
            Err(error) => {
                problems.push(unreadable(&self.shown(folder), &error));
                return;
            }
        };
        for entry in entries {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            let path = format!("{prefix}{name}");
            if self.root().is_ok_and(|root| root.is_folder(&entry)) {
                if path.matches('/').count() < DEPTH {
                    self.collect(&entry, &format!("{path}/"), found, problems);
                }
            } else if name == "module.yaml" || name.ends_with(".tera") {
                if let Some(problem) = self.no_file(&entry) {
                    problems.push(problem.hint("remove it, or put the file there"));
                    continue;
                }
                match self.inside(&entry) {
                    Ok(text) => found.push((path.into(), text.into())),
                    Err(problem) => problems.push(problem),
                }
            } else if ["module.yaml", "module.yml"]
                .iter()
                .any(|wanted| name.eq_ignore_ascii_case(wanted))
            {
                let shown = self.shown(&entry);
                problems.push(
                    Diagnostic::error(format!("`{}` would be ignored", shown.display()))
                        .detail("a module is a file `module.yaml`")
                        .hint(format!(
                            "rename it to `{}`",
                            shown.with_file_name("module.yaml").display()
                        )),
                );
            }
        }
    }
}

/// Whether a path names an open file of this process: `/dev/stdin`, `/dev/fd/63`.
fn is_descriptor(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || ["/dev/fd", "/proc/self/fd"]
            .iter()
            .any(|folder| path.parent() == Some(Path::new(folder)))
}

/// The folder that a manifest's relative paths start from.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether a folder has a file that looks like a part of a manifest.
#[must_use]
pub fn has_manifest(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.path());
    names.any(|path| looks_like_yaml(&path))
}

/// Whether a person would take it for a part of the manifest; hidden files are not.
fn looks_like_yaml(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = path.extension().unwrap_or_default().to_ascii_lowercase();
    !name.starts_with('.') && (end == "yaml" || end == "yml")
}

fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1;
        Diagnostic::error(format!("`{}` is not UTF-8 text", path.display()))
            .detail(format!("line {line} has a byte that is not UTF-8"))
            .hint("save it as UTF-8")
    })
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let problem =
        Diagnostic::error(format!("`{}` cannot be read", path.display())).detail(error.to_string());
    match error.kind() {
        io::ErrorKind::NotFound => problem.hint("check the path: it is relative to the working directory in an argument, and to the manifest's folder in a manifest"),
        io::ErrorKind::PermissionDenied => problem.hint("give your user permission to read it"),
        _ => problem.hint("put a regular file there: a manifest reads only the files of its own folder"),
    }
}
