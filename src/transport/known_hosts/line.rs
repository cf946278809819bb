//! One line of a known_hosts file: `[@marker] names kind base64 [comment]`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The word before the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// None.
    Plain,
    /// `@revoked`.
    Revoked,
    /// `@cert-authority`.
    Authority,
}

/// A line whose names matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) marker: Marker,
    pub(super) kind: String,
    pub(super) blob: Vec<u8>,
}

impl Line {
    /// Reads a line whose names `wanted` accepts. `None` for a comment, another host, or an invalid line.
    pub(super) fn parse(text: &str, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next()?;
        let (marker, names) = match first {
            _ if first.starts_with('#') => return None,
            "@revoked" => (Marker::Revoked, words.next()?),
            "@cert-authority" => (Marker::Authority, words.next()?),
            // An unknown marker may restrict the key, so the key is not trusted.
            _ if first.starts_with('@') => return None,
            names => (Marker::Plain, names),
        };
        if !wanted(names) {
            return None;
        }
        let kind = words.next()?;
        let blob = decode(words.next()?)?;
        (kind_of(&blob)? == kind).then(|| Self {
            marker,
            kind: kind.to_owned(),
            blob,
        })
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64, padded or not.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text).ok()
}

/// The algorithm's name that a key's bytes begin with.
pub(super) fn kind_of(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}
