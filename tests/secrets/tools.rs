//! The programs that the tests need: age and sops as packages give them, and a server of OpenBao.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The folder in which `tests/run` installs what comes from PyPI.
fn python_programs() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"),
        PathBuf::from,
    );
    cache.join("murder-tools/bin")
}

/// PATH, with these programs in front.
pub fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(python_programs()).chain(std::env::split_paths(&path));
    std::env::join_paths(all).unwrap()
}

/// A program of these tests, ready to run.
pub fn program(name: &str) -> Command {
    let mut folders = std::env::split_paths(&path())
        .collect::<Vec<_>>()
        .into_iter();
    let found = folders.find(|folder| folder.join(name).is_file());
    let found = found.unwrap_or_else(|| {
        panic!(
            "`{name}` is not installed; `tests/run` installs it (age: Debian; sops and bao: PyPI)"
        )
    });
    Command::new(found.join(name))
}

/// Runs a program with this input, and gives what it printed; it must succeed.
pub fn run(name: &str, arguments: &[&str], input: &[u8]) -> String {
    let mut command = program(name);
    command.args(arguments);
    run_command(command, input)
}

/// The same of a command that is ready.
pub fn run_command(mut command: Command, input: &[u8]) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {messages}");
    String::from_utf8(output.stdout).unwrap()
}
