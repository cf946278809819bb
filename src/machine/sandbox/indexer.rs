//! Builds indexes with this machine's postmap(1), for all sandboxes of a run.
//!
//! postmap(1) reads a main.cf. That file can name libraries to load, and postmap(1) ends with an error if the file names an
//! address or a group that this machine does not have. The sandbox belongs to another machine, and its author must not run programs here. So postmap has a
//! configuration of our own that names nothing of either machine, and a folder of its own.
//!
//! A process of postmap takes some ten milliseconds to start and far less to index a small table. So small tables that
//! wait at the same time are indexed by one process.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::tree;

/// A table up to this size is indexed in memory and together with others. Berkeley DB waits for the disk four times for
/// each index, and a sandbox need not outlive a power cut.
const SMALL: usize = 64 << 10;

/// Tables that one process indexes at most.
const MOST_TABLES: usize = 100;

/// The folder of a Linux that is in memory.
const MEMORY: &str = "/dev/shm";

/// A table to index.
#[derive(Debug)]
pub(super) struct Table {
    /// `postmap` or `postalias`.
    pub(super) program: &'static str,
    /// Its type, such as `hash`.
    pub(super) kind: String,
    /// What the name of the index adds to that of the table, such as `.db`.
    pub(super) suffix: &'static str,
    pub(super) bytes: Vec<u8>,
    /// Its permission bits, which postmap(1) gives to the index too.
    pub(super) mode: u32,
}

/// What became of a table.
#[derive(Debug)]
pub(super) enum Built {
    /// The bytes and the permission bits of its index.
    Index(Vec<u8>, u32),
    /// The program refuses it or warns of it. Its words name the table by `as_named`.
    Refused { words: String, as_named: String },
}

/// A table that waits for a process, and who waits for it.
struct Waiting {
    table: Table,
    answer: Sender<std::io::Result<Built>>,
}

/// Where the indexes of a run are built.
#[derive(Debug)]
pub struct Indexer {
    postmap: Option<PathBuf>,
    waiting: Mutex<Vec<Waiting>>,
    /// Held by the thread that indexes what waits.
    at_work: Mutex<()>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Waiting")
    }
}

impl Default for Indexer {
    fn default() -> Self {
        Self {
            postmap: tree::find_program("postmap"),
            waiting: Mutex::default(),
            at_work: Mutex::default(),
        }
    }
}

impl Indexer {
    /// Whether this machine has postmap(1).
    pub(super) fn can_build(&self) -> bool {
        self.postmap.is_some()
    }

    /// Builds the index of a table. None without postmap.
    ///
    /// # Errors
    /// Where files of this machine cannot be written or read, or no process can be started.
    pub(super) fn build(&self, table: Table) -> std::io::Result<Option<Built>> {
        let Some(postmap) = &self.postmap else {
            return Ok(None);
        };
        if table.bytes.len() > SMALL {
            return alone(postmap, &table).map(Some);
        }
        let (answer, answered) = channel();
        lock(&self.waiting).push(Waiting { table, answer });
        let at_work = lock(&self.at_work);
        // The thread that was at work before may have done this table too.
        if let Ok(built) = answered.try_recv() {
            return built.map(Some);
        }
        let waiting = std::mem::take(&mut *lock(&self.waiting));
        build_all(postmap, waiting);
        drop(at_work);
        let lost = |_| std::io::Error::other("the thread that was to index it ended");
        answered.recv().map_err(lost)?.map(Some)
    }
}

/// A thread that panicked leaves nothing half-done that these locks protect.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Indexes tables, those of the same program by one process, and answers each.
fn build_all(postmap: &Path, mut waiting: Vec<Waiting>) {
    waiting.sort_by_key(|one| one.table.program);
    for same in waiting.chunk_by(|one, other| one.table.program == other.table.program) {
        for some in same.chunks(MOST_TABLES) {
            let tables: Vec<&Table> = some.iter().map(|one| &one.table).collect();
            // A process ends at the first table that it refuses. Each is then indexed by itself.
            let together = match tables.len() {
                1 => None,
                _ => together(postmap, &tables).ok().flatten(),
            };
            let mut together = together.map(Vec::into_iter);
            for one in some {
                let built = match together.as_mut().and_then(Iterator::next) {
                    Some(built) => Ok(built),
                    None => alone(postmap, &one.table),
                };
                // The receiver is gone only where its thread panicked.
                let _ = one.answer.send(built);
            }
        }
    }
}

/// The indexes of tables of one program. None where it refuses one of them, or warns of one.
fn together(postmap: &Path, tables: &[&Table]) -> std::io::Result<Option<Vec<Built>>> {
    let room = configuration(SMALL)?;
    let names: Vec<PathBuf> = (0..tables.len())
        .map(|number| room.path().join(number.to_string()))
        .collect();
    if !is_fine(&run(postmap, room.path(), tables, &names)?) {
        return Ok(None);
    }
    let indexes = tables.iter().zip(&names);
    indexes
        .map(|(table, name)| index(table, name))
        .collect::<std::io::Result<_>>()
        .map(Some)
}

