//! What an apply writes below a sandbox's folder: worked out in memory first, then written file by file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::exchange::{Failure, ServiceOrders};
use crate::machine::{LedgerOrder, Orders};
use crate::postfix::apply_edits;
use crate::root_folder::{RootFolder, WriteOptions};

use super::instances::files;
use super::owners::Owners;
use super::{LEDGER, Sandbox, former, history, tree};

/// Content and mode of each file to write, by its path on the host; `None` deletes the file.
pub(super) type Writes = BTreeMap<String, Option<(Vec<u8>, u32)>>;

/// Where the previous contents of adopted files are kept.
const ADOPTED: &str = "/var/lib/murder/adopted";

/// All writes that `orders` need. Nothing is changed yet.
///
/// # Errors
/// Where a file cannot be read, an edit does not fit, or the previous content of an adopted file is lost.
pub(super) fn planned(sandbox: &Sandbox, orders: &Orders) -> Result<Writes, Failure> {
    let mut owners = Owners::read(sandbox).map_err(|error| failure(error.to_string()))?;
    let mut writes = Writes::new();
    for order in &orders.adopts {
        let bytes = read(sandbox, order.path.as_str())?;
        let kept = format!("{ADOPTED}/{}", order.kept);
        writes.insert(kept, Some((bytes, 0o600)));
    }
    for (old, new) in &orders.renames {
        let old = format!("{ADOPTED}/{old}");
        let bytes = sandbox.bytes(&old);
        if let Some(bytes) = bytes.map_err(|error| failure(error.to_string()))? {
            writes.insert(format!("{ADOPTED}/{new}"), Some((bytes, 0o600)));
            writes.insert(old, None);
        }
    }
    for file in &orders.files {
        owners.set(file.path.as_str(), file.owner.as_str(), file.group.as_str());
        writes.insert(
            file.path.to_string(),
            Some((file.bytes.to_vec(), file.mode.bits())),
        );
    }
    restores(sandbox, orders, &mut owners, &mut writes)?;
    edits(sandbox, orders, &mut writes)?;
    for (path, suffix) in &orders.deletes {
        owners.forget(path.as_str());
        writes.insert(path.to_string(), None);
        if let Some(suffix) = suffix {
            writes.insert(format!("{path}{suffix}"), None);
        }
    }
    writes.insert(Owners::FILE.to_owned(), Some((owners.bytes(), 0o600)));
    ledger_and_history(sandbox, orders, &mut writes)?;
    Ok(writes)
}

/// Gives adopted files back: their previous content, owner and mode.
fn restores(
    sandbox: &Sandbox,
    orders: &Orders,
    owners: &mut Owners,
    writes: &mut Writes,
) -> Result<(), Failure> {
    for restore in &orders.restores {
        let kept = format!("{ADOPTED}/{}", restore.kept);
        // One that gets its new name now is among the writes.
        let renamed = writes.get(&kept).cloned().flatten().map(|(bytes, _)| bytes);
        let found = sandbox
            .bytes(&kept)
            .map_err(|error| failure(error.to_string()))?;
        let Some(bytes) = renamed.or(found) else {
            return Err(failure(format!(
                "the previous content of `{}` is lost: `{kept}` does not exist",
                restore.path
            )));
        };
        owners.set(restore.path.as_str(), &restore.owner, &restore.group);
        writes.insert(restore.path.to_string(), Some((bytes, restore.mode.bits())));
    }
    Ok(())
}

/// Edits main.cf and master.cf of each service.
fn edits(sandbox: &Sandbox, orders: &Orders, writes: &mut Writes) -> Result<(), Failure> {
    for (service, ServiceOrders { edits, .. }) in &orders.services {
        if edits.is_empty() {
            continue;
        }
        let [main_cf, master_cf] = files(service);
        let (main, master) = (read(sandbox, &main_cf)?, read(sandbox, &master_cf)?);
        let (new_main, new_master) =
            apply_edits(&main, &master, edits).map_err(|error| failure(error.to_string()))?;
        for (path, old, new) in [(main_cf, main, new_main), (master_cf, master, new_master)] {
            if new != old {
                let new = former::take(sandbox, &path, &old, new)?;
                writes.extend(former::keep(sandbox, &path, old, &new));
                writes.insert(path, Some((new, 0o644)));
            }
        }
    }
    Ok(())
}

