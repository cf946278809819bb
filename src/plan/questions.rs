//! The questions whose answers a host's difference needs.

use crate::exchange::{KnownFacts, Questions};
use crate::name::RemotePath;
use crate::secret::{MissingSecret, Secrets};
use crate::state::{Desired, File, Want};
use crate::thing::Thing;

use crate::digest::sha256_hex;

/// The questions about `desired`: its files with the hashes they should have, their indexes, its
/// parameter names, and the sockets that its tables deliver to.
///
/// # Errors
/// [`MissingSecret`] where a file holds a secret that has not been read.
pub fn questions(
    desired: &Desired,
    secrets: &Secrets,
    known: Option<KnownFacts>,
) -> Result<Questions, MissingSecret> {
    let mut questions = Questions {
        services: desired.services.keys().cloned().collect(),
        known,
        ..Questions::default()
    };
    for (path, want) in desired.files() {
        let expected = match want {
            Want::Present(file) => {
                questions.indexes.extend(index_path(path, file));
                // Only the host knows by which type it names its alias files.
                if path.as_str().contains("alias") {
                    let paths = [".db", ".lmdb", ".cdb"].map(|suffix| format!("{path}{suffix}"));
                    let paths = paths.into_iter().map(RemotePath::new);
                    questions.indexes.extend(paths.flatten());
                }
                let masked = file.body.masked();
                questions.sockets.extend(lmtp_sockets(&masked));
                match file.body.reveal(secrets) {
                    Ok(text) => Some(sha256_hex(text.as_bytes())),
                    // The host sends its text.
                    Err(_) if secrets.are_partial() => None,
                    Err(missing) => return Err(missing),
                }
            }
            Want::Absent => None,
        };
        questions.files.insert(path.clone(), expected);
    }
    for (thing, want) in desired.values() {
        if let Thing::Parameter(name) = thing {
            questions.names.insert(name.clone());
        }
        if let Want::Present(value) = want {
            questions.sockets.extend(lmtp_sockets(value));
        }
    }
    Ok(questions)
}

/// The path of the index beside a table's source, if its type has one.
#[must_use]
pub fn index_path(source: &RemotePath, file: &File) -> Option<RemotePath> {
    let suffix = file.index.as_ref()?.index_suffix()?;
    RemotePath::new(format!("{source}{suffix}")).ok()
}

/// The sockets of deliveries like `lmtp:unix:/run/cyrus/socket/lmtp` (transport(5)).
fn lmtp_sockets(text: &str) -> impl Iterator<Item = RemotePath> {
    const DELIVERY: &str = "lmtp:unix:";
    text.match_indices(DELIVERY).filter_map(|(at, _)| {
        let path = &text[at + DELIVERY.len()..];
        let end = path.find(|c: char| c == ',' || c.is_whitespace());
        RemotePath::new(&path[..end.unwrap_or(path.len())]).ok()
    })
}
