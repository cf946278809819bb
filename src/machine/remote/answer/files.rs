//! Files and indexes of a host.

use std::collections::BTreeMap;

use super::head::{Head, Stat};
use crate::machine::MachineError;
use crate::machine::remote::errors::failure;
use crate::machine::remote::frame::sha256;
use crate::machine::remote::observe::HASH_CAP;
use crate::machine::remote::ways::Way;
use crate::name::{Mode, RemotePath};
use crate::state::{LiveFile, LiveState};

/// Splits the streamed bytes into the files that the head names, and verifies the hash of each.
pub(super) fn streamed<'a>(
    head: &Head<'a>,
    mut body: &[u8],
) -> Result<BTreeMap<&'a str, String>, MachineError> {
    let mut texts = BTreeMap::new();
    let names = head.words.get("stream").copied().unwrap_or_default();
    for path in names.split_whitespace() {
        let size = head.stats.get(path).map_or(0, |stat| stat.size);
        let cut = usize::try_from(size)
            .ok()
            .filter(|size| *size <= body.len());
        let Some((text, rest)) = cut.map(|size| body.split_at(size)) else {
            return Err(moved(path));
        };
        if head.hashes.get(path) != Some(&sha256(text).as_str()) {
            return Err(moved(path));
        }
        texts.insert(path, String::from_utf8_lossy(text).into_owned());
        body = rest;
    }
    Ok(texts)
}

/// The hint for a file that changed while it was read. [`was_moving`] recognises the error by it.
const MOVED: &str = "find out what rewrites it on the host, and run again";

fn moved(path: &str) -> MachineError {
    failure(
        format!("{path} changed each time `murder` read it"),
        None,
        MOVED,
    )
}

/// Whether the error is that files changed while they were read, as they do during an apply.
pub(in crate::machine::remote) fn was_moving(error: &MachineError) -> bool {
    matches!(error, MachineError::Unfit(failure) if failure.hint.as_deref() == Some(MOVED))
}

/// One file. `text` is its content, if the host sent it.
pub(super) fn live_file(
    head: &Head<'_>,
    path: &RemotePath,
    text: Option<&String>,
) -> Result<LiveFile, MachineError> {
    let way = Way::of(path.as_str(), &head.links);
    let Some(reached) = &way.reached else {
        return Ok(LiveFile::Other(
            "a symbolic link to a path with blanks or signs in it, or to itself".to_owned(),
        ));
    };
    let link = (reached != path.as_str()).then(|| reached.clone());
    let Some(stat) = head.stats.get(path.as_str()) else {
        return Ok(match link {
            // A directory on the way may be a link, and the file does not exist yet.
            Some(_) if head.links.contains_key(path.as_str()) => {
                LiveFile::Other("a symbolic link that leads nowhere".to_owned())
            }
            _ => LiveFile::Absent,
        });
    };
    if let Some(other) = stat.other() {
        return Ok(LiveFile::Other(other.to_owned()));
    }
    if stat.size > HASH_CAP {
        return Ok(LiveFile::Other("a file of more than 1 GiB".to_owned()));
    }
    let Some(hash) = head.hashes.get(path.as_str()) else {
        return Err(moved(path.as_str()));
    };
    Ok(LiveFile::Present(LiveState {
        sha256: (*hash).to_owned(),
        private: stat.mode & 0o004 == 0 || !way.is_open(&head.stats),
        link,
        text: text.cloned(),
        ..state(stat)
    }))
}

/// An index: only its age matters, as its content follows from the table.
pub(super) fn live_index(head: &Head<'_>, path: &RemotePath) -> LiveFile {
    match head.stats.get(path.as_str()) {
        None => LiveFile::Absent,
        Some(stat) => match stat.other() {
            Some(other) => LiveFile::Other(other.to_owned()),
            None => LiveFile::Present(state(stat)),
        },
    }
}

fn state(stat: &Stat) -> LiveState {
    LiveState {
        sha256: String::new(),
        owner: stat.owner.clone(),
        group: stat.group.clone(),
        mode: Mode::from_bits(stat.mode),
        size: stat.size,
        mtime: stat.mtime,
        ctime: stat.ctime,
        inode: stat.inode,
        link: None,
        private: stat.mode & 0o004 == 0,
        text: None,
    }
}
