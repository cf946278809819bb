//! The signature of an address: addresses with equal signatures have routes that differ in names only.
//!
//! A route depends on the configuration, on the form of the address, and on what tables answer. LDAP tables answer by the
//! entries that have the address, and by the entries and addresses that those name in turn. A signature has all of it, with
//! the letters of addresses left out where no table can tell them apart.

use std::collections::{BTreeSet, HashMap};

use super::attributes::Attributes;
use super::syntax::FixedLooks;
use crate::directory::{Directory, EntryId, LdapFilter, SearchScope, parse_filter, read_url};
use crate::mail::MailMurder;
use crate::mail::address::{list, split};
use crate::mail::table::placeholder;

/// The number of members from which limits of Postfix may matter.
const MANY: usize = 900;

/// A hash that is built piece by piece (FNV-1a).
#[derive(Debug, Clone, Copy)]
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.0 = (self.0 ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

/// Makes signatures.
#[derive(Debug)]
pub(super) struct Signer<'a> {
    pub(super) attributes: &'a Attributes,
    pub(super) murder: &'a MailMurder,
    pub(super) directory: &'a Directory,
    pub(super) fixed: &'a FixedLooks,
    /// Signatures that do not depend on where they were begun.
    known: HashMap<String, u64>,
    /// The addresses and groups that lead to the one at hand.
    path: Vec<String>,
    /// The outermost place of the path to which something led back.
    back: usize,
}

/// A signature, and the hosts that the address's own entries name; all if none.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) hash: u64,
    pub(super) named: Option<BTreeSet<usize>>,
    pub(super) entries: Vec<EntryId>,
}

impl<'a> Signer<'a> {
    pub(super) fn new(
        attributes: &'a Attributes,
        murder: &'a MailMurder,
        directory: &'a Directory,
        fixed: &'a FixedLooks,
    ) -> Self {
        Self {
            attributes,
            murder,
            directory,
            fixed,
            known: HashMap::new(),
            path: Vec::new(),
            back: usize::MAX,
        }
    }

