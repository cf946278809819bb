//! What a table asks and answers, for those that look at a host's tables as a whole.

use super::template::KeyTemplate;
use crate::directory::{LdapFilter, SearchScope};

/// How the values of an attribute are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttributeClass {
    /// `terminal_result_attribute`: nothing else of the entry counts.
    Terminal,
    /// `leaf_result_attribute`: a result if the entry has no special attribute.
    Leaf,
    /// `result_attribute`: a result.
    Result,
    /// `special_result_attribute`: names or URLs of other entries.
    Special,
}

/// An LDAP table.
#[derive(Debug, Clone)]
pub struct LdapPart<'a> {
    /// The file that sets its parameters.
    pub file: &'a str,
    /// The names of its servers.
    pub servers: &'a [String],
    /// `search_base`.
    pub search_base: &'a KeyTemplate,
    /// `scope`.
    pub scope: SearchScope,
    /// `query_filter`, or whether it is wrong (and not only not modelled).
    pub filter: Result<&'a LdapFilter, bool>,
    /// `result_format`.
    pub result_format: &'a KeyTemplate,
    /// The attributes in lower case.
    pub attributes: &'a [(String, AttributeClass)],
    /// The names in `domain`; none if it is not set.
    pub domains: Option<Vec<&'a str>>,
    /// Whether its result is the key of another table (`pipemap:`).
    pub is_piped: bool,
}

/// A table, or a table within a table.
#[derive(Debug, Clone)]
pub enum TablePart<'a> {
    /// `ldap:`.
    Ldap(LdapPart<'a>),
    /// A table with these keys.
    Keys(Vec<&'a str>),
    /// A table of regular expressions, in the syntax of the regex crate.
    Patterns(Vec<&'a str>),
}

/// Takes the parts of a table.
pub type PartVisitor<'v> = &'v mut dyn FnMut(TablePart<'_>);
