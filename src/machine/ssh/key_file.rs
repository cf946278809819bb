//! Looks into a private key's file: whether a passphrase is needed, which libssh2 does not say.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::machine::known_hosts::HostKey;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyFile {
    /// It opens by itself.
    Plain,
    /// It wants a passphrase.
    Encrypted,
}

impl KeyFile {
    /// Reads a file.
    pub(super) fn look(path: &Path) -> std::io::Result<Self> {
        let text = zeroize::Zeroizing::new(std::fs::read(path)?);
        Ok(Self::of(&String::from_utf8_lossy(&text)))
    }

    /// PEM says `ENCRYPTED` in its header; OpenSSH's own format has the cipher's name after its magic
    /// (PROTOCOL.key), `none` where there is none.
    fn of(text: &str) -> Self {
        const MAGIC: &[u8] = b"openssh-key-v1\0";
        const NONE: &[u8] = b"\0\0\0\x04none";
        if text.contains("ENCRYPTED") {
            return Self::Encrypted;
        }
        let body: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(|line| line.trim().chars())
            .collect();
        let start: String = body.chars().take(32).collect();
        match STANDARD.decode(start) {
            Ok(bytes) => match bytes.strip_prefix(MAGIC) {
                Some(rest) if !rest.starts_with(NONE) => Self::Encrypted,
                _ => Self::Plain,
            },
            Err(_) => Self::Plain,
        }
    }
}

/// `key` with something after its name: `id_ed25519.pub`.
pub(super) fn beside(key: &Path, suffix: &str) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The public half that lies beside a private key, if any.
pub(super) fn public(key: &Path) -> Option<HostKey> {
    HostKey::parse(&std::fs::read_to_string(beside(key, ".pub")).ok()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn every_format_of_ssh_keygen_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        for (index, (kind, format)) in [
            ("ed25519", "RFC4716"),
            ("rsa", "RFC4716"),
            ("rsa", "PEM"),
            ("rsa", "PKCS8"),
        ]
        .into_iter()
        .enumerate()
        {
            for (passphrase, wanted) in [("", KeyFile::Plain), ("secret", KeyFile::Encrypted)] {
                let file = folder.path().join(format!("{index}{passphrase}"));
                let done = Command::new("ssh-keygen")
                    .args(["-q", "-t", kind, "-m", format, "-N", passphrase, "-f"])
                    .arg(&file)
                    .output()
                    .unwrap();
                assert!(done.status.success(), "{done:?}");
                assert_eq!(
                    KeyFile::look(&file).unwrap(),
                    wanted,
                    "{kind} {format} {passphrase}"
                );
                assert!(public(&file).is_some());
            }
        }
    }
}
