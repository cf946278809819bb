//! The history of a sandbox: a file for each generation, as on a real host.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use crate::exchange::HistoryOrder;
use crate::history::{Generation, HistoryEntry};
use crate::machine::{Failure, MachineError};
use crate::state::Remark;

use super::Sandbox;

const FOLDER: &str = "/var/lib/murder/history";

/// The file of a generation, as a path of the host.
pub(super) fn file(generation: u64) -> String {
    format!("{FOLDER}/{generation}.json")
}

/// The generations that are kept, with the bytes of each.
fn kept(sandbox: &Sandbox) -> Result<BTreeMap<u64, u64>, std::io::Error> {
    let mut kept = BTreeMap::new();
    let Some(folder) = sandbox.folder()? else {
        return Ok(kept);
    };
    let names = match folder.list(Path::new(FOLDER)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(kept),
        names => names?,
    };
    for name in names {
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".json"))
            .and_then(|name| name.parse().ok());
        if let Some(number) = number {
            let size = folder.metadata(&Path::new(FOLDER).join(&name))?.len();
            kept.insert(number, size);
        }
    }
    Ok(kept)
}

/// The entries of all generations, oldest first, and a remark for each one that cannot be read.
pub(super) fn entries(sandbox: &Sandbox) -> Result<(Vec<HistoryEntry>, Vec<Remark>), MachineError> {
    let numbers =
        kept(sandbox).map_err(|error| sandbox.unfit("cannot list the history", &error))?;
    let (mut entries, mut remarks) = (Vec::new(), Vec::new());
    for number in numbers.into_keys() {
        let bytes = sandbox.bytes(&file(number))?.unwrap_or_default();
        match HistoryEntry::from_bytes(&bytes) {
            Ok(entry) => entries.push(entry),
            Err(error) => remarks.push(error.remark(&file(number))),
        }
    }
    Ok((entries, remarks))
}

/// One generation. `None` if it is not kept.
pub(super) fn generation(
    sandbox: &Sandbox,
    number: u64,
) -> Result<Option<Box<Generation>>, MachineError> {
    let Some(bytes) = sandbox.bytes(&file(number))? else {
        return Ok(None);
    };
    let generation = Generation::from_bytes(&bytes).map_err(|error| {
        MachineError::Unfit(Failure {
            summary: error.to_string(),
            detail: Some(file(number)),
            hint: Some("choose another generation: `murder history` lists them".to_owned()),
        })
    })?;
    Ok(Some(Box::new(generation)))
}

/// The generations to delete with `order`: those beyond its limits of number and bytes. The new one always stays.
pub(super) fn pruned(
    sandbox: &Sandbox,
    order: &HistoryOrder,
) -> Result<BTreeSet<u64>, std::io::Error> {
    let mut others = kept(sandbox)?;
    others.remove(&order.generation);
    let mut bytes = order.bytes.len() as u64;
    let mut pruned = BTreeSet::new();
    for (place, (number, size)) in others.into_iter().rev().enumerate() {
        bytes = bytes.saturating_add(size);
        // The new one has the first place.
        if place + 1 >= order.keep as usize || bytes > order.keep_bytes {
            pruned.insert(number);
        }
    }
    Ok(pruned)
}

/// All generations, which are deleted with the ledger.
pub(super) fn all(sandbox: &Sandbox) -> Result<BTreeSet<u64>, std::io::Error> {
    Ok(kept(sandbox)?.into_keys().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::name::HostName;
    use crate::state::Facts;

    #[test]
    fn the_oldest_go_by_number_and_by_bytes_and_the_new_one_never() {
        let home = tempfile::tempdir().unwrap();
        let host = HostName::new("a.example.org").unwrap();
        let sandbox = Sandbox::new(
            home.path(),
            &host,
            Facts::debian(),
            std::sync::Arc::default(),
        );
        std::fs::create_dir_all(sandbox.inside(FOLDER)).unwrap();
        for number in [1, 2, 9, 10] {
            std::fs::write(sandbox.inside(&file(number)), [b'x'; 100]).unwrap();
        }
        std::fs::write(sandbox.inside(FOLDER).join("note.txt"), "x").unwrap();
        let gone = |bytes: usize, keep, keep_bytes| {
            let order = HistoryOrder {
                generation: 11,
                bytes: vec![b'x'; bytes],
                keep,
                keep_bytes,
            };
            let gone = pruned(&sandbox, &order).unwrap();
            gone.into_iter().collect::<Vec<u64>>()
        };
        assert_eq!(gone(100, 20, 10_000), [0; 0]);
        assert_eq!(gone(100, 3, 10_000), [1, 2]);
        assert_eq!(gone(100, 20, 300), [1, 2]);
        assert_eq!(gone(1_000, 20, 300), [1, 2, 9, 10]);
        assert_eq!(gone(100, 1, 10_000), [1, 2, 9, 10]);
    }
}
