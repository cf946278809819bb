//! The program in a folder, as a user runs it: no environment but its own.

use std::path::Path;
use std::process::{Command, Stdio};

/// The program of this build, or the one that `MURDER_PROGRAM` names: one that was built for speed.
pub fn program() -> String {
    let other = std::env::var("MURDER_PROGRAM");
    other.unwrap_or_else(|_| env!("CARGO_BIN_EXE_murder").to_owned())
}

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", folder)
        .stdin(Stdio::null());
    command
}