    /// The entries that tables find by a key, and by its local part and domain if they ask for these.
    pub(super) fn entries(&self, address: &str) -> Vec<EntryId> {
        let mut found = self.entries_of_key(address);
        let (local, domain) = split(address);
        let bare = local.find(|c| self.fixed.delimiters.contains(c));
        let bare = bare.filter(|at| *at > 0).map(|at| &local[..at]);
        if let (Some(bare), Some(domain)) = (bare, domain) {
            found.extend(self.entries_of_key(&format!("{bare}@{domain}")));
        }
        if self.attributes.asks_parts {
            found.extend(self.entries_of_key(local));
            found.extend(bare.into_iter().flat_map(|bare| self.entries_of_key(bare)));
            found.extend(self.entries_of_key(&format!("@{}", domain.unwrap_or_default())));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn entries_of_key(&self, key: &str) -> Vec<EntryId> {
        let keys = self.attributes.keys.iter();
        let found = keys.flat_map(|of| {
            let value = of.pattern.fill(&|letter| placeholder(letter, key, key));
            self.directory.with_value(&of.attribute, &value)
        });
        found.collect()
    }

    /// The signature of an address in lower case.
    pub(super) fn sign(&mut self, address: &str) -> Signature {
        let entries = self.entries(address);
        let is_own = !self.attributes.is_regular || self.fixed.is_own(address);
        let mut named = BTreeSet::new();
        for entry in &entries {
            for (_, value) in self.directory.values(*entry) {
                named.extend(self.murder.host(&value.to_lowercase()));
            }
        }
        Signature {
            hash: self.hash(address, &entries),
            named: (!is_own).then_some(named),
            entries,
        }
    }

    fn hash(&mut self, address: &str, entries: &[EntryId]) -> u64 {
        let mut hash = Hash::new();
        if !self.attributes.is_regular || self.fixed.is_own(address) {
            hash.add(address.as_bytes());
        }
        self.fixed.form(address, &mut |bytes| hash.add(bytes));
        self.path.push(address.to_owned());
        for entry in entries {
            self.add_entry(*entry, address, &mut hash);
        }
        self.path.pop();
        hash.0
    }

    /// The signature of an address that another one leads to.
    fn followed(&mut self, address: &str) -> u64 {
        let address = address.to_lowercase();
        if let Some(at) = self.path.iter().position(|own| *own == address) {
            self.back = self.back.min(at);
            return u64::try_from(self.path.len() - at).unwrap_or(0);
        }
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        let before = std::mem::replace(&mut self.back, usize::MAX);
        let entries = self.entries(&address);
        let hash = self.hash(&address, &entries);
        if self.back >= self.path.len() {
            self.known.insert(address, hash);
            self.back = before;
        } else {
            self.back = self.back.min(before);
        }
        hash
    }

    /// What tables can see of an entry that is found by an address.
    fn add_entry(&mut self, entry: EntryId, address: &str, hash: &mut Hash) {
        hash.add(b"entry");
        let (attributes, directory) = (self.attributes, self.directory);
        for (base, scope) in &attributes.bases {
            hash.add(&[u8::from(directory.is_within(entry, base, *scope))]);
        }
        for key in &attributes.keys {
            let wanted = key
                .pattern
                .fill(&|letter| placeholder(letter, address, address));
            let wanted = Directory::normalized(&key.attribute, &wanted);
            let attribute = directory.attribute(&key.attribute);
            let mut own = attribute
                .into_iter()
                .flat_map(|of| directory.values_of(entry, of));
            let found = wanted.is_some()
                && own.any(|value| Directory::normalized(&key.attribute, value) == wanted);
            hash.add(&[u8::from(found)]);
        }
        for constant in &attributes.constants {
            let holds = directory.is_match(entry, constant, &|_| String::new());
            hash.add(&[u8::from(holds)]);
        }
        for name in &attributes.verbatim {
            hash.add(name.as_bytes());
            let of = directory.attribute(name);
            for value in of.into_iter().flat_map(|of| directory.values_of(entry, of)) {
                hash.add(value.to_lowercase().as_bytes());
            }
        }
        self.add_results(entry, address, hash);
        self.add_members(entry, hash);
    }

    /// What tables answer with.
    fn add_results(&mut self, entry: EntryId, address: &str, hash: &mut Hash) {
        let (attributes, directory) = (self.attributes, self.directory);
        for (name, format) in &attributes.results {
            let Some(of) = directory.attribute(name) else {
                continue;
            };
            for value in directory.values_of(entry, of) {
                let text = format.fill(&|letter| placeholder(letter, value, address));
                hash.add(b"result");
                if !text.contains('@') {
                    hash.add(text.to_lowercase().as_bytes());
                    continue;
                }
                for result in list(&text).unwrap_or_else(|| vec![text.clone()]) {
                    hash.add(&self.followed(&result).to_le_bytes());
                }
            }
        }
    }

    /// The members of a group, each kind once.
    fn add_members(&mut self, entry: EntryId, hash: &mut Hash) {
        let (attributes, directory) = (self.attributes, self.directory);
        let mut kinds = BTreeSet::new();
        let (mut count, mut leaves) = (0, Vec::new());
        for name in &attributes.members {
            let Some(of) = directory.attribute(name) else {
                continue;
            };
            for value in directory.values_of(entry, of) {
                let members = members(directory, value);
                let Ok(members) = members else {
                    kinds.insert(1);
                    continue;
                };
                if members.is_empty() {
                    kinds.insert(2);
                }
                for member in members {
                    count += 1;
                    kinds.insert(self.member(member, &mut leaves));
                }
            }
        }
        if count == 0 && kinds.is_empty() {
            return;
        }
        leaves.sort_unstable();
        let all = leaves.len();
        leaves.dedup();
        hash.add(b"group");
        // Who gets a message twice is not told by the kinds of the members.
        if leaves.len() < all {
            hash.add(directory.dn(entry).as_bytes());
        }
        if count > MANY {
            hash.add(&count.to_le_bytes());
        }
        for kind in kinds {
            hash.add(&kind.to_le_bytes());
        }
    }

    fn member(&mut self, member: EntryId, leaves: &mut Vec<String>) -> u64 {
        let (attributes, directory) = (self.attributes, self.directory);
        let name = format!("\u{1}{}", directory.dn(member));
        if let Some(at) = self.path.iter().position(|own| *own == name) {
            self.back = self.back.min(at);
            return u64::try_from(self.path.len() - at).unwrap_or(0);
        }
        let mut hash = Hash::new();
        for of in attributes.targets.iter().chain(&attributes.primary) {
            if let Some(leaf) = directory
                .attribute(of)
                .and_then(|of| directory.values_of(member, of).next())
            {
                leaves.push(leaf.to_lowercase());
                break;
            }
        }
        self.path.push(name);
        for of in &attributes.primary {
            let of = directory.attribute(of);
            for value in of
                .into_iter()
                .flat_map(|of| directory.values_of(member, of))
            {
                hash.add(&self.followed(value).to_le_bytes());
            }
        }
        self.add_members(member, &mut hash);
        self.path.pop();
        hash.0
    }
}

/// The entries that a value of a group names: one by its name, or those that an LDAP URL finds.
pub(super) fn members(directory: &Directory, value: &str) -> Result<Vec<EntryId>, ()> {
    match read_url(value) {
        None => Ok(directory.named(value).into_iter().collect()),
        Some(Err(())) => Err(()),
        Some(Ok(url)) => {
            let filter = match &url.filter {
                None => LdapFilter::And(Vec::new()),
                Some(text) => parse_filter(text, false).map_err(|_| ())?,
            };
            let scope: SearchScope = url.scope;
            let found = directory.search(&url.base, scope, &filter, &|_| String::new());
            Ok(found.unwrap_or_default())
        }
    }
}
