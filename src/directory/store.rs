//! The entries of a directory: attributes by number, values in one text, and an index for each attribute.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::indexes::ServerIndexes;
use super::matching::{MatchingRule, superior_classes};
use super::memory::SearchMemory;
use super::value_index::ValueIndex;
use crate::every_core::{on_every_core, pieces_on_every_core};

/// An attribute's number in a [`Directory`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeId(pub(super) u16);

/// An entry's number in a [`Directory`], in the order in which the entries were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(super) u32);

/// One value of an entry: the attribute, and the place of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredValue {
    pub(super) attribute: AttributeId,
    pub(super) start: u32,
    pub(super) length: u32,
}

/// The entries of an LDAP directory.
#[derive(Debug, Default)]
pub struct Directory {
    /// The texts of all values, one behind the other.
    pub(super) text: String,
    pub(super) names: Vec<Box<str>>,
    /// The matching rule of each attribute.
    pub(super) rules: Vec<MatchingRule>,
    pub(super) by_name: HashMap<Box<str>, AttributeId>,
    pub(super) values: Vec<StoredValue>,
    /// For each entry, where its values begin; the last number is the end of the last entry.
    pub(super) entries: Vec<u32>,
    /// The name of each entry as it was read.
    pub(super) dns: Vec<(u32, u32)>,
    pub(super) tree: OnceLock<Tree>,
    /// The servers that do not answer, in lower case.
    pub(super) down: RwLock<Vec<String>>,
    pub(super) indexes: RwLock<HashMap<AttributeId, Arc<ValueIndex>>>,
    pub(super) memory: SearchMemory,
    /// What the server that it comes from says of its own indexes.
    pub(super) server: Option<ServerIndexes>,
}

/// The names of the entries, normalized and with their parts in reverse, so that the entries below one follow it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// The name of each entry; empty if it is not a name.
    pub(super) names: Vec<Box<str>>,
    /// The entries in the order of their names.
    pub(super) sorted: Vec<EntryId>,
}

/// In how many pieces the names of the entries are sorted.
const PIECES: usize = 8;

impl Directory {
    /// The matching rule of an attribute.
    pub(super) fn rule(&self, attribute: AttributeId) -> MatchingRule {
        let known = self.rules.get(usize::from(attribute.0));
        known.copied().unwrap_or(MatchingRule::CaseIgnore)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dns.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty()
    }

