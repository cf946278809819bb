//! Files that are sealed by their own digest, which detects accidents: saved plans and live files.

use crate::digest::sha256_hex;

/// What the file of a saved plan says that it is.
pub const PLAN_FORMAT: &str = "murder-plan";
/// What the file of `observe` says that it is.
pub const LIVE_FORMAT: &str = "murder-live";
/// How the file begins; the digest follows. It is the SHA-256 of all bytes but its own 64 digits.
pub(super) const HEAD: &str = "{\"digest\":\"sha256:";
/// What follows the digest.
const AFTER: &str = "\",\n";
/// The digits of a digest.
const DIGITS: usize = 64;

/// The bytes of a file with this JSON object, and their digest.
#[must_use]
pub fn sealed(document: &[u8]) -> (Vec<u8>, String) {
    let rest = document.get(1..).unwrap_or_default();
    let mut bytes = Vec::with_capacity(document.len() + 128);
    bytes.extend(HEAD.as_bytes());
    let at = bytes.len();
    bytes.extend(AFTER.as_bytes());
    bytes.extend(rest);
    bytes.push(b'\n');
    let digest = sha256_hex(&bytes);
    bytes.splice(at..at, digest.bytes());
    (bytes, digest)
}

/// The JSON object of a file, and the digest. None where its bytes are not those that were written.
#[must_use]
pub fn unsealed(bytes: &[u8]) -> Option<(Vec<u8>, String)> {
    let rest = bytes.strip_prefix(HEAD.as_bytes())?;
    let (digits, rest) = rest.split_at_checked(DIGITS)?;
    let digest = std::str::from_utf8(digits).ok()?;
    let document = rest.strip_prefix(AFTER.as_bytes())?;
    let same = sha256_hex(&[HEAD.as_bytes(), rest].concat()) == digest;
    same.then(|| ([b"{", document].concat(), digest.to_owned()))
}
