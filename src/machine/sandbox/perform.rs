//! One apply on a sandbox: it checks the preconditions, writes, and restores everything if a write fails.

use std::path::Path;

use crate::digest::sha256_hex;
use crate::exchange::{Failure, Found};
use crate::machine::{Ending, MachineError, NotDone, Orders, Performed};
use crate::root_folder::RootFolder;
use crate::service::Service;

use super::instances::files;
use super::writes::{Writes, planned, snapshot, write_file};
use super::{LEDGER, Sandbox, folders, index, lock};

/// Carries out `orders` below the sandbox's folder.
///
/// # Errors
/// `Unfit` if the folder cannot be read or locked. A write that fails is no error but an ending.
pub(super) fn perform(sandbox: &Sandbox, orders: &Orders) -> Result<Performed, MachineError> {
    let io = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| sandbox.unfit(&what, &error)
    };
    furnish(sandbox, orders).map_err(io("cannot make the folder"))?;
    let Some(_lock) = lock::take(sandbox, orders).map_err(io("cannot lock"))? else {
        return Ok(Performed::without_log(NotDone::Locked {
            error: Failure {
                summary: "another apply is running on this sandbox".to_owned(),
                detail: None,
                hint: Some("wait for it to end, and run again".to_owned()),
            },
        }));
    };
    if let Some(moved) = stale(sandbox, orders)? {
        return Ok(Performed::without_log(NotDone::Stale { thing: moved }));
    }
    let mut log = vec!["locked".to_owned()];
    let writes = match planned(sandbox, orders) {
        Ok(writes) => writes,
        Err(error) => return Ok(Performed::without_log(NotDone::Untouched { error })),
    };
    let before = match snapshot(sandbox, &writes, orders) {
        Ok(before) => before,
        Err(error) => return Err(sandbox.unfit("cannot read what is there", &error)),
    };
    match commit(sandbox, orders, writes, &mut log) {
        Ok(()) => Ok(Performed {
            ending: Ending::Done,
            log,
            found: Found::default(),
            seen: None,
        }),
        Err(failure) => {
            let why = match put_back(sandbox, before) {
                Ok(()) => NotDone::PutBack { error: failure },
                Err(error) => NotDone::HalfWay {
                    error: Failure {
                        summary: format!(
                            "{}, and putting it back failed: {error}",
                            failure.summary
                        ),
                        ..failure
                    },
                },
            };
            Ok(Performed {
                ending: why.into(),
                log,
                found: Found::default(),
                seen: None,
            })
        }
    }
}

/// Creates the folder, with the files that a freshly installed Debian host has, and with the instances of the orders.
fn furnish(sandbox: &Sandbox, orders: &Orders) -> std::io::Result<()> {
    let fresh = !sandbox.root.exists();
    std::fs::create_dir_all(&sandbox.directory)?;
    RootFolder::open(&sandbox.directory)?.create_folders(Path::new(sandbox.host.as_str()))?;
    let folder = sandbox.existing()?;
    let state = Path::new("/var/lib/murder");
    folder.create_folders(Path::new("/etc/postfix"))?;
    folder.create_folders(&state.join("adopted"))?;
    folder.set_mode(state, 0o700)?;
    if fresh {
        let services = orders.expects.services.keys();
        let named = services.filter(|service| service.named_instance().is_some());
        let [default_main_cf, _] = files(&Service::POSTFIX);
        for service in named.clone().chain([&Service::POSTFIX]) {
            folder.create_folders(Path::new(&service.folder()))?;
            for path in files(service) {
                let bytes = match path == default_main_cf {
                    true => sandbox.listing_main_cf(named.clone()),
                    false => sandbox.fresh(&path).unwrap_or_default(),
                };
                write_file(folder, &path, &bytes, 0o644)?;
            }
        }
    }
    Ok(())
}

/// The first path whose content differs from what the plan saw, if any.
fn stale(sandbox: &Sandbox, orders: &Orders) -> Result<Option<String>, MachineError> {
    let expects = &orders.expects;
    let hash = |path: &str| {
        sandbox
            .bytes(path)
            .map(|bytes| bytes.as_deref().map(sha256_hex))
    };
    // An observation takes a configuration that is not there as an empty one.
    for (path, expected) in expects.configuration() {
        if hash(&path)?.unwrap_or_else(|| sha256_hex(&[])) != expected {
            return Ok(Some(path));
        }
    }
    let ledger = (LEDGER.to_owned(), expects.ledger.clone());
    let files = expects.files.iter();
    let files = files.map(|(path, sha256)| (path.to_string(), sha256.clone()));
    for (path, expected) in [ledger].into_iter().chain(files) {
        if hash(&path)? != expected {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Writes everything in the order of a real host: files, indexes, master.cf and main.cf, deletions, the ledger.
fn commit(
    sandbox: &Sandbox,
    orders: &Orders,
    mut writes: Writes,
    log: &mut Vec<String>,
) -> Result<(), Failure> {
    let mut configuration = Vec::new();
    for service in orders.services.keys() {
        let [main, master] = files(service);
        configuration.extend(writes.remove_entry(&master));
        configuration.extend(writes.remove_entry(&main));
    }
    let ledger = writes.remove_entry(LEDGER);
    let (deletes, files): (Vec<_>, Vec<_>) =
        writes.into_iter().partition(|(_, write)| write.is_none());
    write_all(sandbox, files)?;
    log.push("files written".to_owned());
    let indexes = orders.services.values().flat_map(|one| &one.indexes);
    for order in indexes {
        let source = &order.source;
        index::build(sandbox, order)?;
        log.push(format!("index of {source} built"));
    }
    write_all(sandbox, configuration)?;
    write_all(sandbox, deletes)?;
    write_all(sandbox, ledger)?;
    log.push("ledger written".to_owned());
    // Empty folders go last: if an earlier write fails, its file is put back into the folder that it came from.
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
        let done = sandbox.existing().and_then(|folder| match write {
            Some((bytes, mode)) => write_file(folder, &path, &bytes, mode),
            None => folder.remove(Path::new(&path)),
        });
        done.map_err(|error| Failure {
            summary: format!("cannot write `{path}`: {error}"),
            detail: Some(real.display().to_string()),
            hint: Some("check that the disk has room and that the folder is writable".to_owned()),
        })?;
    }
    Ok(())
}

/// Restores what `before` holds, and deletes what did not exist before.
fn put_back(sandbox: &Sandbox, before: Writes) -> std::io::Result<()> {
    let folder = sandbox.existing()?;
    for (path, old) in &before {
        match old {
            Some((bytes, mode)) => write_file(folder, path, bytes, *mode)?,
            None => folder.remove(Path::new(path))?,
        }
    }
    let new = before.iter().filter(|(_, old)| old.is_none());
    folders::tidy(sandbox, new.map(|(path, _)| path.as_str()));
    Ok(())
}
