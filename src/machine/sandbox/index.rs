//! Indexes of a sandbox, built by this machine's postmap(1) with the sandbox's configuration.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::exchange::Failure;

use super::{MAIN_CF, Sandbox};

/// Builds the index of `source` under another name and renames it (DATABASE_README). Without postmap it does
/// nothing.
///
/// # Errors
/// Where postmap fails, or warns about the table.
pub(super) fn build(sandbox: &Sandbox, source: &str, kind: &str) -> Result<(), Failure> {
    let Some(postmap) = &sandbox.postmap else {
        return Ok(());
    };
    let suffix = match kind {
        "lmdb" => ".lmdb",
        "cdb" => ".cdb",
        _ => ".db",
    };
    let real = sandbox.inside(source);
    let staged = PathBuf::from(format!("{}.murder-new", real.display()));
    let failure = |summary: String, detail: String| Failure {
        summary,
        detail: Some(detail),
        hint: None,
    };
    let io = |error: std::io::Error| failure(format!("cannot index `{source}`"), error.to_string());
    std::fs::copy(&real, &staged).map_err(io)?;
    let run = || {
        command(sandbox, postmap)
            .arg(format!("{kind}:{}", staged.display()))
            .output()
    };
    let output = match run() {
        // Ctrl-C came before the child had a process group of its own: run it again.
        Ok(output) if output.status.signal().is_some() => run(),
        done => done,
    }
    .map_err(io);
    let built = PathBuf::from(format!("{}{suffix}", staged.display()));
    let result = output.and_then(|output| {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        // postmap warns of duplicate and malformed lines and exits with 0 (postmap(1)).
        // Postfix reads a main.cf that was written just now again and again, and warns at each turn.
        let main_cf = sandbox.inside(MAIN_CF).display().to_string();
        let mut warnings = words
            .lines()
            .filter(|line| line.contains("warning:") && !line.contains(&main_cf))
            .peekable();
        let warns = warnings.peek().is_some() && {
            let old = words_of_main_cf(sandbox, postmap);
            warnings.any(|line| !old.lines().any(|old| old == line))
        };
        if output.status.success() && !warns {
            std::fs::rename(&built, format!("{}{suffix}", real.display())).map_err(io)
        } else {
            Err(failure(
                format!("postmap refuses `{kind}:{source}`"),
                words.replace(".murder-new", ""),
            ))
        }
    });
    for leftover in [&staged, &built] {
        // Gone already where it was renamed.
        let _ = std::fs::remove_file(leftover);
    }
    result
}

/// postmap(1) with the sandbox's configuration.
fn command(sandbox: &Sandbox, postmap: &Path) -> Command {
    let mut command = Command::new(postmap);
    command
        .arg("-c")
        .arg(sandbox.inside("/etc/postfix"))
        .stdin(Stdio::null())
        // Ctrl-C must not end it: `murder` completes an apply that has begun.
        .process_group(0);
    command
}

/// What postmap prints about main.cf at each call, whatever the table.
fn words_of_main_cf(sandbox: &Sandbox, postmap: &Path) -> String {
    let output = command(sandbox, postmap)
        .args(["-q", "murder-probe", "static:ok"])
        .output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}
