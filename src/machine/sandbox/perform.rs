//! An apply on a folder: staged beside each target, renamed into place, put back where it fails.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::machine::{Ending, LedgerOrder, MachineError, Orders, Performed};
use crate::postfix::apply_edits;
use crate::{digest::sha256_hex, exchange::Failure};

use super::owners::Owners;
use super::{LEDGER, MAIN_CF, MASTER_CF, Sandbox, folders, history, lock};

/// What is written below the folder, by the host's own path, with its mode; none is a deletion.
type Writes = BTreeMap<String, Option<(Vec<u8>, u32)>>;

pub(super) fn perform(sandbox: &Sandbox, orders: &Orders) -> Result<Performed, MachineError> {
    let io = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| sandbox.unfit(&what, &error)
    };
    furnish(sandbox).map_err(io("cannot make the folder"))?;
    let Some(_lock) = lock::take(sandbox, orders).map_err(io("cannot lock"))? else {
        return Ok(ended(Ending::Locked(Failure {
            summary: "another apply works on this sandbox".to_owned(),
            detail: None,
            hint: Some("wait for it to end, and run again".to_owned()),
        })));
    };
    if let Some(moved) = stale(sandbox, orders)? {
        return Ok(ended(Ending::Stale(moved)));
    }
    let mut log = vec!["locked".to_owned()];
    let writes = match plan_writes(sandbox, orders) {
        Ok(writes) => writes,
        Err(failure) => return Ok(ended(Ending::Untouched(failure))),
    };
    let before = match snapshot(sandbox, &writes, orders) {
        Ok(before) => before,
        Err(error) => return Err(sandbox.unfit("cannot read what is there", &error)),
    };
    match commit(sandbox, orders, writes, &mut log) {
        Ok(()) => Ok(Performed {
            ending: Ending::Done,
            log,
        }),
        Err(failure) => {
            let ending = match put_back(sandbox, before) {
                Ok(()) => Ending::PutBack(failure),
                Err(error) => Ending::HalfWay(Failure {
                    summary: format!("{}, and putting it back failed: {error}", failure.summary),
                    ..failure
                }),
            };
            Ok(Performed { ending, log })
        }
    }
}

fn ended(ending: Ending) -> Performed {
    Performed {
        ending,
        log: Vec::new(),
    }
}

/// Makes the folder as a freshly installed Debian host has it.
fn furnish(sandbox: &Sandbox) -> std::io::Result<()> {
    let fresh = !sandbox.root.exists();
    std::fs::create_dir_all(sandbox.inside("/etc/postfix"))?;
    let state = sandbox.inside("/var/lib/murder");
    std::fs::create_dir_all(state.join("adopted"))?;
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o700))?;
    if fresh {
        write_file(&sandbox.inside(MAIN_CF), &sandbox.debian_main_cf(), 0o644)?;
        write_file(&sandbox.inside(MASTER_CF), super::DEBIAN_MASTER_CF, 0o644)?;
    }
    Ok(())
}

/// Which thing is not as the plan saw it, if any.
fn stale(sandbox: &Sandbox, orders: &Orders) -> Result<Option<String>, MachineError> {
    let expects = &orders.expects;
    let hash = |path: &str| {
        sandbox
            .bytes(path)
            .map(|bytes| bytes.as_deref().map(sha256_hex))
    };
    for (path, expected) in [
        (MAIN_CF, Some(expects.main_cf.clone())),
        (MASTER_CF, Some(expects.master_cf.clone())),
        (LEDGER, expects.ledger.clone()),
    ]
    .into_iter()
    .chain(
        expects
            .files
            .iter()
            .map(|(path, sha256)| (path.as_str(), sha256.clone())),
    ) {
        if hash(path)? != expected {
            return Ok(Some(path.to_owned()));
        }
    }
    Ok(None)
}

