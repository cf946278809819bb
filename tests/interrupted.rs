//! SIGINT and SIGTERM in the middle of a verb that only reads: the exit code of the signal, a last line, and no part of a report.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::routes::text;

const MANIFEST: &str = "version: 1\nmurder: lab\ndomains: [example.org]\n\
    ldap: {uris: ['ldap://127.0.0.1:LDAP'], base: 'dc=example,dc=org', tls: {mode: none}, timeout: 60s}\n\
    defaults: {ssh: {address: 127.0.0.1, port: SSH, user: root}}\nhosts:\n  \
    smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n  \
    backend1.example.org: {roles: [backend], addresses: [192.0.2.11]}\n";

/// Starts a verb, sends it the signal after it has connected to the server, and gives back code, output and messages.
fn interrupted(
    folder: &Path,
    arguments: &[&str],
    server: &TcpListener,
    signal: &str,
) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_murder"))
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("SSH_AUTH_SOCK")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It waits for an answer that never comes.
    let (mut connection, _) = until(&mut child, || server.accept().ok());
    connection.set_nonblocking(false).unwrap();
    let mut first = [0; 1];
    connection.read_exact(&mut first).unwrap();
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &pid]).status();
    assert!(sent.unwrap().success());
    let output = child.wait_with_output().unwrap();
    // It may have asked several hosts.
    while server.accept().is_ok() {}
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// What comes while a child runs, such as its connection.
fn until<T>(child: &mut Child, mut comes: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(it) = comes() {
            return it;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Writes a manifest whose LDAP server and host are both this server, which never answers.
fn server_of_a_manifest(folder: &Path) -> TcpListener {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let manifest = MANIFEST.replace("LDAP", &port).replace("SSH", &port);
    std::fs::write(folder.join("murder.yaml"), manifest).unwrap();
    server
}

#[test]
fn a_signal_ends_trace_and_verify_with_its_code_and_a_last_line() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_of_a_manifest(folder.path());
    std::fs::write(
        folder.path().join("d.ldif"),
        "dn: uid=ann,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: ann@example.org\nmailHost: backend1.example.org\n\n",
    )
    .unwrap();
    let before = names(folder.path());
    let verify = ["verify", "murder.yaml"];
    let trace = ["trace", "ann@example.org", "--manifest", "murder.yaml"];
    let live = ["--live", "--accept-new", "--ldif", "d.ldif"];
    let json = ["--format", "json"];
    for arguments in [
        verify.to_vec(),
        [&verify[..], &json].concat(),
        [&verify[..], &["--single-failures", "--format", "sarif"]].concat(),
        [&trace[..], &json].concat(),
        [&trace[..], &live].concat(),
        [&trace[..], &json, &live].concat(),
    ] {
        for (signal, code) in [("INT", 130), ("TERM", 143)] {
            let (ended, out, err) = interrupted(folder.path(), &arguments, &server, signal);
            assert_eq!(ended, Some(code), "{arguments:?}: {out}{err}");
            assert_eq!(out, "", "{arguments:?}");
            assert_eq!(
                err.lines().last(),
                Some("interrupted: nothing was changed, and no report was made"),
                "{arguments:?}: {err}"
            );
        }
    }
    assert_eq!(names(folder.path()), before, "something is left");
}

/// `O_NONBLOCK` of open(2) on Linux.
const NONBLOCK: i32 = 0o4000;

/// While an export is read: here from a pipe whose writer is slow.
#[test]
fn a_signal_ends_verify_while_it_reads_an_export() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = MANIFEST.replace("LDAP", "389").replace("SSH", "22");
    std::fs::write(folder.path().join("murder.yaml"), manifest).unwrap();
    let pipe = folder.path().join("d.ldif");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_murder"))
            .current_dir(folder.path())
            .args([
                "verify",
                "murder.yaml",
                "--ldif",
                "d.ldif",
                "--format",
                "json",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It can be opened once the reader has opened it.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).custom_flags(NONBLOCK);
        let writer = until(&mut child, || options.open(&pipe).ok());
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
        let output = child.wait_with_output().unwrap();
        drop(writer);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{err}");
        assert!(output.stdout.is_empty());
        assert!(
            err.ends_with("interrupted: nothing was changed, and no report was made\n"),
            "{err}"
        );
    }
}

/// The files of a folder, but for the cache that every run keeps.
fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name != ".cache");
    names.sort();
    names
}

/// `apply` while it judges, and while it reads a host: nothing is changed before it says so.
#[test]
fn a_signal_ends_an_apply_that_has_changed_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_of_a_manifest(folder.path());
    let reads = ["apply", "murder.yaml", "--yes", "--accept-new"];
    let judges = [
        "apply",
        "murder.yaml",
        "--yes",
        "--sandbox=s",
        "--directory",
    ];
    for arguments in [
        reads.to_vec(),
        [&reads[..], &["--format=jsonl"]].concat(),
        judges.to_vec(),
        [&judges[..], &["--format=json"]].concat(),
        [
            "rollback",
            "smtp.example.org",
            "murder.yaml",
            "--yes",
            "--accept-new",
        ]
        .to_vec(),
        [
            "release",
            "smtp.example.org",
            "all",
            "murder.yaml",
            "--yes",
            "--accept-new",
        ]
        .to_vec(),
    ] {
        for (signal, code) in [("INT", 130), ("TERM", 143)] {
            let (ended, out, err) = interrupted(folder.path(), &arguments, &server, signal);
            assert_eq!(ended, Some(code), "{arguments:?}: {out}{err}");
            assert_eq!(
                err.lines().last(),
                Some("interrupted: nothing was changed on any host"),
                "{arguments:?}: {err}"
            );
            let is_stream = arguments.contains(&"--format=jsonl");
            assert_eq!(out.is_empty(), !is_stream, "{arguments:?}: {out}");
            let end = out.lines().last().unwrap_or_default();
            assert!(!is_stream || end.contains(r#""interrupted":true"#), "{out}");
        }
    }
}
