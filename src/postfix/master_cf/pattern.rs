//! The service patterns of postconf(1): `name/type/field`, where `*` matches anything.

use super::entry::COLUMN_NAMES;
use crate::postfix::text::lossy;
use crate::postfix::text::words;

/// A pattern that selects services, and the field or option that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Vec<u8>>,
}

impl Pattern {
    /// Reads a pattern of `least` to `most` parts; missing ones are `*`.
    pub(crate) fn parse(text: &[u8], least: usize, most: usize) -> Option<Self> {
        if text.first() == Some(&b'/') {
            return None;
        }
        let mut parts: Vec<Vec<u8>> = words(text, b"/").map(<[u8]>::to_vec).collect();
        if parts.len() < least || parts.len() > most {
            return None;
        }
        // `*` matches a whole part only.
        if parts
            .iter()
            .any(|part| part.len() > 1 && part.contains(&b'*'))
        {
            return None;
        }
        parts.resize(most, b"*".to_vec());
        Some(Self { parts })
    }

    /// Whether the pattern matches a service.
    pub(crate) fn matches(&self, name: &[u8], kind: &[u8]) -> bool {
        let fits = |at: usize, text: &[u8]| {
            self.parts
                .get(at)
                .is_some_and(|part| part == b"*" || part == text)
        };
        fits(0, name) && fits(1, kind)
    }

    /// The third part; none where it is `*`.
    pub(crate) fn detail(&self) -> Option<&[u8]> {
        self.parts
            .get(2)
            .map(Vec::as_slice)
            .filter(|part| *part != b"*")
    }

    /// The third part as a column; none where it is `*`.
    pub(crate) fn column(&self) -> Result<Option<usize>, String> {
        let Some(detail) = self.detail() else {
            return Ok(None);
        };
        COLUMN_NAMES
            .iter()
            .position(|name| name.as_bytes() == detail)
            .map(Some)
            .ok_or_else(|| format!("invalid service attribute name: \"{}\"", lossy(detail)))
    }
}
