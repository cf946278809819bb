//! Reading secrets, at the moment when they are needed.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::load::files;
use crate::model::Murder;
use crate::root_folder::open_regular;
use crate::secret::{Body, Secret, SecretName, SecretSource, Secrets};

/// The largest file that can hold a secret, in bytes.
const MOST: u64 = 64 << 10;

/// Reads the secrets of these names.
///
/// A file must be one that only its owner can read. One line end after its text is cut; anything
/// else that a configuration file would lose or misread is an error.
#[must_use]
pub fn secrets(murder: &Murder, which: &BTreeSet<SecretName>) -> (Secrets, Vec<Diagnostic>) {
    let mut secrets = Secrets::default();
    let mut problems = Vec::new();
    for name in which {
        let Some((source, at)) = murder.secrets.get(name) else {
            problems.push(Diagnostic::error(format!("there is no secret `{name}`")));
            continue;
        };
        match read(name, source, *at) {
            Ok(secret) => secrets.insert(name.clone(), secret),
            Err(problem) => problems.push(problem),
        }
    }
    (secrets, problems)
}

/// Checks whether the files of secrets could be read, without reading them. Each that an apply would refuse is a warning,
/// so that `murder check` shows it first.
#[must_use]
pub fn check_secret_files(murder: &Murder) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (source, at) in murder.secrets.values() {
        let SecretSource::File(path) = source else {
            continue;
        };
        let found = fs::metadata(path).map_err(|error| files::unreadable(path, &error));
        if let Err(mut problem) = found.and_then(|found| closed(path, &found)) {
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

fn read(name: &SecretName, source: &SecretSource, at: Span) -> Result<Secret, Diagnostic> {
    let text = match source {
        SecretSource::File(path) => {
            from_file(path).map_err(|problem| problem.at(at, "read from here"))?
        }
        SecretSource::Env(variable) => {
            Zeroizing::new(std::env::var(variable).map_err(|error| {
                let why = match error {
                    std::env::VarError::NotPresent => "is not set",
                    std::env::VarError::NotUnicode(_) => "is not UTF-8 text",
                };
                Diagnostic::error(format!("the environment variable `{variable}` {why}"))
                    .at(at, format!("the secret `{name}` is read from it"))
                    .hint(format!("export `{variable}` before the run"))
            })?)
        }
        SecretSource::Literal(secret) => return Ok(secret.clone()),
    };
    match unfit(&text) {
        None => Ok(Secret::new(text.as_str().to_owned())),
        Some(why) => Err(Diagnostic::error(format!("the secret `{name}` {why}"))
            .at(at, "read from here")
            .hint("a secret is one line of text")),
    }
}

/// Why a text cannot be a secret: Postfix would cut or misread it. None where it can.
fn unfit(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.contains(['\n', '\r', '\0']) {
        Some("has a line break")
    } else if text.trim() != text {
        Some("begins or ends with a blank, which Postfix would cut")
    } else if text.chars().any(char::is_control) || Body::reserved(text) {
        Some("has a control character")
    } else {
        None
    }
}

/// A secret's file is one that only its owner can reach.
fn closed(path: &Path, found: &fs::Metadata) -> Result<(), Diagnostic> {
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
        .hint(format!("chmod 600 {}", path.display())));
    }
    Ok(())
}

fn from_file(path: &Path) -> Result<Zeroizing<String>, Diagnostic> {
    let unreadable = |error: &std::io::Error| files::unreadable(path, error);
    // One descriptor for the check and the reading: the file cannot be exchanged in between.
    let file = open_regular(path).map_err(|error| unreadable(&error))?;
    let found = file.metadata().map_err(|error| unreadable(&error))?;
    closed(path, &found)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MOST {
        return Err(
            Diagnostic::error(format!("`{}` is too large for a secret", path.display()))
                .hint("a secret is one line of text"),
        );
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        Diagnostic::error(format!("`{}` is not UTF-8 text", path.display()))
            .hint("a secret is one line of text")
    })?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(bytes: &[u8], mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    fn get(bytes: &[u8], mode: u32) -> Result<String, String> {
        let file = file(bytes, mode);
        let at = Span {
            source: crate::diagnostic::SourceId(0),
            start: 0,
            end: 0,
        };
        let name = SecretName("ldap.bind_pw".to_owned());
        let source = SecretSource::File(file.path().to_owned());
        match read(&name, &source, at) {
            Ok(secret) => Ok(secret.expose().to_owned()),
            Err(problem) => Err(problem.summary),
        }
    }

    #[test]
    fn one_line_end_is_cut_and_nothing_else() {
        assert_eq!(get(b"hunter2\n", 0o600).unwrap(), "hunter2");
        assert_eq!(get(b"hunter2", 0o400).unwrap(), "hunter2");
        assert_eq!(
            get("pa$$ wörd#\r\n".as_bytes(), 0o600).unwrap(),
            "pa$$ wörd#"
        );
        for (bytes, why) in [
            (&b"a\n\n"[..], "line break"),
            (b"a\nb\n", "line break"),
            (b" a\n", "blank"),
            (b"a \n", "blank"),
            (b"\n", "empty"),
            (b"", "empty"),
            (b"a\tb", "control"),
            (b"\xff", "UTF-8"),
        ] {
            let error = get(bytes, 0o600).unwrap_err();
            assert!(error.contains(why), "{bytes:?}: {error}");
        }
    }

    #[test]
    fn a_file_that_others_reach_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o660, 0o610] {
            let error = get(b"hunter2", mode).unwrap_err();
            assert!(
                error.contains("other users have access to it"),
                "{mode:o}: {error}"
            );
        }
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let endless = folder.path().join("endless");
        let file = fs::File::create(&endless).unwrap();
        file.set_len(1 << 40).unwrap();
        fs::set_permissions(&endless, fs::Permissions::from_mode(0o600)).unwrap();
        for path in [
            &*pipe,
            &*link,
            &*socket,
            &*endless,
            folder.path(),
            Path::new("/dev/zero"),
            Path::new("/dev/null"),
            Path::new("/dev/tty"),
            Path::new("/proc/kmsg"),
        ] {
            assert!(from_file(path).is_err(), "{}", path.display());
        }
    }
}
