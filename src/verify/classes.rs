//! Classes of addresses: of each class one address is walked, and stands for all.

use std::collections::{BTreeSet, HashMap};

use super::addresses::{AddressForm, addresses_of};
use super::attributes::Attributes;
use super::signature::Signer;
use super::syntax::FixedLooks;
use crate::directory::{Directory, EntryId};
use crate::mail::MailMurder;

/// The number of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(pub u32);

/// A class of addresses.
#[derive(Debug, Clone)]
pub(super) struct AddressClass {
    /// The first of its addresses.
    pub(super) address: String,
    /// The entries that tables find by it.
    pub(super) entries: Vec<EntryId>,
    /// The hosts that these entries name; none if every host must be tried.
    pub(super) named: Option<BTreeSet<usize>>,
    /// How many addresses it has.
    pub(super) count: usize,
    signature: u64,
}

/// The addresses of a directory by their classes.
#[derive(Debug, Default)]
pub struct AddressClasses {
    pub(super) classes: Vec<AddressClass>,
    /// For each address, in the order of the directory: the entry, the number of the address there, and its class.
    addresses: Vec<(EntryId, u16, ClassId)>,
    /// The first address that several entries have, for each.
    pub(super) shared: Vec<String>,
}

/// Sorts addresses into classes.
#[derive(Debug)]
pub struct Classifier<'a> {
    attributes: &'a Attributes,
    murder: &'a MailMurder,
    directory: &'a Directory,
    fixed: FixedLooks,
}

impl<'a> Classifier<'a> {
    /// A classifier for the tables of a murder.
    #[must_use]
    pub fn new(
        attributes: &'a Attributes,
        murder: &'a MailMurder,
        directory: &'a Directory,
    ) -> Self {
        Self {
            attributes,
            murder,
            directory,
            fixed: FixedLooks::of(murder),
        }
    }

    /// The classes of the addresses of some entries.
    #[must_use]
    pub fn classes(&self, entries: &[EntryId]) -> AddressClasses {
        let mut signer = Signer::new(self.attributes, self.murder, self.directory, &self.fixed);
        let mut by_signature: HashMap<u64, ClassId> = HashMap::new();
        let mut all = AddressClasses::default();
        for &entry in entries {
            let own = addresses_of(self.attributes, self.murder, self.directory, entry);
            for (number, known) in own.iter().enumerate() {
                let signature = signer.sign(&known.address);
                // The first entry with an address has it for all.
                if signature
                    .entries
                    .first()
                    .is_some_and(|first| *first < entry)
                {
                    continue;
                }
                if signature.entries.len() > 1 {
                    all.shared.push(known.address.clone());
                }
                let class = *by_signature.entry(signature.hash).or_insert_with(|| {
                    all.classes.push(AddressClass {
                        address: known.address.clone(),
                        entries: signature.entries,
                        named: signature.named,
                        count: 0,
                        signature: signature.hash,
                    });
                    ClassId(u32::try_from(all.classes.len() - 1).unwrap_or(u32::MAX))
                });
                if let Some(class) = all.classes.get_mut(class.0 as usize) {
                    class.count += 1;
                }
                let number = u16::try_from(number).unwrap_or(u16::MAX);
                all.addresses.push((entry, number, class));
            }
        }
        all
    }

    /// The address of an entry with a number, as [`AddressClasses`] counts them.
    fn address(&self, entry: EntryId, number: u16) -> Option<(String, AddressForm)> {
        let own = addresses_of(self.attributes, self.murder, self.directory, entry);
        let known = own.into_iter().nth(usize::from(number))?;
        Some((known.address, known.form))
    }

    /// The addresses of some classes, and the entries that have them, by class.
    #[must_use]
    pub fn members(
        &self,
        all: &AddressClasses,
        wanted: &BTreeSet<ClassId>,
    ) -> HashMap<ClassId, Vec<(String, EntryId)>> {
        let mut members: HashMap<ClassId, Vec<(String, EntryId)>> = HashMap::new();
        for (entry, number, class) in &all.addresses {
            if wanted.contains(class)
                && let Some((address, _)) = self.address(*entry, *number)
            {
                members.entry(*class).or_default().push((address, *entry));
            }
        }
        members
    }
}

impl AddressClasses {
    /// The hosts that the entries of a class name; none if they name none, or every host matters.
    #[must_use]
    pub fn named(&self, class: ClassId) -> Option<&BTreeSet<usize>> {
        self.classes.get(class.0 as usize)?.named.as_ref()
    }

    /// The same with the hosts that the entries of each address name by other classes of the same addresses.
    #[cfg(test)]
    pub(crate) fn with_names_of(mut self, other: &Self) -> Self {
        let both = self.addresses.iter().zip(&other.addresses);
        for ((_, _, own), (_, _, of)) in both {
            let named = other.named(*of).cloned();
            if let Some(own) = self.classes.get_mut(own.0 as usize) {
                own.named = named;
            }
        }
        self
    }

    /// How many addresses there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.addresses.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// All classes.
    pub fn ids(&self) -> impl Iterator<Item = ClassId> + use<> {
        (0..u32::try_from(self.classes.len()).unwrap_or(u32::MAX)).map(ClassId)
    }

    /// How many addresses a class has.
    #[must_use]
    pub fn count(&self, class: ClassId) -> usize {
        let class = self.classes.get(class.0 as usize);
        class.map_or(0, |class| class.count)
    }

    /// How many addresses a class has, and the first of them.
    #[must_use]
    pub fn example(&self, class: ClassId) -> (usize, &str) {
        let class = self.classes.get(class.0 as usize);
        class.map_or((0, ""), |class| (class.count, &class.address))
    }

    /// The addresses that several entries have.
    #[must_use]
    pub fn shared(&self) -> &[String] {
        &self.shared
    }

    /// Adds the classes of other entries, which follow these in the directory.
    pub fn extend(&mut self, other: Self) {
        let mut known: HashMap<u64, ClassId> = HashMap::new();
        for (class, at) in self.classes.iter().zip(0..) {
            known.insert(class.signature, ClassId(at));
        }
        let places: Vec<ClassId> = other
            .classes
            .into_iter()
            .map(|class| match known.get(&class.signature) {
                Some(at) => {
                    if let Some(own) = self.classes.get_mut(at.0 as usize) {
                        own.count += class.count;
                    }
                    *at
                }
                None => {
                    self.classes.push(class);
                    ClassId(u32::try_from(self.classes.len() - 1).unwrap_or(u32::MAX))
                }
            })
            .collect();
        self.addresses.extend(
            other
                .addresses
                .into_iter()
                .filter_map(|(entry, number, class)| {
                    Some((entry, number, *places.get(class.0 as usize)?))
                }),
        );
        self.shared.extend(other.shared);
    }
}