/// The index of one table, or why there is none.
fn alone(postmap: &Path, table: &Table) -> std::io::Result<Built> {
    let room = configuration(table.bytes.len())?;
    let name = room.path().join("table");
    let output = run(postmap, room.path(), &[table], std::slice::from_ref(&name))?;
    if is_fine(&output) {
        return index(table, &name);
    }
    Ok(Built::Refused {
        words: String::from_utf8_lossy(&output.stderr).into_owned(),
        as_named: name.to_string_lossy().into_owned(),
    })
}

/// Whether all tables were indexed without a word. postmap(1) warns of duplicate and malformed lines and exits with 0.
fn is_fine(output: &Output) -> bool {
    let words = String::from_utf8_lossy(&output.stderr);
    output.status.success() && !words.lines().any(|line| line.contains("warning:"))
}

/// Writes tables by these names, and runs their program over them.
fn run(
    postmap: &Path,
    room: &Path,
    tables: &[&Table],
    names: &[PathBuf],
) -> std::io::Result<Output> {
    let mut arguments = Vec::new();
    for (table, name) in tables.iter().zip(names) {
        std::fs::write(name, &table.bytes)?;
        std::fs::set_permissions(name, Permissions::from_mode(table.mode))?;
        arguments.push(format!("{}:{}", table.kind, name.display()));
    }
    let program = tables.first().map_or("postmap", |table| table.program);
    let run = || {
        command(&postmap.with_file_name(program), room)
            .args(&arguments)
            .output()
    };
    match run() {
        // Ctrl-C came before the child had a process group of its own: run it again.
        Ok(output) if output.status.signal().is_some() => run(),
        done => done,
    }
}

/// Reads an index that was built.
fn index(table: &Table, name: &Path) -> std::io::Result<Built> {
    let mut built = name.as_os_str().to_owned();
    built.push(table.suffix);
    let mode = tree::mode(&std::fs::metadata(&built)?);
    Ok(Built::Index(std::fs::read(&built)?, mode))
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

/// A folder with this configuration, which is deleted with the result; it has room for tables of so many bytes each.
fn configuration(bytes: usize) -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("murder-");
    let in_memory = (bytes <= SMALL).then(|| builder.tempdir_in(MEMORY));
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn table(program: &'static str, text: &str, mode: u32) -> Table {
        Table {
            program,
            kind: "hash".to_owned(),
            suffix: ".db",
            bytes: text.into(),
            mode,
        }
    }

    /// The entries of an index, and its mode. Two runs of postmap(1) give the same entries, and differ in bytes that
    /// Berkeley DB draws for each file and leaves unset.
    fn entries(postmap: &Path, built: &Built) -> Option<(Vec<String>, u32)> {
        let Built::Index(bytes, mode) = built else {
            return None;
        };
        let room = configuration(0).unwrap();
        let table = room.path().join("table");
        std::fs::write(room.path().join("table.db"), bytes).unwrap();
        let output = command(postmap, room.path())
            .args(["-s", &format!("hash:{}", table.display())])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        // postalias(1) adds when it was called (for NIS).
        let lines = text.lines().filter(|line| !line.starts_with("YP_"));
        let mut lines: Vec<String> = lines.map(str::to_owned).collect();
        lines.sort();
        Some((lines, *mode))
    }

    #[test]
    fn tables_that_wait_together_get_the_index_that_a_process_of_their_own_makes() {
        let indexer = Indexer::default();
        let Some(postmap) = indexer.postmap.clone() else {
            return;
        };
        let texts: Vec<(String, u32, &str)> = (0..120)
            .map(|number| {
                let program = if number % 7 == 0 {
                    "postalias"
                } else {
                    "postmap"
                };
                let line = if number % 7 == 0 {
                    format!("u{number}: root\n")
                } else {
                    format!("u{number} x\n")
                };
                (line, if number % 2 == 0 { 0o640 } else { 0o644 }, program)
            })
            .collect();
        std::thread::scope(|scope| {
            let build = |(text, mode, program): &(String, u32, &'static str)| {
                let built = indexer.build(table(program, text, *mode)).unwrap().unwrap();
                let own = alone(&postmap, &table(program, text, *mode)).unwrap();
                let built = entries(&postmap, &built);
                assert!(built == entries(&postmap, &own), "{text}");
                assert!(built.is_some_and(|(lines, _)| !lines.is_empty()), "{text}");
            };
            let each: Vec<_> = texts
                .chunks(12)
                .map(|some| scope.spawn(move || some.iter().for_each(build)))
                .collect();
            each.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }

    #[test]
    fn a_table_that_is_refused_harms_none_that_waits_with_it() {
        let indexer = Indexer::default();
        let Some(postmap) = &indexer.postmap else {
            return;
        };
        let (mut waiting, mut answers) = (Vec::new(), Vec::new());
        for text in ["a x\n", "a x\na y\n", "b x\n", "alone\n"] {
            let (answer, answered) = channel();
            let table = table("postmap", text, 0o644);
            waiting.push(Waiting { table, answer });
            answers.push(answered);
        }
        build_all(postmap, waiting);
        let fine = answers.iter().map(|answer| {
            let built = answer.recv().unwrap().unwrap();
            if let Built::Refused { words, as_named } = &built {
                assert!(words.contains(as_named.as_str()), "{words}");
            }
            matches!(built, Built::Index(..))
        });
        assert_eq!(fine.collect::<Vec<_>>(), [true, false, true, false]);
    }
}
