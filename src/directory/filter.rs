//! LDAP filters (RFC 4515) whose values may have place-holders, parsed once and evaluated for many keys.

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LdapFilter {
    /// `(&…)`: all hold.
    And(Vec<Self>),
    /// `(|…)`: one holds.
    Or(Vec<Self>),
    /// `(!…)`: it does not hold.
    Not(Box<Self>),
    /// A statement about one attribute.
    Item {
        /// The attribute, in lower case.
        attribute: String,
        /// What is said of it.
        assertion: Assertion,
    },
}

/// What a filter says of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assertion {
    /// `(attribute=*)`: the entry has it.
    Present,
    /// `(attribute=value)`.
    Equal(Pattern),
    /// `(attribute=start*middle*end)`; the first and the last part may be empty.
    Substrings(Vec<Pattern>),
}

/// A value: text, with a place-holder where `%` and a letter or digit are in the template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern(pub Vec<PatternPart>);

/// A part of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternPart {
    /// This text.
    Text(String),
    /// The value of this place-holder.
    Placeholder(char),
}

impl Pattern {
    /// The text with each place-holder replaced by what `value` gives.
    pub fn fill(&self, value: &dyn Fn(char) -> String) -> String {
        let parts = self.0.iter().map(|part| match part {
            PatternPart::Text(text) => text.clone(),
            PatternPart::Placeholder(letter) => value(*letter),
        });
        parts.collect()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
