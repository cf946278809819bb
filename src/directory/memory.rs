//! What searches have found, as data.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use super::search_error::SearchError;

/// The entries that a question found, by their numbers.
pub(super) type FoundEntries = Result<Arc<[u32]>, SearchError>;

/// Parts of the memory, so that threads seldom wait for each other.
pub(super) const PARTS: usize = 16;

/// How many answers a part keeps before it begins anew.
pub(super) const MOST: usize = 5000;

/// A base of searches.
#[derive(Debug)]
pub(super) struct SearchBase {
    /// Its normalized name with its parts in reverse.
    pub(super) name: String,
    /// Whether it has an entry, or entries below it: an export may lack the entry of the base itself.
    pub(super) exists: bool,
}

/// The bases by their names as they were asked for; a text that is no name has none.
type Bases = HashMap<String, Option<Arc<SearchBase>>>;

/// The answers to questions by their keys.
type Answers = HashMap<u64, HashMap<Box<str>, FoundEntries>>;

/// What searches have found.
#[derive(Debug)]
pub(super) struct SearchMemory {
    pub(super) bases: RwLock<Bases>,
    pub(super) answers: [RwLock<Answers>; PARTS],
}

impl Default for SearchMemory {
    fn default() -> Self {
        Self {
            bases: RwLock::default(),
            answers: std::array::from_fn(|_| RwLock::default()),
        }
    }
}

/// How many bases are kept.
pub(super) const MOST_BASES: usize = 1000;
