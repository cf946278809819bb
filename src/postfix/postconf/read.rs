//! main.cf and master.cf as postconf(1) reads them.

use std::collections::BTreeMap;

use crate::postfix::lines::logical_lines;
use crate::postfix::master_cf::MasterEntry;
use crate::postfix::text::lossy;
use crate::postfix::text::split_name_value;

/// Values by their names, as the file has them.
pub(super) type Settings = BTreeMap<Vec<u8>, Vec<u8>>;

/// The entries of master.cf.
///
/// # Errors
/// The message with which postconf stops at a line.
pub(super) fn read_entries(
    text: &[u8],
    warnings: &mut Vec<String>,
) -> Result<Vec<MasterEntry>, String> {
    let mut entries = Vec::new();
    for line in logical_lines(text) {
        if line.dropped {
            warnings.push(format!(
                "master.cf, line {}: logical line must not start with whitespace",
                line.first
            ));
            continue;
        }
        let (entry, complaints) = MasterEntry::parse(&line.text)
            .map_err(|why| format!("file master.cf: line {}: {why}", line.first))?;
        warnings.extend(complaints);
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads main.cf into `set`.
///
/// # Errors
/// The message with which postconf stops at a line.
pub(super) fn read_main(
    text: &[u8],
    set: &mut Settings,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    for line in logical_lines(text) {
        if line.dropped {
            warnings.push(format!(
                "main.cf, line {}: logical line must not start with whitespace",
                line.first
            ));
            continue;
        }
        let (name, value) = split_name_value(&line.text)
            .map_err(|why| format!("main.cf, line {}: {why}", line.first))?;
        let earlier = set.insert(name.to_vec(), value.to_vec());
        if earlier.is_some_and(|earlier| earlier != value) {
            warnings.push(format!(
                "main.cf, line {}: overriding earlier entry: {}",
                line.last,
                lossy(name)
            ));
        }
    }
    Ok(())
}

/// The values that each service sets with `-o`. Entries of the same name and type share one set.
pub(super) fn local_settings(entries: &[MasterEntry]) -> BTreeMap<Vec<u8>, Settings> {
    let mut local: BTreeMap<Vec<u8>, Settings> = BTreeMap::new();
    for entry in entries {
        for (name, value) in entry.options() {
            local
                .entry(name_space(entry))
                .or_default()
                .insert(name.to_vec(), value.to_vec());
        }
    }
    local
}

/// `name/type`.
pub(super) fn name_space(entry: &MasterEntry) -> Vec<u8> {
    [entry.word(0), b"/", entry.word(1)].concat()
}
