//! What a lookup in a table answers, and why it may have no answer.

use super::part::PartVisitor;
use crate::directory::Directory;

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerPlace {
    /// A line of a file on the host, from 1.
    Line(String, usize),
    /// An entry of the directory, by its name, found by the LDAP table in a file.
    Entry(String, String),
    /// The name of the table itself, as for `static:` and `inline:`.
    Name,
}

/// The value that a table has for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupAnswer {
    /// The value.
    pub value: String,
    /// Where it comes from.
    pub place: AnswerPlace,
}

/// Why a lookup has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupError {
    /// Postfix has none either and tries again later.
    Temporary(String),
    /// Postfix has one that the model cannot tell.
    NotModelled(String),
}

/// The answer of a table: none if it has not the key.
pub type LookupResult = Result<Option<LookupAnswer>, LookupError>;

/// The content of a lookup table.
pub trait KeyLookup: std::fmt::Debug + Send + Sync {
    /// What the table has for a key.
    ///
    /// # Errors
    /// If it has no answer.
    fn find(&self, key: &str, directory: &Directory) -> LookupResult;

    /// Shows the table, and the tables within it. `is_piped` says that its result is the key of another table.
    fn parts(&self, is_piped: bool, visit: PartVisitor<'_>);

    /// Whether it is asked for parts of an address too. Tables of patterns are asked for whole addresses only.
    fn takes_parts(&self) -> bool {
        true
    }
}

/// A table whose answers are not known.
#[derive(Debug)]
pub struct UnknownTable(pub LookupError);

impl KeyLookup for UnknownTable {
    fn find(&self, _: &str, _: &Directory) -> LookupResult {
        Err(self.0.clone())
    }

    fn parts(&self, _: bool, _: PartVisitor<'_>) {}
}
