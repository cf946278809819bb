//! The frame around an answer: a nonce at both ends and a checksum. It separates the answer from banners and the output
//! of login profiles, and shows whether it is complete.

use std::hash::{BuildHasher, Hasher};

use memchr::memmem::find;

pub(super) use crate::digest::sha256_hex as sha256;

/// 128 random bits as text, which no banner contains by chance.
pub(super) fn nonce() -> String {
    // The standard library seeds each hasher's keys from the system's randomness.
    let word = || {
        std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish()
    };
    format!("{:016x}{:016x}", word(), word())
}

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// Lines, verified by the checksum.
    pub head: &'a [u8],
    /// Bytes after the head; the head says what they are.
    pub body: &'a [u8],
}

/// Why there is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It has no beginning.
    NoBeginning,
    /// It has a beginning and no end.
    NoEnd,
    /// Its checksum is wrong.
    Checksum,
}

impl Broken {
    /// The text for an error.
    pub fn why(self) -> &'static str {
        match self {
            Self::NoBeginning => "the answer has no beginning",
            Self::NoEnd => "the answer is cut off",
            Self::Checksum => "the checksum of the answer is wrong",
        }
    }
}

/// Finds the frame of `nonce` in the output of a host.
pub(super) fn unframe<'a>(bytes: &'a [u8], nonce: &str) -> Result<Frame<'a>, Broken> {
    let begin = format!("{nonce} BEGIN ");
    let at = find(bytes, begin.as_bytes()).ok_or(Broken::NoBeginning)?;
    let bytes = &bytes[at + begin.len()..];
    let line_end = find(bytes, b"\n").ok_or(Broken::NoEnd)?;
    let checksum = &bytes[..line_end];
    let bytes = &bytes[line_end + 1..];

    let middle = format!("{nonce} HEAD\n");
    let at = find(bytes, middle.as_bytes()).ok_or(Broken::NoEnd)?;
    let head = &bytes[..at];
    let bytes = &bytes[at + middle.len()..];

    let end = format!("\n{nonce} END\n");
    let at = find(bytes, end.as_bytes()).ok_or(Broken::NoEnd)?;
    if sha256(head).as_bytes() != checksum {
        return Err(Broken::Checksum);
    }
    Ok(Frame {
        head,
        body: &bytes[..at],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn framed(nonce: &str, head: &str, body: &str) -> Vec<u8> {
        format!(
            "\n{nonce} BEGIN {}\n{head}{nonce} HEAD\n{body}\n{nonce} END\n",
            sha256(head.as_bytes())
        )
        .into_bytes()
    }

    #[test]
    fn noise_around_a_frame_does_no_harm() {
        let mut bytes = b"Welcome to ACME!\nabc BEGIN lies\n".to_vec();
        bytes.extend(framed("n0nce", "a\nb\n", "c\0d"));
        bytes.extend(b"logout\n");
        let frame = unframe(&bytes, "n0nce").unwrap();
        assert_eq!((frame.head, frame.body), (&b"a\nb\n"[..], &b"c\0d"[..]));
    }

    #[test]
    fn every_cut_and_every_changed_byte_of_the_head_is_seen() {
        let bytes = framed("n0nce", "head\n", "body");
        for end in 0..bytes.len() - 1 {
            assert!(unframe(&bytes[..end], "n0nce").is_err(), "cut at {end}");
        }
        let at = find(&bytes, b"head").unwrap();
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(unframe(&changed, "n0nce"), Err(Broken::Checksum));
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(nonce(), nonce());
    }
}