/// Writes the ledger and the new generation, and prunes the history.
fn ledger_and_history(
    sandbox: &Sandbox,
    orders: &Orders,
    writes: &mut Writes,
) -> Result<(), Failure> {
    let io = |error: std::io::Error| failure(error.to_string());
    let mut pruned = BTreeSet::new();
    if let Some(order) = &orders.history {
        let bytes = Some((order.bytes.clone(), 0o600));
        writes.insert(history::file(order.generation), bytes);
        pruned = history::pruned(sandbox, order).map_err(io)?;
    }
    match &orders.ledger {
        LedgerOrder::Keep => {}
        LedgerOrder::WriteKeyed(bytes) => {
            writes.insert(LEDGER.to_owned(), Some((bytes.clone(), 0o600)));
        }
        LedgerOrder::Remove => {
            writes.insert(LEDGER.to_owned(), None);
            let kept = adopted(sandbox).map_err(io)?.into_iter();
            writes.extend(kept.chain(former::all(sandbox)).map(|text| (text, None)));
            pruned = history::all(sandbox).map_err(io)?;
        }
    }
    let pruned = pruned.into_iter();
    writes.extend(pruned.map(|number| (history::file(number), None)));
    Ok(())
}

fn read(sandbox: &Sandbox, path: &str) -> Result<Vec<u8>, Failure> {
    sandbox
        .bytes(path)
        .map(Option::unwrap_or_default)
        .map_err(|error| failure(error.to_string()))
}

fn failure(summary: String) -> Failure {
    Failure {
        summary,
        detail: None,
        hint: None,
    }
}

/// The previous contents of adopted files that are kept.
fn adopted(sandbox: &Sandbox) -> std::io::Result<Vec<String>> {
    let names = sandbox.existing()?.list(Path::new(ADOPTED))?;
    let paths = names
        .iter()
        .map(|name| format!("{ADOPTED}/{}", name.to_string_lossy()));
    Ok(paths.collect())
}

/// What the files hold now that the apply will write or index: the way back.
pub(super) fn snapshot(
    sandbox: &Sandbox,
    writes: &Writes,
    orders: &Orders,
) -> std::io::Result<Writes> {
    let indexes = orders.services.values().flat_map(|one| &one.indexes);
    let indexes = indexes.filter_map(|index| {
        let suffix = index.table_type.index_suffix()?;
        Some(format!("{}{suffix}", index.source))
    });
    let folder = sandbox.existing()?;
    let mut before = Writes::new();
    for path in writes.keys().cloned().chain(indexes) {
        let old = match sandbox.read(&path)? {
            Some(bytes) => Some((bytes, tree::mode(&folder.metadata(Path::new(&path))?))),
            None => None,
        };
        before.insert(path, old);
    }
    Ok(before)
}

/// Writes a file whole: beside its target, with its mode before its content, then renamed. A link that stays in the
/// sandbox is kept. It does not wait for the disk: after a power cut the next plan shows what is missing.
pub(super) fn write_file(
    folder: &RootFolder,
    path: &str,
    bytes: &[u8],
    mode: u32,
) -> std::io::Result<()> {
    // Postfix reads a file of settings again and again until it has not changed for a second or two
    // (dict_load_file_xt in its source). This one is complete when it gets its name, so Postfix need not wait.
    let earlier = SystemTime::now() - Duration::from_secs(3);
    let options = WriteOptions {
        mode: Some(mode),
        modified: Some(earlier),
    };
    folder.write(Path::new(path), bytes, options)
}