    /// The number of an attribute, whatever the case of its name; none if no entry has it.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<AttributeId> {
        match self.by_name.get(name) {
            Some(found) => Some(*found),
            None => self
                .by_name
                .get(name.to_ascii_lowercase().as_str())
                .copied(),
        }
    }

    /// The name of an attribute in lower case.
    #[must_use]
    pub fn attribute_name(&self, attribute: AttributeId) -> &str {
        self.names
            .get(usize::from(attribute.0))
            .map_or("", |name| name)
    }

    /// The distinguished name of an entry, as it was read.
    #[must_use]
    pub fn dn(&self, entry: EntryId) -> &str {
        let place = self.dns.get(entry.0 as usize);
        place.map_or("", |(start, length)| self.slice(*start, *length))
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = EntryId> + use<> {
        (0..u32::try_from(self.dns.len()).unwrap_or(u32::MAX)).map(EntryId)
    }

    /// The values of an entry, each with its attribute, in the order in which they were read.
    pub fn values(&self, entry: EntryId) -> impl Iterator<Item = (AttributeId, &str)> {
        let at = entry.0 as usize;
        let bounds = self.entries.get(at).zip(self.entries.get(at + 1));
        let stored = bounds.and_then(|(from, to)| self.values.get(*from as usize..*to as usize));
        let stored = stored.unwrap_or_default().iter();
        stored.map(|value| (value.attribute, self.slice(value.start, value.length)))
    }

    /// The values of one attribute of an entry.
    pub fn values_of(&self, entry: EntryId, attribute: AttributeId) -> impl Iterator<Item = &str> {
        let values = self.values(entry);
        values
            .filter(move |(of, _)| *of == attribute)
            .map(|(_, value)| value)
    }

    fn slice(&self, start: u32, length: u32) -> &str {
        let (start, length) = (start as usize, length as usize);
        self.text.get(start..start + length).unwrap_or_default()
    }

    /// Says which of the servers that have the directory do not answer.
    pub fn set_down(&self, servers: &[String]) {
        let mut down = self.down.write().unwrap_or_else(PoisonError::into_inner);
        *down = servers.iter().map(|name| name.to_lowercase()).collect();
    }

    /// Whether none of some servers answers. Without servers that are down, each answers.
    #[must_use]
    pub fn are_down(&self, servers: &[String]) -> bool {
        let down = self.down.read().unwrap_or_else(PoisonError::into_inner);
        !down.is_empty() && !servers.is_empty() && servers.iter().all(|name| down.contains(name))
    }

    /// The names of the entries.
    pub(super) fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| {
            let name = |entry: &EntryId| match super::dn::normalized_dn(self.dn(*entry)) {
                Ok(name) => reversed(&name).into_boxed_str(),
                Err(_) => Box::default(),
            };
            let entries: Vec<EntryId> = self.entries().collect();
            let names: Vec<Box<str>> = on_every_core(&entries, name);
            let name_of = |entry: &EntryId| names.get(entry.0 as usize).map_or("", |name| name);
            let pieces: Vec<&[EntryId]> = entries
                .chunks(entries.len().div_ceil(PIECES).max(1))
                .collect();
            let sorted = pieces_on_every_core(&pieces, |piece| {
                let named = piece.iter().filter(|entry| !name_of(entry).is_empty());
                let mut sorted: Vec<EntryId> = named.copied().collect();
                sorted.sort_unstable_by_key(name_of);
                sorted
            });
            // A stable sort joins pieces that are sorted already.
            let mut sorted = sorted.concat();
            sorted.sort_by_key(name_of);
            Tree { names, sorted }
        })
    }

    /// The entry with a name.
    #[must_use]
    pub fn named(&self, dn: &str) -> Option<EntryId> {
        self.tree()
            .find(&reversed(&super::dn::normalized_dn(dn).ok()?))
    }

    /// Two entries with the same name; none if each name is there once.
    #[must_use]
    pub fn doubled(&self) -> Option<(EntryId, EntryId)> {
        let tree = self.tree();
        let mut pairs = tree.sorted.windows(2).filter_map(|pair| match pair {
            [one, other] => Some((*one, *other)),
            _ => None,
        });
        pairs.find(|(one, other)| tree.names[one.0 as usize] == tree.names[other.0 as usize])
    }

    /// The index of an attribute: which entries have a value with a hash.
    pub(super) fn index(&self, attribute: AttributeId) -> Arc<ValueIndex> {
        let known = self.indexes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = known.get(&attribute) {
            return Arc::clone(index);
        }
        drop(known);
        let rule = self.rule(attribute);
        let mut index: Vec<(u64, u32)> = Vec::new();
        for entry in self.entries() {
            for value in self.values_of(entry, attribute) {
                let Some(value) = rule.normalized(value) else {
                    continue;
                };
                if rule == MatchingRule::ObjectClass {
                    index.extend(superior_classes(&value).map(|class| (hash_of(class), entry.0)));
                }
                index.push((hash_of(&value), entry.0));
            }
        }
        let index = Arc::new(ValueIndex::new(index));
        let mut known = self.indexes.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(attribute, Arc::clone(&index));
        index
    }
}

impl Tree {
    /// The reversed name of an entry.
    pub(super) fn name(&self, entry: EntryId) -> &str {
        self.names.get(entry.0 as usize).map_or("", |name| name)
    }

    /// The entry with a reversed name.
    pub(super) fn find(&self, name: &str) -> Option<EntryId> {
        let from = self.from(name);
        let first = from.first().copied()?;
        (self.name(first) == name).then_some(first)
    }

    /// The entries from a reversed name on.
    pub(super) fn from(&self, name: &str) -> &[EntryId] {
        let start = self
            .sorted
            .partition_point(|entry| self.name(*entry) < name);
        &self.sorted[start..]
    }
}

/// A normalized name with its parts in reverse, so that the entries below one follow it.
pub(super) fn reversed(dn: &str) -> String {
    let parts: Vec<&str> = dn.rsplit(',').collect();
    parts.join(",")
}

/// A hash that is the same in each run (FNV-1a, with its upper bits mixed).
pub(super) fn hash_of(text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = text.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The last bytes of a text alone change the upper bits too little.
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
