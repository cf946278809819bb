//! Lookups in the tables of a host, and what its Postfix answers.

use crate::service::Service;

/// What is asked: keys in tables of one instance of Postfix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableQuestion {
    /// The instance.
    pub service: Service,
    /// Each table, as a parameter names it, with a key.
    pub lookups: Vec<(String, String)>,
}

/// What postmap(1) says of one lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostmapAnswer {
    /// The table has this value.
    Found(String),
    /// The table has not the key.
    Absent,
    /// The lookup failed, in the words of postmap(1).
    Failed(String),
}