/// Everything that will be written, in memory; nothing has been touched yet.
fn plan_writes(sandbox: &Sandbox, orders: &Orders) -> Result<Writes, Failure> {
    let failure = |summary: String| Failure {
        summary,
        detail: None,
        hint: None,
    };
    let read = |path: &str| {
        sandbox
            .bytes(path)
            .map(Option::unwrap_or_default)
            .map_err(|error| failure(error.to_string()))
    };
    let mut owners = Owners::read(&sandbox.root);
    let mut writes = Writes::new();
    for path in &orders.adopts {
        let bytes = read(path.as_str())?;
        let kept = format!("/var/lib/murder/adopted/{}", sha256_hex(&bytes));
        writes.insert(kept, Some((bytes, 0o600)));
    }
    for file in &orders.files {
        owners.set(file.path.as_str(), file.owner.as_str(), file.group.as_str());
        writes.insert(
            file.path.to_string(),
            Some((file.bytes.to_vec(), file.mode.bits())),
        );
    }
    for restore in &orders.restores {
        let kept = format!("/var/lib/murder/adopted/{}", restore.sha256);
        let Some(bytes) = sandbox
            .bytes(&kept)
            .map_err(|error| failure(error.to_string()))?
        else {
            return Err(failure(format!(
                "the text that `{}` had before `murder` is lost (`{kept}` is not there)",
                restore.path
            )));
        };
        owners.set(restore.path.as_str(), &restore.owner, &restore.group);
        writes.insert(restore.path.to_string(), Some((bytes, restore.mode.bits())));
    }
    if !orders.edits.is_empty() {
        let (main, master) = (read(MAIN_CF)?, read(MASTER_CF)?);
        let (new_main, new_master) = apply_edits(&main, &master, &orders.edits)
            .map_err(|error| failure(error.to_string()))?;
        if new_main != main {
            writes.insert(MAIN_CF.to_owned(), Some((new_main, 0o644)));
        }
        if new_master != master {
            writes.insert(MASTER_CF.to_owned(), Some((new_master, 0o644)));
        }
    }
    for (path, suffix) in &orders.deletes {
        owners.forget(path.as_str());
        writes.insert(path.to_string(), None);
        if let Some(suffix) = suffix {
            writes.insert(format!("{path}{suffix}"), None);
        }
    }
    writes.insert(Owners::FILE.to_owned(), Some((owners.bytes(), 0o600)));
    let mut forget = BTreeSet::new();
    if let Some(order) = &orders.history {
        let bytes = Some((order.bytes.clone(), 0o600));
        writes.insert(history::file(order.generation), bytes);
        forget = history::pruned(sandbox, order).map_err(|error| failure(error.to_string()))?;
    }
    match &orders.ledger {
        LedgerOrder::Keep => {}
        LedgerOrder::Write(bytes) => {
            writes.insert(LEDGER.to_owned(), Some((bytes.clone(), 0o600)));
        }
        LedgerOrder::Remove => {
            writes.insert(LEDGER.to_owned(), None);
            for text in adopted(sandbox).map_err(|error| failure(error.to_string()))? {
                writes.insert(text, None);
            }
            forget = history::all(sandbox).map_err(|error| failure(error.to_string()))?;
        }
    }
    writes.extend(
        forget
            .into_iter()
            .map(|number| (history::file(number), None)),
    );
    Ok(writes)
}

/// The texts of before that are kept for giving back.
fn adopted(sandbox: &Sandbox) -> std::io::Result<Vec<String>> {
    let folder = "/var/lib/murder/adopted";
    std::fs::read_dir(sandbox.inside(folder))?
        .map(|entry| Ok(format!("{folder}/{}", entry?.file_name().to_string_lossy())))
        .collect()
}

