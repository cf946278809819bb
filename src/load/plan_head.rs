//! Tells the file of a saved plan from a manifest.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::plan::saved::{is_no_manifest, is_saved_plan};

/// So much of a file decides whether it is a saved plan.
const HEAD: u64 = 4096;
/// Files of a folder that are looked at for a saved plan.
const MOST_ENTRIES: usize = 1000;

/// Whether a path is the file of a saved plan, and no manifest. A plan that was edited is one too.
#[must_use]
pub fn is_plan_file(path: &Path) -> bool {
    let is_yaml = || {
        path.extension()
            .is_some_and(|name| name == "yaml" || name == "yml")
    };
    head(path).is_some_and(|head| is_saved_plan(&head) || (is_no_manifest(&head) && !is_yaml()))
}

/// The first saved plan in a folder: what a person may mean who gives the folder.
pub(super) fn plan_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.take(MOST_ENTRIES);
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths
        .into_iter()
        .find(|path| head(path).is_some_and(|head| is_saved_plan(&head)))
}

/// The first bytes of a regular file that can be read. A manifest may come from a pipe, which can be read only once.
fn head(path: &Path) -> Option<Vec<u8>> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut head = Vec::new();
    let file = File::open(path).ok()?;
    file.take(HEAD).read_to_end(&mut head).ok()?;
    Some(head)
}
