//! Which files belong to a manifest, and their texts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

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
    let files: Vec<PathBuf> = entries
        .into_iter()
        .filter(|entry| {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            let yaml = name.ends_with(".yaml") || name.ends_with(".yml");
            let overlay = || fs::canonicalize(entry).is_ok_and(|entry| overlays.contains(&entry));
            yaml && !name.starts_with('.') && entry.is_file() && !overlay()
        })
        // `./a.yaml` is not what anybody would type.
        .map(|entry| {
            entry
                .strip_prefix(".")
                .map_or(entry.clone(), Path::to_owned)
        })
        .collect();
    if files.is_empty() {
        problems.push(
            Diagnostic::error(format!("there is no manifest in `{}`", path.display()))
                .detail("a manifest is one or more *.yaml or *.yml files")
                .hint("name the file or folder: `murder check PATH`"),
        );
    }
    files
}

/// The files of the `modules/` folder beside a manifest, by their path in it.
pub(super) fn module_files(folder: &Path, problems: &mut Vec<Diagnostic>) -> Vec<(String, String)> {
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
    found: &mut Vec<(String, String)>,
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
            match read(&entry) {
                Ok(text) => found.push((path, text)),
                Err(problem) => problems.push(problem),
            }
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
            .detail(format!(
                "line {line} has a byte that no character begins with"
            ))
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
        io::ErrorKind::NotFound => problem.hint("look at the path; relative ones start here for arguments, and from the manifest's folder inside it"),
        _ => problem,
    }
}
