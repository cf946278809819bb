//! main.cf and master.cf as they were before the apply that last changed them, so that a change that is taken back gives
//! their text back to the byte. A real host keeps them in the same places (`apply/former.sh`).

use std::path::Path;

use crate::exchange::{Failure, MachineError};
use crate::postfix::same_logical_lines;

use super::Sandbox;

const FOLDER: &str = "/var/lib/murder/before";

/// The place of the text before the last apply that changed a file.
fn place(path: &str) -> String {
    format!("{FOLDER}/{}", prefix(path))
}

/// The place of what that apply wrote: where the file is another one by now, the text before it is of no use.
fn after(path: &str) -> String {
    format!("{}.after", place(path))
}

/// `postfix.main.cf` for `/etc/postfix/main.cf`.
fn prefix(path: &str) -> String {
    path.trim_start_matches("/etc/").replace('/', ".")
}

/// The text before the last change, if `new` says the same; else `new`. `old` is what the file holds now.
pub(super) fn take(
    sandbox: &Sandbox,
    path: &str,
    old: &[u8],
    new: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    let read = |path: String| sandbox.bytes(&path).map_err(MachineError::into_failure);
    let is_of_now = read(after(path))?.is_some_and(|written| written == old);
    let former = match is_of_now {
        true => read(place(path))?,
        false => None,
    };
    let is_main = path.ends_with("/main.cf");
    Ok(former
        .filter(|former| same_logical_lines(former, &new, is_main))
        .unwrap_or(new))
}

/// The writes that keep the text of which `new` takes the place, and no earlier one.
pub(super) fn keep(
    sandbox: &Sandbox,
    path: &str,
    old: Vec<u8>,
    new: &[u8],
) -> impl Iterator<Item = (String, Option<(Vec<u8>, u32)>)> + use<> {
    let of_file = format!("{}.", place(path));
    let earlier = all(sandbox).filter(move |kept| kept.starts_with(&of_file));
    let now = [(place(path), old), (after(path), new.to_vec())];
    let now = now.map(|(place, text)| (place, Some((text, 0o600))));
    earlier.map(|kept| (kept, None)).chain(now)
}

/// All texts that are kept.
pub(super) fn all(sandbox: &Sandbox) -> impl Iterator<Item = String> + use<> {
    let folder = sandbox.existing();
    let names = folder.and_then(|folder| folder.list(Path::new(FOLDER)));
    let names = names.unwrap_or_default().into_iter();
    names.map(|name| format!("{FOLDER}/{}", name.to_string_lossy()))
}
