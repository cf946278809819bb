//! Reads a private key's file: whether it needs a passphrase, which libssh2 does not say, and its public half, which
//! libssh2 computes for each host although OpenSSH's format contains it.

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::root_folder::{open_regular, read_regular};
use crate::transport::known_hosts::HostKey;

/// The largest private key, as in OpenSSH (`MAX_KEY_FILE_SIZE`).
const LARGEST: u64 = 1024 * 1024;

/// A private key's file, as text.
pub(in crate::transport) struct KeyFile {
    /// The file as it is.
    pub(super) text: Zeroizing<String>,
    /// Whether it needs a passphrase.
    pub(super) encrypted: bool,
    /// The public half, as in a `.pub` file. `None` where it must be computed from the private half.
    pub(super) public: Option<String>,
}

impl KeyFile {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, is no text or too large, or where other users can read it: OpenSSH ignores such a key
    /// too (`sshkey_perm_ok` in its authfile.c), if its own user owns the file.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let file = open_regular(path)?;
        let meta = file.metadata()?;
        let mode = meta.mode() & 0o777;
        if meta.uid() == rustix::process::getuid().as_raw() && mode & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "permissions {mode:04o} are too open: a private key must not be accessible by others; run `chmod 600 {}`",
                    path.display()
                ),
            ));
        }
        let mut text = Zeroizing::new(String::new());
        let size = file.take(LARGEST + 1).read_to_string(&mut text)?;
        if u64::try_from(size).is_ok_and(|size| size <= LARGEST) {
            Ok(Self::of(text))
        } else {
            let why = format!("it is larger than {LARGEST} bytes");
            Err(io::Error::new(io::ErrorKind::InvalidData, why))
        }
    }

    /// PEM says `ENCRYPTED` in its header; OpenSSH's own format has the cipher's name after its magic
    /// (PROTOCOL.key), `none` where there is none.
    fn of(text: Zeroizing<String>) -> Self {
        let body: Zeroizing<String> = Zeroizing::new(
            text.lines()
                .filter(|line| !line.starts_with("-----"))
                .flat_map(str::split_ascii_whitespace)
                .collect(),
        );
        let decoded = STANDARD.decode(body.as_bytes()).map(Zeroizing::new);
        let openssh = decoded.ok().and_then(|bytes| openssh(&bytes));
        let encrypted = match &openssh {
            Some((cipher, _)) => cipher != b"none",
            None => text.contains("ENCRYPTED"),
        };
        // Where the passphrase is wrong, libssh2 says so only if it has to look inside by itself.
        let public = openssh
            .filter(|_| !encrypted)
            .map(|(_, blob)| HostKey::new(blob))
            .filter(|key| key.kind() != "unknown")
            .map(|key| format!("{} {}", key.kind(), STANDARD.encode(key.blob())));
        Self {
            text,
            encrypted,
            public,
        }
    }
}

/// The cipher's name and the public half of a key in OpenSSH's own format (PROTOCOL.key): after the magic the
/// cipher, the key derivation and its options, the number of keys, and the first public one.
fn openssh(bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let cipher = string(&mut rest)?;
    string(&mut rest)?;
    string(&mut rest)?;
    rest = rest.get(4..)?;
    Some((cipher.to_vec(), string(&mut rest)?.to_vec()))
}

/// Takes a string off the front (RFC 4251, 5).
fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(string)
}

/// `key` with something after its name: `id_ed25519.pub`.
pub(super) fn beside(key: &Path, suffix: &str) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The public half that lies beside a private key, if any.
pub(super) fn public(key: &Path) -> Option<HostKey> {
    let bytes = read_regular(&beside(key, ".pub"), LARGEST).ok()?;
    HostKey::parse(std::str::from_utf8(&bytes).ok()?)
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
            for passphrase in ["", "secret"] {
                let file = folder.path().join(format!("{index}{passphrase}"));
                let done = Command::new("ssh-keygen")
                    .args(["-q", "-t", kind, "-m", format, "-N", passphrase, "-f"])
                    .arg(&file)
                    .output()
                    .unwrap();
                assert!(done.status.success(), "{done:?}");
                let key = KeyFile::read(&file).unwrap();
                let what = format!("{kind} {format} {passphrase}");
                assert_eq!(key.encrypted, !passphrase.is_empty(), "{what}");
                let beside = public(&file).unwrap();
                let inside = key.public.as_deref().map(HostKey::parse);
                let told = format == "RFC4716" && passphrase.is_empty();
                assert_eq!(inside, told.then_some(Some(beside)), "{what}");
            }
        }
    }

    #[test]
    fn a_pipe_or_a_device_is_no_key_and_holds_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        for path in [&*pipe, &*beside(&pipe, ".pub")] {
            let made = Command::new("mkfifo")
                .args(["-m", "600"])
                .arg(path)
                .status();
            assert!(made.unwrap().success());
        }
        for path in [&*pipe, Path::new("/dev/zero"), Path::new("/dev/tty")] {
            assert!(KeyFile::read(path).is_err(), "{}", path.display());
        }
        assert!(public(&pipe).is_none());
    }
}
