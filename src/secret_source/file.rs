//! Secrets that this machine has: files, environment variables, credentials of systemd.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{MOST, Text, text_of};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::Murder;
use crate::root_folder::open_regular;
use crate::secret::{AgeContent, LocalFile, SecretSource};

/// The variable in which systemd names the folder of a unit's credentials (systemd.exec(5)).
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Checks whether the files of secrets could be read, without reading them. Each that an apply would refuse is a warning,
/// so that `murder check` shows it first.
#[must_use]
pub fn check_secret_files(murder: &Murder) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (source, at) in murder.secrets.values() {
        if let Err(mut problem) = check(source) {
            problem.level = Severity::Warning;
            problems.push(
                problem
                    .at(*at, "read from here")
                    .detail("`murder apply` will refuse it"),
            );
        }
    }
    problems
}

fn check(source: &SecretSource) -> Result<(), Diagnostic> {
    let metadata = |path: &Path| fs::metadata(path).map_err(|error| unreadable(path, &error));
    match source {
        SecretSource::File(file) => {
            // Where the variable is not set, this is not the place of the apply.
            let Ok(path) = path_of(file) else {
                return Ok(());
            };
            closed(&path, &metadata(&path)?, variable_of(file))
        }
        SecretSource::Age(age) => match &age.content {
            AgeContent::File(path) => metadata(&expanded(path)).map(drop),
            AgeContent::Text(_) => Ok(()),
        },
        SecretSource::Sops(sops) => metadata(&expanded(&sops.file)).map(drop),
        SecretSource::Env(_)
        | SecretSource::Command(_)
        | SecretSource::Credential(_)
        | SecretSource::Vault(_)
        | SecretSource::Literal(_) => Ok(()),
    }
}

/// The text of a file that only its owner can reach.
pub(super) fn read(file: &LocalFile) -> Text {
    let path = path_of(file)?;
    let opened = open(&path)?;
    // One descriptor for the check and the reading: the file cannot be exchanged in between.
    let found = opened
        .metadata()
        .map_err(|error| unreadable(&path, &error))?;
    closed(&path, &found, variable_of(file))?;
    let bytes = bytes(opened, &path, MOST)?;
    text_of(&bytes, &format!("`{}`", path.display()))
}

/// The text of an environment variable.
pub(super) fn variable(name: &str) -> Result<String, Diagnostic> {
    std::env::var(name).map_err(|error| {
        let why = match error {
            std::env::VarError::NotPresent => "is not set",
            std::env::VarError::NotUnicode(_) => "is not UTF-8 text",
        };
        Diagnostic::error(format!("the environment variable `{name}` {why}"))
            .hint(format!("export `{name}` before the run"))
    })
}

/// The text of a credential of the unit. systemd guards the folder; what a mode looks like there depends on its release.
pub(super) fn credential(name: &str) -> Text {
    let Some(folder) = std::env::var_os(CREDENTIALS) else {
        return Err(Diagnostic::error(format!(
            "there is no credential `{name}`: `{CREDENTIALS}` is not set"
        ))
        .hint(format!(
            "run `murder` in a systemd unit with `LoadCredential={name}:PATH`"
        )));
    };
    let path = Path::new(&folder).join(name);
    let opened = open_regular(&path).map_err(|error| {
        Diagnostic::error(format!("the credential `{name}` cannot be read"))
            .detail(error.to_string())
            .hint(format!("add `LoadCredential={name}:PATH` to the unit"))
    })?;
    let bytes = bytes(opened, &path, MOST)?;
    text_of(&bytes, &format!("the credential `{name}`"))
}

/// The bytes of a regular file that anyone may read, such as an encrypted one.
pub(super) fn public(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
    let path = expanded(path);
    bytes(open(&path)?, &path, most)
}

/// The path of a file; one of a variable is read from there.
pub(super) fn path_of(file: &LocalFile) -> Result<PathBuf, Diagnostic> {
    match file {
        LocalFile::Path(path) => Ok(expanded(path)),
        LocalFile::Variable { env: name } => {
            let path = variable(name).map_err(|problem| {
                problem.hint(format!(
                    "let `{name}` hold the path of the file: in GitLab, a variable of the type file"
                ))
            })?;
            // A variable that holds the secret itself must not become a part of a message.
            match path.starts_with('/') {
                true => Ok(PathBuf::from(path)),
                false => Err(Diagnostic::error(format!(
                    "the environment variable `{name}` does not hold the path of a file"
                ))
                .hint(format!(
                    "make it a variable of the type file, or write `{{env: {name}}}` if it holds the secret itself"
                ))),
            }
        }
    }
}

pub(super) fn variable_of(file: &LocalFile) -> Option<&str> {
    match file {
        LocalFile::Path(_) => None,
        LocalFile::Variable { env } => Some(env),
    }
}

/// `~/` is the home directory of the user.
pub(super) fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.to_owned(),
    }
}

/// Whether a file is one that only its owner can reach. `variable` holds its path, if one does.
pub(super) fn closed(
    path: &Path,
    found: &fs::Metadata,
    variable: Option<&str>,
) -> Result<(), Diagnostic> {
    if !found.is_file() {
        return Err(
            Diagnostic::error(format!("`{}` is not a file", path.display()))
                .hint("write the password into a file of its own"),
        );
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Diagnostic::error(format!(
            "`{}` holds a secret, but other users have access to it: its mode is {mode:04o}",
            path.display()
        ))
        .hint(match variable {
            None => format!("chmod 600 {}", path.display()),
            Some(name) => format!(
                "run `chmod 600 \"${name}\"` before `murder`; in GitLab, in `before_script` of the job"
            ),
        }));
    }
    Ok(())
}

pub(super) fn open(path: &Path) -> Result<fs::File, Diagnostic> {
    open_regular(path).map_err(|error| unreadable(path, &error))
}

fn bytes(file: fs::File, path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
    let length = file.metadata().map_or(0, |found| found.len().min(most));
    // A vector that grows leaves copies of its bytes behind.
    let room = usize::try_from(length).unwrap_or_default() + 64;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > most {
        return Err(
            Diagnostic::error(format!("`{}` is too large for a secret", path.display()))
                .hint("let the file hold the secret alone, as one line of text"),
        );
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let problem =
        Diagnostic::error(format!("`{}` cannot be read", path.display())).detail(error.to_string());
    match error.kind() {
        io::ErrorKind::NotFound => {
            problem.hint("check the path: it is relative to the manifest's folder")
        }
        io::ErrorKind::PermissionDenied => problem.hint("give your user permission to read it"),
        _ => problem.hint("put a regular file there"),
    }
}
