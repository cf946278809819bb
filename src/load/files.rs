//! Which files belong to a manifest, and their texts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::module::ModuleFile;

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

/// The files of a manifest: the file itself, or all `*.yaml` and `*.yml` files of the folder
/// but hidden ones and those that are given as overlays.
pub(super) fn manifest_files(
    path: &Path,
    overlays: &[PathBuf],
    problems: &mut Vec<Diagnostic>,
) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = match list(path) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(unreadable(path, &error));
            return Vec::new();
        }
    };
    let overlays: Vec<PathBuf> = overlays
        .iter()
        .filter_map(|overlay| fs::canonicalize(overlay).ok())
        .collect();
    let mut files = Vec::new();
    for entry in entries {
        let overlay = || fs::canonicalize(&entry).is_ok_and(|entry| overlays.contains(&entry));
        if !looks_like_yaml(&entry) || overlay() {
            continue;
        }
        // Messages show `a.yaml`, as a user types it, and not `./a.yaml`.
        let entry = entry
            .strip_prefix(".")
            .map_or(entry.clone(), Path::to_owned);
        match no_part(&entry) {
            Some(problem) => problems.push(problem),
            None => files.push(entry),
        }
    }
    if files.is_empty() && problems.is_empty() {
        problems.push(
            Diagnostic::error(format!("there is no manifest in `{}`", path.display()))
                .detail("a manifest is one or more *.yaml or *.yml files")
                .hint(
                    "give the file or folder as the last argument: `murder check PATH`, \
                     `murder plan --sandbox=DIR PATH`, `murder release HOST all PATH`",
                ),
        );
    }
    files
}

/// Whether a person would take it for a part of the manifest; hidden files are not.
fn looks_like_yaml(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = path.extension().unwrap_or_default().to_ascii_lowercase();
    !name.starts_with('.') && (end == "yaml" || end == "yml")
}

/// Why what looks like a part of a manifest is none. To pass it over would take away the hosts in it.
fn no_part(path: &Path) -> Option<Diagnostic> {
    let shown = path.display();
    if let Some(problem) = no_file(path) {
        return Some(problem.hint(format!(
            "remove it, or rename it to `.{}`: names that begin with a dot are ignored",
            path.file_name().unwrap_or_default().display()
        )));
    }
    let end = path.extension().unwrap_or_default();
    (end != "yaml" && end != "yml").then(|| {
        Diagnostic::error(format!("`{shown}` would be ignored"))
            .detail("only files named *.yaml or *.yml, in lower case, belong to a manifest")
            .hint(format!(
                "rename it to `{}`",
                path.with_extension(end.to_ascii_lowercase()).display()
            ))
    })
}

/// Why a path is nothing that can be read as a file: a link to nowhere, a folder, a pipe.
fn no_file(path: &Path) -> Option<Diagnostic> {
    let shown = path.display();
    match fs::metadata(path) {
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
            Some(match fs::read_link(path) {
                Ok(target) => {
                    problem.detail(format!("it is a link to `{}`: {error}", target.display()))
                }
                Err(_) => problem.detail(error.to_string()),
            })
        }
    }
}

/// The files of the `modules/` folder beside a manifest, by their path in it.
pub(super) fn module_files(folder: &Path, problems: &mut Vec<Diagnostic>) -> Vec<ModuleFile> {
    let mut found = Vec::new();
    let root = folder.join("modules");
    if root.is_dir() {
        collect(&root, "", &mut found, problems);
    }
    found
}

fn collect(
    folder: &Path,
    prefix: &str,
    found: &mut Vec<ModuleFile>,
    problems: &mut Vec<Diagnostic>,
) {
    /// `role/templates/x.tera` has two slashes.
    const DEPTH: usize = 3;
    let entries = match list(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(unreadable(folder, &error));
            return;
        }
    };
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let path = format!("{prefix}{name}");
        if entry.is_dir() {
            if path.matches('/').count() < DEPTH {
                collect(&entry, &format!("{path}/"), found, problems);
            }
        } else if name == "module.yaml" || name.ends_with(".tera") {
            if let Some(problem) = no_file(&entry) {
                problems.push(problem.hint("remove it, or put the file there"));
                continue;
            }
            match read(&entry) {
                Ok(text) => found.push((path.into(), text.into())),
                Err(problem) => problems.push(problem),
            }
        } else if ["module.yaml", "module.yml"]
            .iter()
            .any(|wanted| name.eq_ignore_ascii_case(wanted))
        {
            problems.push(
                Diagnostic::error(format!("`{}` would be ignored", entry.display()))
                    .detail("a module is a file `module.yaml`")
                    .hint(format!(
                        "rename it to `{}`",
                        entry.with_file_name("module.yaml").display()
                    )),
            );
        }
    }
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, Diagnostic> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
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

/// The entries of a folder, by name.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let problem =
        Diagnostic::error(format!("`{}` cannot be read", path.display())).detail(error.to_string());
    match error.kind() {
        io::ErrorKind::NotFound => problem.hint("check the path: it is relative to the working directory in an argument, and to the manifest's folder in a manifest"),
        io::ErrorKind::PermissionDenied => problem.hint("give your user permission to read it"),
        _ => problem.hint("check that it is a file that can be read"),
    }
}
