//! The frame around an answer: a nonce at both ends and a checksum, so that banners, noisy
//! profiles and cut connections are told from answers.

use std::hash::{BuildHasher, Hasher};

use memchr::memmem::find;

pub(super) use crate::digest::sha256_hex as sha256;

/// 128 random bits as text: no banner holds them by chance.
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
    /// Not even its beginning was found.
    NoBeginning,
    /// It begins and does not end.
    NoEnd,
    /// Its checksum is another.
    Checksum,
}

impl Broken {
    /// What to say about it.
    pub fn why(self) -> &'static str {
        match self {
            Self::NoBeginning => "the answer has no beginning",
            Self::NoEnd => "the answer is cut off",
            Self::Checksum => "the checksum of the answer is wrong",
        }
    }
}

/// Finds the frame of `nonce` in whatever came back.
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
