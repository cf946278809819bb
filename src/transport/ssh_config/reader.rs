//! Our own reader of ssh_config(5): `Host`, `Include`, and the keywords of [`super::set`].

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Environment, Settings, Tokens, Unsupported, set};
use crate::root_folder::read_regular;
use crate::transport::client_files::ClientFiles;
use crate::transport::known_hosts::glob;

/// Includes nest at most this deep, as in OpenSSH (readconf.h, `READCONF_MAX_DEPTH`).
const DEPTH: usize = 16;

/// Reads the user's file and the system's, or the one that stands in for both.
pub(super) fn read(
    alias: &str,
    environment: &Environment,
    files: &ClientFiles,
) -> Result<Settings, Unsupported> {
    let mut reader = Reader {
        alias,
        environment,
        files,
        settings: Settings::default(),
    };
    match &environment.config {
        Some(file) => reader.file(file, &environment.home.join(".ssh"), &mut true, 0)?,
        None => {
            let folder = environment.home.join(".ssh");
            reader.file(&folder.join("config"), &folder, &mut true, 0)?;
            let folder = Path::new("/etc/ssh");
            reader.file(&folder.join("ssh_config"), folder, &mut true, 0)?;
        }
    }
    Ok(reader.settings)
}

struct Reader<'a> {
    alias: &'a str,
    environment: &'a Environment,
    files: &'a ClientFiles,
    settings: Settings,
}

impl Reader<'_> {
    /// Reads a file; `active` says whether the `Host` above it means us, and is given back.
    fn file(
        &mut self,
        file: &Path,
        folder: &Path,
        active: &mut bool,
        depth: usize,
    ) -> Result<(), Unsupported> {
        let text = match self.files.texts.of(file, text) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(()),
            Err(error) => {
                return Err(Unsupported {
                    keyword: error.to_string(),
                    place: file.display().to_string(),
                });
            }
        };
        for (index, line) in text.lines().enumerate() {
            let Some((keyword, arguments)) = split_line(line) else {
                continue;
            };
            let unsupported = || Unsupported {
                keyword: keyword.clone(),
                place: format!("{}:{}", file.display(), index + 1),
            };
            match keyword.as_str() {
                "host" => *active = host_matches(&arguments, self.alias),
                "match" => return Err(unsupported()),
                "include" if *active => {
                    if depth >= DEPTH {
                        return Err(unsupported());
                    }
                    for pattern in &arguments {
                        for file in &*self.included(pattern, folder).ok_or_else(unsupported)? {
                            // A `Host` of an included file ends with that file.
                            self.file(file, folder, &mut true, depth + 1)?;
                        }
                    }
                }
                _ if *active => {
                    let tokens = Tokens {
                        alias: self.alias,
                        environment: self.environment,
                    };
                    set(&mut self.settings, &keyword, &arguments, &tokens)
                        .map_err(|()| unsupported())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The files that an `Include` names, in order; wildcards in the last part only.
    fn included(&self, pattern: &str, folder: &Path) -> Option<Arc<[PathBuf]>> {
        if pattern.contains(['%', '[']) || pattern.contains("${") {
            return None;
        }
        let path = folder.join(self.environment.expand(pattern));
        let (parent, name) = (path.parent()?, path.file_name()?.to_str()?);
        if parent.to_str()?.contains(['*', '?']) {
            return None;
        }
        if !name.contains(['*', '?']) {
            return Some(Arc::new([path]));
        }
        let matching = |_: &Path| Ok(matching(parent, name));
        self.files.globs.of(&path, matching).ok()
    }
}

/// The largest ssh_config(5) that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// A file's text; none where there is no file.
fn text(file: &Path) -> std::io::Result<Option<Arc<str>>> {
    match read_regular(file, LARGEST) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files of a folder whose names match, in order.
fn matching(parent: &Path, name: &str) -> Arc<[PathBuf]> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            entry.file_name().to_str().is_some_and(|found| {
                glob(name, found) && (!found.starts_with('.') || name.starts_with('.'))
            })
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files.into()
}

/// The files that a path names, with wildcards in its last part.
pub(super) fn glob_files(path: &Path) -> Vec<PathBuf> {
    match (
        path.parent(),
        path.file_name().and_then(|name| name.to_str()),
    ) {
        (Some(parent), Some(name)) if name.contains(['*', '?']) => matching(parent, name).to_vec(),
        _ => vec![path.to_owned()],
    }
}

/// Whether the patterns of a `Host` line mean the host: one must, and no negated one may.
fn host_matches(patterns: &[String], alias: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern, alias) => return false,
            Some(_) => {}
            None => found = found || glob(pattern, alias),
        }
    }
    found
}

/// `Keyword argument…` or `Keyword=argument`, with double quotes; none for a comment or a blank line.
pub(super) fn split_line(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|c: char| c.is_ascii_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let mut rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let mut arguments = Vec::new();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once([' ', '\t']).unwrap_or((rest, "")),
        };
        arguments.push(word.to_owned());
        rest = after.trim_start();
    }
    Some((keyword.to_ascii_lowercase(), arguments))
}
