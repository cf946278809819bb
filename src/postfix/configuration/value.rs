//! Effective values, and the reasons for which one is not known.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueSource {
    /// An `-o` option of the service in master.cf.
    Option,
    /// main.cf.
    MainCf,
    /// The release's default, because main.cf does not set the parameter.
    Default,
    /// The release's default, assumed: whether main.cf sets the parameter is not known.
    Assumed,
    /// Nothing sets it, and it is not a parameter of the release: Postfix uses an empty value.
    Undefined,
}

/// The value of a parameter before expansion, with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawValue<'a> {
    /// The text, with its `$name` references.
    pub text: Cow<'a, str>,
    /// Where it comes from.
    pub source: ValueSource,
}

/// Why a value is not known.
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
    /// It depends on a value that is not known.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// Its syntax is wrong: every Postfix program that reads it stops with a fatal error.
    #[error("it cannot be expanded: {0}")]
    Syntax(String),
}

/// An expanded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text with its references replaced, or why there is none.
    pub text: Result<String, ExpandError>,
    /// The syntax error in it, or in a value that it refers to. Unknown values count as empty here.
    pub syntax: Option<String>,
    /// The parameters that it refers to, directly or not, each with the source of its value.
    pub uses: BTreeSet<(String, ValueSource)>,
}
