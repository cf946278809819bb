//! Entries that may match a filter, by the indexes of its attributes.

use std::sync::Arc;

use super::filter::{Assertion, LdapFilter};
use super::search::Values;
use super::store::{AttributeId, Directory, hash_of};
use super::value_index::ValueIndex;

/// Entries of which those that match a filter are a part.
pub(super) enum Candidates {
    /// Those that an index has for a hash.
    Indexed(Arc<ValueIndex>, u64),
    /// Those of any of these.
    Any(Vec<Self>),
}

impl Candidates {
    /// How many there are at most.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Indexed(index, hash) => index.find(*hash).len(),
            Self::Any(parts) => parts.iter().map(Self::len).sum(),
        }
    }

    /// The entries in their order, each once.
    pub(super) fn entries(&self) -> Vec<u32> {
        match self {
            Self::Indexed(index, hash) => index.find(*hash).iter().map(|(_, at)| *at).collect(),
            Self::Any(parts) => {
                let mut all: Vec<u32> = parts.iter().flat_map(Self::entries).collect();
                all.sort_unstable();
                all.dedup();
                all
            }
        }
    }
}

impl Directory {
    /// The entries that indexes name, of which the matching ones are a part; none if no index helps.
    pub(super) fn candidates(&self, filter: &LdapFilter, values: Values<'_>) -> Option<Candidates> {
        match filter {
            LdapFilter::And(parts) => {
                let all = parts.iter();
                let all = all.filter_map(|part| self.candidates(part, values));
                all.min_by_key(Candidates::len)
            }
            LdapFilter::Or(parts) => {
                let all = parts.iter().map(|part| self.candidates(part, values));
                all.collect::<Option<Vec<_>>>().map(Candidates::Any)
            }
            LdapFilter::Item {
                attribute,
                assertion: Assertion::Equal(value),
            } => {
                let found = self.attribute(attribute);
                let found = found.and_then(|id| self.range(id, &value.fill(values)));
                Some(found.unwrap_or_else(|| Candidates::Any(Vec::new())))
            }
            _ => None,
        }
    }

    /// The entries that the index of an attribute has for a value; none if the value has not the attribute's syntax.
    pub(super) fn range(&self, attribute: AttributeId, value: &str) -> Option<Candidates> {
        let normal = self.rule(attribute).normalized(value)?;
        Some(Candidates::Indexed(self.index(attribute), hash_of(&normal)))
    }
}
