//! The entries in the scope of a base.

use std::sync::Arc;

use super::memory::SearchBase;
use super::search::SearchScope;
use super::store::{Directory, EntryId};

/// The entries in the scope of a base.
#[derive(Debug, Clone)]
pub struct EntryScope {
    base: Arc<SearchBase>,
    scope: SearchScope,
}

impl Directory {
    /// The entries in the scope of a base, to ask whether an entry is among them; none if the base is not a name.
    #[must_use]
    pub fn scope(&self, base: &str, scope: SearchScope) -> Option<EntryScope> {
        let base = self.base(base).ok()?;
        Some(EntryScope { base, scope })
    }

    /// Whether an entry is in a scope.
    #[must_use]
    pub fn is_in(&self, entry: EntryId, scope: &EntryScope) -> bool {
        self.is_below(entry, &scope.base.name, scope.scope)
    }

    /// Whether an entry is in the scope of a base; none of them is if the base is not a name.
    #[must_use]
    pub fn is_within(&self, entry: EntryId, base: &str, scope: SearchScope) -> bool {
        let scope = self.scope(base, scope);
        scope.is_some_and(|scope| self.is_in(entry, &scope))
    }
}