/// What stands now where something will be written.
fn snapshot(sandbox: &Sandbox, writes: &Writes, orders: &Orders) -> std::io::Result<Writes> {
    let indexes = orders.indexes.iter().filter_map(|(source, kind)| {
        kind.index_suffix()
            .map(|suffix| format!("{source}{suffix}"))
    });
    let mut before = Writes::new();
    for path in writes.keys().cloned().chain(indexes) {
        let real = sandbox.inside(&path);
        let old = match std::fs::read(&real) {
            Ok(bytes) => {
                let mode = std::fs::metadata(&real)?.permissions().mode() & 0o7777;
                Some((bytes, mode))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        before.insert(path, old);
    }
    Ok(before)
}

/// Files, then indexes, then master.cf and main.cf, then deletions, then the ledger: the order of a real host.
fn commit(
    sandbox: &Sandbox,
    orders: &Orders,
    mut writes: Writes,
    log: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut configuration = Vec::new();
    for path in [MASTER_CF, MAIN_CF] {
        configuration.extend(writes.remove_entry(path));
    }
    let ledger = writes.remove_entry(LEDGER);
    let (deletes, files): (Vec<_>, Vec<_>) =
        writes.into_iter().partition(|(_, write)| write.is_none());
    write_all(sandbox, files)?;
    log.push("files written".to_owned());
    for (source, kind) in &orders.indexes {
        index(sandbox, source.as_str(), kind.as_str())?;
        log.push(format!("index of {source} built"));
    }
    write_all(sandbox, configuration)?;
    write_all(sandbox, deletes)?;
    write_all(sandbox, ledger)?;
    log.push("ledger written".to_owned());
    // Last, as what fails before is put back with the folders' own modes.
    folders::tidy(
        sandbox,
        orders.deletes.iter().map(|(path, _)| path.as_str()),
    );
    Ok(())
}

fn write_all(
    sandbox: &Sandbox,
    writes: impl IntoIterator<Item = (String, Option<(Vec<u8>, u32)>)>,
) -> Result<(), Failure> {
    for (path, write) in writes {
        let real = sandbox.inside(&path);
        let done = match write {
            Some((bytes, mode)) => write_file(&real, &bytes, mode),
            None => match std::fs::remove_file(&real) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        done.map_err(|error| Failure {
            summary: format!("cannot write `{path}`: {error}"),
            detail: Some(real.display().to_string()),
            hint: Some("see that the disk has room and the folder can be written".to_owned()),
        })?;
    }
    Ok(())
}

/// Writes a file whole: beside its target, with its mode before its content, then renamed. A folder
/// is no host, so nothing waits for the disk: after a power cut the next plan shows what is missing.
fn write_file(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new()
        .prefix(".murder.")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(directory)?;
    // The umask may have cut bits from the mode.
    file.as_file()
        .set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    // Postfix reads a file of settings again and again until it has not changed for a second or two
    // (dict_load_file_xt in its source). This one is whole when it gets its name: nobody need wait.
    let earlier = SystemTime::now() - Duration::from_secs(3);
    file.as_file().set_modified(earlier)?;
    file.persist(path)?;
    Ok(())
}

/// Builds an index under another name and renames it (DATABASE_README).
fn index(sandbox: &Sandbox, source: &str, kind: &str) -> Result<(), Failure> {
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
    let build = || {
        command(sandbox, postmap)
            .arg(format!("{kind}:{}", staged.display()))
            .output()
    };
    let output = match build() {
        // A Ctrl-C that came while the child was still of our group: it begins anew.
        Ok(output) if output.status.signal().is_some() => build(),
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
        // Ctrl-C is for us, who let the work that has begun come to its end.
        .process_group(0);
    command
}

/// What postmap has to say of main.cf at each call, whatever the table.
fn words_of_main_cf(sandbox: &Sandbox, postmap: &Path) -> String {
    let output = command(sandbox, postmap)
        .args(["-q", "murder-probe", "static:ok"])
        .output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn put_back(sandbox: &Sandbox, before: Writes) -> std::io::Result<()> {
    for (path, old) in &before {
        let real = sandbox.inside(path);
        match old {
            Some((bytes, mode)) => write_file(&real, bytes, *mode)?,
            None => match std::fs::remove_file(&real) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
        }
    }
    let new = before.iter().filter(|(_, old)| old.is_none());
    folders::tidy(sandbox, new.map(|(path, _)| path.as_str()));
    Ok(())
}
