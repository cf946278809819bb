//! Effective values, and why one cannot be told.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueSource {
    /// An `-o` option of the service in master.cf.
    Option,
    /// main.cf.
    MainCf,
    /// The release's default, as main.cf does not set the parameter.
    Default,
    /// The release's default, unless main.cf sets the parameter, which is not known.
    Assumed,
    /// Nothing sets it and the release does not bring it: Postfix takes it for empty.
    Undefined,
}

/// The value of a parameter as it is written, with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawValue<'a> {
    /// The text, `$name` and all.
    pub text: Cow<'a, str>,
    /// Where it comes from.
    pub source: ValueSource,
}

/// Why a value is not known: nothing guesses it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not known: {reason}")]
pub struct Unknown {
    /// The parameter whose value is not known: the one that was asked for, or one that it refers to.
    pub name: String,
    /// Why, as a clause in lower case.
    pub reason: &'static str,
}

/// Why there is no expanded value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// It depends on what is not known.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// Its syntax is wrong: every program of Postfix that reads it dies.
    #[error("it cannot be expanded: {0}")]
    Syntax(String),
}

/// An expanded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text without references; none where it depends on what is not known, or its syntax is wrong.
    pub text: Result<String, ExpandError>,
    /// What is wrong with its syntax, or that of what it refers to, where everything unknown is taken for nothing.
    pub syntax: Option<String>,
    /// The parameters that it refers to, directly or not, each with the source of its value.
    pub uses: BTreeSet<(String, ValueSource)>,
}
