//! Indexes of a sandbox, built by this machine's postmap(1) with the sandbox's configuration.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::exchange::Failure;
use crate::root_folder::{RootFolder, WriteOptions};

use super::{MAIN_CF, MOST_BYTES, Sandbox, tree};

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
    let staged = sandbox.inside(&format!("{source}.murder-new"));
    let failure = |summary: String, detail: String| Failure {
        summary,
        detail: Some(detail),
        hint: None,
    };
    let io = |error: std::io::Error| failure(format!("cannot index `{source}`"), error.to_string());
    let folder = sandbox.existing().map_err(io)?;
    let new = format!("{source}.murder-new");
    stage(&folder, source, &new, suffix).map_err(io)?;
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
    let result = output.and_then(|output| {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let warns = warns(sandbox, postmap, &words);
        if output.status.success() && !warns {
            let built = format!("{new}{suffix}");
            let index = format!("{source}{suffix}");
            folder
                .rename(Path::new(&built), Path::new(&index))
                .map_err(io)
        } else {
            Err(failure(
                format!("postmap refuses `{kind}:{source}`"),
                words.replace(".murder-new", ""),
            ))
        }
    });
    for leftover in [new.clone(), format!("{new}{suffix}")] {
        // Gone already where it was renamed.
        let _ = folder.remove(Path::new(&leftover));
    }
    result
}

/// Copies a table, with its mode, to where postmap reads it, and removes what is in the way of its index: postmap would
/// write through a link.
fn stage(folder: &RootFolder, source: &str, new: &str, suffix: &str) -> std::io::Result<()> {
    let source = Path::new(source);
    let bytes = folder.read(source, MOST_BYTES)?;
    let options = WriteOptions {
        mode: Some(tree::mode(&folder.metadata(source)?)),
        modified: None,
    };
    let built = format!("{new}{suffix}");
    folder.remove(Path::new(new))?;
    folder.remove(Path::new(&built))?;
    folder.write(Path::new(new), &bytes, options)
}

/// Whether postmap warned about the table: of duplicate and malformed lines it warns, and exits with 0 (postmap(1)).
/// Postfix reads a main.cf that was written just now again and again, and warns at each turn.
fn warns(sandbox: &Sandbox, postmap: &Path, words: &str) -> bool {
    let main_cf = sandbox.inside(MAIN_CF).display().to_string();
    let mut warnings = words
        .lines()
        .filter(|line| line.contains("warning:") && !line.contains(&main_cf))
        .peekable();
    warnings.peek().is_some() && {
        let old = words_of_main_cf(sandbox, postmap);
        warnings.any(|line| !old.lines().any(|old| old == line))
    }
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
