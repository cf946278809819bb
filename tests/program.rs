//! The program in a folder, as a user runs it: no environment but its own.

use std::path::Path;
use std::process::{Command, Stdio};

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", folder)
        .stdin(Stdio::null());
    command
}
