//! How many hosts a manifest may name: a few lines of ranges could use up all memory.

use super::Resolver;
use crate::diagnostic::Diagnostic;
use crate::manifest::{MapEntry, range};

impl Resolver<'_> {
    /// The first entries of `hosts`, as many as name no more hosts than [`range::MOST_HOSTS`] together. Says so where
    /// there are others.
    pub(super) fn within_limit<'e>(&mut self, entries: &'e [MapEntry]) -> &'e [MapEntry] {
        let mut count = 0_usize;
        for (number, entry) in entries.iter().enumerate() {
            count = count.saturating_add(range::count(&entry.key).unwrap_or_default());
            if count > range::MOST_HOSTS {
                self.say(
                    Diagnostic::error(format!(
                        "the manifest names more than {} hosts",
                        range::MOST_HOSTS
                    ))
                    .at(entry.at, "up to here")
                    .hint("check the ranges, or divide the murder"),
                );
                return entries.get(..number).unwrap_or_default();
            }
        }
        entries
    }
}
