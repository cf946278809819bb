//! Reading the files of saved plans, and live files.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::files::unreadable;
use crate::diagnostic::Diagnostic;
use crate::plan::saved::{is_no_manifest, is_saved_plan};

/// The largest file that is read as a plan, in bytes.
const MOST: u64 = 1 << 30;
/// The largest live file that is read, in bytes.
const MOST_LIVE: u64 = 256 << 20;
/// So much of a file decides whether it is a saved plan.
const HEAD: u64 = 4096;
/// Files of a folder that are looked at for a saved plan.
const MOST_ENTRIES: usize = 1000;

/// The bytes of a saved plan's file.
///
/// # Errors
/// If it cannot be read, or is too large.
pub fn read_plan(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    read(path, MOST).map_err(|error| {
        unreadable(path, &error).hint("name the file that `murder plan --out FILE` wrote")
    })
}

/// The bytes of a live file.
///
/// # Errors
/// If it cannot be read, or is too large.
pub fn read_live_file(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    read(path, MOST_LIVE).map_err(|error| {
        unreadable(path, &error).hint("name the file that `murder observe --out FILE` wrote")
    })
}

fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let why = format!("it has more than {most} bytes, which is the limit");
        return Err(io::Error::other(why));
    }
    Ok(bytes)
}

/// Whether a path is the file of a saved plan, and no manifest. A plan that was edited is one too.
#[must_use]
pub fn is_plan_file(path: &Path) -> bool {
    // A manifest may come from a pipe, which can be read only once.
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return false;
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let is_yaml = || {
        path.extension()
            .is_some_and(|name| name == "yaml" || name == "yml")
    };
    read.is_ok() && (is_saved_plan(&head) || (is_no_manifest(&head) && !is_yaml()))
}

/// The first saved plan in a folder: what a person may mean who gives the folder.
pub(super) fn plan_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.take(MOST_ENTRIES);
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths.into_iter().find(|path| {
        let mut head = Vec::new();
        let is_file = std::fs::metadata(path).is_ok_and(|found| found.is_file());
        let mut read = || File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
        is_file && read().is_ok() && is_saved_plan(&head)
    })
}
