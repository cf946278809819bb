//! The lookups that a trace makes, recorded so that a host can be asked the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::answer::{KeyLookup, LookupError, LookupResult};
use super::part::PartVisitor;
use crate::directory::Directory;

/// One lookup, and what the model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableLookup {
    /// The table, as the parameter names it.
    pub table: String,
    /// The key.
    pub key: String,
    /// The value; none if the table has not the key.
    pub answer: Result<Option<String>, LookupError>,
}

/// The lookups in the tables of one host. It records nothing until it is started.
#[derive(Debug, Default)]
pub struct LookupLog {
    records: AtomicBool,
    lookups: Mutex<Vec<TableLookup>>,
}

impl LookupLog {
    /// Records from now on.
    pub fn start(&self) {
        self.records.store(true, Ordering::Relaxed);
    }

    /// Takes what was recorded since the last time, each lookup once, in order.
    #[must_use]
    pub fn take(&self) -> Vec<TableLookup> {
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *lookups)
    }

    fn add(&self, lookup: TableLookup) {
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        if !lookups.contains(&lookup) {
            lookups.push(lookup);
        }
    }
}

/// A table whose lookups are recorded.
#[derive(Debug)]
pub(super) struct RecordedTable {
    pub(super) word: String,
    pub(super) content: Arc<dyn KeyLookup>,
    pub(super) log: Arc<LookupLog>,
}

impl KeyLookup for RecordedTable {
    fn find(&self, key: &str, directory: &Directory) -> LookupResult {
        let result = self.content.find(key, directory);
        if self.log.records.load(Ordering::Relaxed) {
            self.log.add(TableLookup {
                table: self.word.clone(),
                key: key.to_owned(),
                answer: result.clone().map(|found| found.map(|answer| answer.value)),
            });
        }
        result
    }

    fn parts(&self, is_piped: bool, visit: PartVisitor<'_>) {
        self.content.parts(is_piped, visit);
    }

    fn takes_parts(&self) -> bool {
        self.content.takes_parts()
    }
}
