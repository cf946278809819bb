//! Indexes of a sandbox, built by this machine's postmap(1).
//!
//! postmap(1) reads a main.cf, which can name libraries to load, and dies of an address or a group that this machine does
//! not have. The sandbox belongs to another machine, and its author must not run programs here. So postmap has a
//! configuration of our own that names nothing of either machine, and a folder of its own.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::exchange::{Failure, IndexOrder};
use crate::root_folder::{RootFolder, WriteOptions};

use super::{MOST_BYTES, Sandbox, tree};

/// A table up to this size is indexed in memory. Berkeley DB waits for the disk four times for each index, and a
/// sandbox need not outlive a power cut.
const IN_MEMORY: u64 = 64 << 10;

/// The folder of a Linux that is in memory.
const MEMORY: &str = "/dev/shm";

/// Builds an index in a folder of its own, and writes it whole into the sandbox. Without postmap it does nothing.
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
    let failure = |summary: String, detail: String| Failure {
        summary,
        detail: Some(detail),
        hint: None,
    };
    let io = |error: std::io::Error| failure(format!("cannot index `{source}`"), error.to_string());
    let folder = sandbox.existing().map_err(io)?;
    let (room, table) = stage(folder, source).map_err(io)?;
    let run = || {
        command(&program, room.path())
            .arg(format!("{kind}:{}", table.display()))
            .output()
    };
    let output = match run() {
        // Ctrl-C came before the child had a process group of its own: run it again.
        Ok(output) if output.status.signal().is_some() => run(),
        done => done,
    }
    .map_err(io)?;
    let words = String::from_utf8_lossy(&output.stderr);
    // postmap warns of duplicate and malformed lines and exits with 0 (postmap(1)).
    let warns = words.lines().any(|line| line.contains("warning:"));
    if warns || !output.status.success() {
        let real = sandbox.inside(source);
        return Err(failure(
            format!("{} refuses `{kind}:{source}`", order.program()),
            words.replace(&*table.to_string_lossy(), &real.to_string_lossy()),
        ));
    }
    let mut built = table.into_os_string();
    built.push(suffix);
    keep(folder, Path::new(&built), &format!("{source}{suffix}")).map_err(io)
}

/// Copies a table, with its mode, into a folder in which postmap indexes it. It reads and writes nothing of the sandbox
/// itself, whose links may lead anywhere.
fn stage(folder: &RootFolder, source: &str) -> std::io::Result<(TempDir, PathBuf)> {
    let source = Path::new(source);
    let bytes = folder.read(source, MOST_BYTES)?;
    let mode = tree::mode(&folder.metadata(source)?);
    let room = configuration(bytes.len() as u64)?;
    let table = room.path().join("table");
    std::fs::write(&table, bytes)?;
    // postmap(1) gives an index the mode of its table.
    std::fs::set_permissions(&table, Permissions::from_mode(mode))?;
    Ok((room, table))
}

/// Writes a built index to its place in the sandbox.
fn keep(folder: &RootFolder, built: &Path, index: &str) -> std::io::Result<()> {
    let options = WriteOptions {
        mode: Some(tree::mode(&std::fs::metadata(built)?)),
        modified: None,
    };
    folder.write(Path::new(index), &std::fs::read(built)?, options)
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

/// A folder with this configuration, which is deleted with the result; it has room for a table of so many bytes.
fn configuration(bytes: u64) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("murder-");
    let in_memory = (bytes <= IN_MEMORY).then(|| builder.tempdir_in(MEMORY));
    let folder = match in_memory {
        Some(Ok(folder)) => folder,
        _ => builder.tempdir()?,
    };
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
