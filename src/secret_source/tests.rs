//! Tests of the secrets that this machine has.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;
use crate::secret::LocalFile;

fn get(bytes: &[u8], mode: u32) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
    let source = SecretSource::File(LocalFile::Path(file.path().to_owned()));
    let name = SecretName("ldap.bind_pw".to_owned());
    let text = read(&source, SourceOptions::default());
    match text.and_then(|text| fit(&name, &text)) {
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
        let file = LocalFile::Path(path.to_owned());
        assert!(file::read(&file).is_err(), "{}", path.display());
    }
}
