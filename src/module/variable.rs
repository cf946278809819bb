//! A variable of a module, and what it may hold.

use crate::diagnostic::Span;
use crate::module::TextKind;

/// One variable of a module.
#[derive(Debug, Clone)]
pub struct Variable {
    /// What it may hold.
    pub kind: VariableKind,
    /// What its texts are: the text, the members of the list, or the values of the map.
    pub of: Option<TextKind>,
    /// What the keys of the map are.
    pub keys: Option<TextKind>,
    /// Its value where the manifest sets none.
    pub default: serde_json::Value,
    /// One or more sentences for people.
    pub doc: String,
    /// Where it is declared.
    pub at: Span,
}

/// The kinds of a module's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableKind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Text of one line.
    String,
    /// A list of texts.
    List,
    /// A map of texts.
    Map,
    /// One of these words.
    OneOf(Vec<String>),
}

impl VariableKind {
    /// What is wanted, with its article, for messages.
    #[must_use]
    pub fn wanted(&self) -> String {
        match self {
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::String => "a text of one line".to_owned(),
            Self::List => "a list of texts".to_owned(),
            Self::Map => "a map of texts".to_owned(),
            Self::OneOf(words) => format!("one of `{}`", words.join("`, `")),
        }
    }

    /// What to write instead of something else.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Bool => "write `true` or `false`, without quotes".to_owned(),
            Self::Integer => "write a whole number in plain digits, without quotes".to_owned(),
            Self::String => "write a text of one line".to_owned(),
            Self::List => "write a list of texts, as in `[a, b]`".to_owned(),
            Self::Map => "write a map of texts, as in `{a: b}`".to_owned(),
            Self::OneOf(words) => format!("write one of `{}`", words.join("`, `")),
        }
    }

    /// Whether `value` is of this kind.
    #[must_use]
    pub fn admits(&self, value: &serde_json::Value) -> bool {
        let line = |value: &serde_json::Value| {
            value
                .as_str()
                .is_some_and(|text| !text.contains(['\n', '\r']))
        };
        match self {
            Self::Bool => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::String => line(value),
            Self::List => value.as_array().is_some_and(|items| items.iter().all(line)),
            Self::Map => value.as_object().is_some_and(|map| map.values().all(line)),
            Self::OneOf(words) => value
                .as_str()
                .is_some_and(|text| words.iter().any(|word| word == text)),
        }
    }
}
