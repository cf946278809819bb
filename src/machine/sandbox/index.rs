//! Indexes of a sandbox, built by this machine's postmap(1).
//!
//! postmap(1) reads a main.cf, which can name libraries to load, and dies of an address or a group that this machine does
//! not have. The sandbox belongs to another machine, and its author must not run programs here. So postmap has a
//! configuration of our own that names nothing of either machine.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::exchange::{Failure, IndexOrder};
use crate::root_folder::{RootFolder, WriteOptions};

use super::{MOST_BYTES, Sandbox, tree};

/// Builds an index under another name and renames it (DATABASE_README). Without postmap it does nothing.
///
/// # Errors
/// Where postmap or postalias fails, or warns about the table.
pub(super) fn build(sandbox: &Sandbox, order: &IndexOrder) -> Result<(), Failure> {
    let Some(postmap) = &sandbox.postmap else {
        return Ok(());
    };
    let program = postmap.with_file_name(order.program());
    let (source, kind) = (order.source.as_str(), order.table_type.as_str());
    let suffix = order.table_type.index_suffix().unwrap_or(".db");
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
    let configuration = configuration().map_err(io)?;
    let run = || {
        command(&program, configuration.path())
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
        // postmap warns of duplicate and malformed lines and exits with 0 (postmap(1)).
        let warns = words.lines().any(|line| line.contains("warning:"));
        if output.status.success() && !warns {
            let built = format!("{new}{suffix}");
            let index = format!("{source}{suffix}");
            folder
                .rename(Path::new(&built), Path::new(&index))
                .map_err(io)
        } else {
            Err(failure(
                format!("{} refuses `{kind}:{source}`", order.program()),
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

/// A main.cf that does not depend on this machine's addresses and names.
const CONFIGURATION: &str = "compatibility_level = 3.6
myhostname = localhost.localdomain
mydomain = localdomain
myorigin = localhost.localdomain
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
";

/// A folder with this configuration, which is deleted with the result.
fn configuration() -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("murder-").tempdir()?;
    let mut main_cf = File::create(folder.path().join("main.cf"))?;
    main_cf.write_all(CONFIGURATION.as_bytes())?;
    // Postfix reads a main.cf again and again until it has not changed for a second or two.
    main_cf.set_modified(SystemTime::now() - Duration::from_secs(3))?;
    Ok(folder)
}

/// A program of Postfix with the configuration in `folder`, and without the environment of this process.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("-c")
        .arg(folder)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        // Ctrl-C must not end it: `murder` completes an apply that has begun.
        .process_group(0);
    command
}
