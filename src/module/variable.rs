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

impl Variable {
    /// The first text in a value that is not of its kind: the text, what was wanted, and why not.
    #[must_use]
    pub fn wrong_text(&self, value: &serde_json::Value) -> Option<(String, TextKind, String)> {
        let wrong = |text: &str, word: Option<TextKind>| {
            let word = word?;
            let why = word.check(text).err()?;
            Some((text.to_owned(), word, why))
        };
        match &self.kind {
            VariableKind::List => value
                .as_array()?
                .iter()
                .filter_map(serde_json::Value::as_str)
                .find_map(|text| wrong(text, self.of)),
            VariableKind::Map => value.as_object()?.iter().find_map(|(key, value)| {
                wrong(key, self.keys).or_else(|| wrong(value.as_str()?, self.of))
            }),
            VariableKind::String => {
                let text = value.as_str()?;
                // Where nothing is the default, nothing is right.
                if text.is_empty() && self.default.as_str() == Some("") {
                    return None;
                }
                wrong(text, self.of)
            }
            VariableKind::Bool | VariableKind::Integer | VariableKind::OneOf(_) => None,
        }
    }
}
