//! Searches by the memory: a base is looked up once, and a question that many hosts ask is answered once.

use std::sync::{Arc, PoisonError};

use super::dn::normalized_dn;
use super::memory::{MOST, MOST_BASES, PARTS, SearchBase};
use super::search_error::SearchError;
use super::store::{Directory, EntryId, hash_of, reversed};

impl Directory {
    /// A base of searches.
    ///
    /// # Errors
    /// If it is not a distinguished name.
    pub(super) fn base(&self, text: &str) -> Result<Arc<SearchBase>, SearchError> {
        let bases = &self.memory.bases;
        let known = bases.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(text) {
            return known.clone().ok_or(SearchError::BadName);
        }
        drop(known);
        let base = normalized_dn(text).ok().map(|name| {
            let name = reversed(&name);
            let entry = self.tree().find(&name);
            Arc::new(SearchBase {
                exists: entry.is_some() || self.has_below(&name),
                name,
            })
        });
        let mut known = bases.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_BASES {
            known.insert(text.to_owned(), base.clone());
        }
        base.ok_or(SearchError::BadName)
    }

    /// The number of a question, given by all that it depends on but the key.
    #[must_use]
    pub fn question(text: &str) -> u64 {
        hash_of(text)
    }

    /// What a question finds by a key: from the memory, or else by `search`. The number of a question stands for all of it but
    /// the key.
    ///
    /// # Errors
    /// Those of the search.
    pub fn ask(
        &self,
        question: u64,
        key: &str,
        search: impl FnOnce() -> Result<Vec<EntryId>, SearchError>,
    ) -> Result<Vec<EntryId>, SearchError> {
        let part = usize::try_from(hash_of(key) >> 8).unwrap_or(0) % PARTS;
        let Some(part) = self.memory.answers.get(part) else {
            return search();
        };
        let known = part.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&question).and_then(|known| known.get(key)) {
            let found = found.as_ref().map_err(|error| *error)?;
            return Ok(found.iter().copied().map(EntryId).collect());
        }
        drop(known);
        let found = search();
        let numbers = found.as_ref().map_err(|error| *error);
        let numbers = numbers.map(|found| found.iter().map(|entry| entry.0).collect());
        let mut known = part.write().unwrap_or_else(PoisonError::into_inner);
        let known = known.entry(question).or_default();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key.into(), numbers);
        found
    }
}
