//! The tree of a YAML text: what was written, word for word, and where.

use crate::diagnostic::Span;

/// One value of the text and its place.
///
/// A block collection has no text of its own: its place is its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it is in the text; for an alias, the place of the alias.
    pub span: Span,
    /// What was written.
    pub kind: Kind,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One word or text. It has no type yet: whoever reads it knows what is wanted there.
    Scalar {
        /// The text, with quotes and escapes undone and nothing else.
        text: String,
        /// Whether it stood without quotes; only such a word can be `null` or `true`.
        plain: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the text, each key once.
    Map(Vec<MapEntry>),
}

/// One key of a map and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapEntry {
    /// The key, word for word.
    pub key: String,
    /// Where the key was written.
    pub at: Span,
    /// Its value.
    pub value: Node,
    /// What an overlay replaced by this entry.
    pub under: Option<Box<MapEntry>>,
}

impl MapEntry {
    /// This entry, and behind it what overlays replaced.
    pub fn and_under(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |entry| entry.under.as_deref())
    }
}

impl Node {
    /// A map of nothing.
    #[must_use]
    pub fn empty_map(span: Span) -> Self {
        Self {
            span,
            kind: Kind::Map(Vec::new()),
        }
    }

    /// Whether it is YAML's `null`: a plain `null` or `~`, or nothing at all.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar that is not `null`.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; nothing for anything else.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        match &self.kind {
            Kind::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// The entries of a map; nothing for anything else.
    #[must_use]
    pub fn entries(&self) -> &[MapEntry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entry of that key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&MapEntry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// What it is, for people.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match &self.kind {
            _ if self.is_null() => "nothing",
            Kind::Scalar { .. } => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }
}
