//! known_hosts, as sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" describes it.
//!
//! The reader of libssh2 is not safe: its wildcards never match, and it ignores `@revoked`. This one knows hashed names,
//! wildcards, negation, ports, several files and several keys. A `@revoked` key is refused. `@cert-authority` lines are
//! skipped, as host certificates are never negotiated. Invalid lines are skipped, as in OpenSSH.

mod add;
mod line;
mod names;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::root_folder::read_regular;
pub use add::{add, entry, hashed_entry};
use line::{Line, Marker};
pub(in crate::transport) use names::glob;

/// The key of a host, as it goes over the wire (RFC 4253, 6.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey(Vec<u8>);

impl HostKey {
    /// Takes a key's bytes.
    #[must_use]
    pub fn new(blob: impl Into<Vec<u8>>) -> Self {
        Self(blob.into())
    }

    /// Reads `ssh-ed25519 AAAA… comment`, as in a `.pub` file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let kind = words.next()?;
        let key = Self(line::decode(words.next()?)?);
        (key.kind() == kind).then_some(key)
    }

    /// The name of its algorithm, which its bytes begin with.
    #[must_use]
    pub fn kind(&self) -> &str {
        line::kind_of(&self.0).unwrap_or("unknown")
    }

    /// Its fingerprint as `ssh-keygen -l` shows it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.0)))
    }

    /// Its bytes.
    #[must_use]
    pub fn blob(&self) -> &[u8] {
        &self.0
    }
}

/// A line of a known_hosts file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineLocation {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for LineLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// Whether the files trust a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyTrust {
    /// It is the host's.
    Trusted,
    /// A `@revoked` line names it.
    Revoked(LineLocation),
    /// The host is known by another key.
    Changed(LineLocation),
    /// No line names the host.
    Unknown,
}

/// The largest known_hosts file that is read, in bytes: some hundred thousand hosts.
const LARGEST: u64 = 64 << 20;

/// The lines of all files, as text: names are matched first, and only a match is decoded.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts(Vec<(PathBuf, String)>);

impl KnownHosts {
    /// Reads the files that exist.
    ///
    /// # Errors
    /// A file that exists and cannot be read, since it may revoke keys.
    pub fn load(files: &[PathBuf]) -> Result<Self, (PathBuf, std::io::Error)> {
        let mut read = Vec::new();
        for file in files {
            match read_regular(file, LARGEST) {
                Ok(bytes) => {
                    read.push((file.clone(), String::from_utf8_lossy(&bytes).into_owned()))
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err((file.clone(), error)),
            }
        }
        Ok(Self(read))
    }

    /// Takes `text` as the content of `file`.
    #[must_use]
    pub fn from_text(file: &Path, text: &str) -> Self {
        Self(vec![(file.to_owned(), text.to_owned())])
    }

    /// What is known of `key` for the host `name` at `port`.
    #[must_use]
    pub fn check(&self, name: &str, port: u16, key: &HostKey) -> KeyTrust {
        let wanted = names::with_port(name, port);
        let mut verdict = KeyTrust::Unknown;
        for (place, line) in self.lines_of(&wanted) {
            let same = line.blob == key.0;
            match (line.marker, same, &verdict) {
                (Marker::Revoked, true, _) => return KeyTrust::Revoked(place),
                (Marker::Plain, true, _) => verdict = KeyTrust::Trusted,
                (Marker::Plain, false, KeyTrust::Unknown) => verdict = KeyTrust::Changed(place),
                _ => {}
            }
        }
        // As in OpenSSH: on another port than 22, a key under the bare name is trusted, but another key is no change.
        if verdict == KeyTrust::Unknown && wanted != name {
            for (place, line) in self.lines_of(name).filter(|(_, line)| line.blob == key.0) {
                match line.marker {
                    Marker::Revoked => return KeyTrust::Revoked(place),
                    Marker::Plain => verdict = KeyTrust::Trusted,
                    Marker::Authority => {}
                }
            }
        }
        verdict
    }

    /// The kinds of key that are known for the host. The server is asked for one of these.
    #[must_use]
    pub fn kinds(&self, name: &str, port: u16) -> Vec<String> {
        let wanted = names::with_port(name, port);
        let mut kinds = Vec::new();
        // On port 22 both names are the same.
        let bare = Some(name).filter(|name| wanted != *name);
        let bare = bare.into_iter().flat_map(|name| self.lines_of(name));
        for (_, line) in self.lines_of(&wanted).chain(bare) {
            if line.marker == Marker::Plain && !kinds.contains(&line.kind) {
                kinds.push(line.kind);
            }
        }
        kinds
    }

    fn lines_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (LineLocation, Line)> + 'a {
        let name = name.to_ascii_lowercase();
        self.0.iter().flat_map(move |(file, text)| {
            let name = name.clone();
            text.lines().enumerate().filter_map(move |(index, text)| {
                let line = Line::parse(text, |names| names::matches(names, &name))?;
                let place = LineLocation {
                    file: file.clone(),
                    line: index + 1,
                };
                Some((place, line))
            })
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
