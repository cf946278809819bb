//! The signature of an address: addresses with equal signatures have routes that differ in names only.
//!
//! A route depends on the configuration, on the form of the address, and on what tables answer. LDAP tables answer by the
//! entries that have the address, and by the entries and addresses that those name in turn. A signature has all of it, with
//! the letters of addresses left out where no table can tell them apart.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::attributes::Attributes;
use super::syntax::FixedLooks;
use crate::directory::{
    AttributeId, Directory, EntryId, EntryScope, LdapFilter, SearchScope, lowered, parse_filter,
    read_url,
};
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
    ids: Rc<Ids>,
    /// The lengths of the names of hosts.
    name_lengths: HashSet<usize>,
}

/// The attributes and bases of the tables as the directory knows them, in the order of [`Attributes`].
#[derive(Debug)]
struct Ids {
    keys: Vec<Option<AttributeId>>,
    verbatim: Vec<Option<AttributeId>>,
    results: Vec<Option<AttributeId>>,
    members: Vec<AttributeId>,
    scopes: Vec<Option<EntryScope>>,
}

impl Ids {
    fn of(attributes: &Attributes, directory: &Directory) -> Self {
        let id = |name: &String| directory.attribute(name);
        let scopes = attributes.bases.iter();
        Self {
            keys: attributes
                .keys
                .iter()
                .map(|key| id(&key.attribute))
                .collect(),
            verbatim: attributes.verbatim.iter().map(id).collect(),
            results: attributes
                .results
                .iter()
                .map(|(name, _)| id(name))
                .collect(),
            members: attributes.members.iter().filter_map(id).collect(),
            scopes: scopes
                .map(|(base, scope)| directory.scope(base, *scope))
                .collect(),
        }
    }
}

/// Whether a text is one address that is the same in internal form, at first sight.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"@.-_+".contains(byte);
    text.as_bytes().iter().all(is_plain)
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
            ids: Rc::new(Ids::of(attributes, directory)),
            name_lengths: murder.host_names().map(str::len).collect(),
        }
    }

    /// The entries that tables find by a key, and by its local part and domain if they ask for these.
    pub(super) fn entries(&self, address: &str) -> Vec<EntryId> {
        let mut found = Vec::new();
        self.take_entries(address, &mut found);
        let (local, domain) = split(address);
        let bare = local.find(|c| self.fixed.delimiters.contains(c));
        let bare = bare.filter(|at| *at > 0).map(|at| &local[..at]);
        if let (Some(bare), Some(domain)) = (bare, domain) {
            self.take_entries(&format!("{bare}@{domain}"), &mut found);
        }
        if self.attributes.asks_parts {
            self.take_entries(local, &mut found);
            if let Some(bare) = bare {
                self.take_entries(bare, &mut found);
            }
            self.take_entries(&format!("@{}", domain.unwrap_or_default()), &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn take_entries(&self, key: &str, found: &mut Vec<EntryId>) {
        for (of, attribute) in self.attributes.keys.iter().zip(&self.ids.keys) {
            if let Some(attribute) = attribute {
                self.directory
                    .take_with_value(*attribute, &of.value(key), found);
            }
        }
    }

    /// The signature of an address in lower case.
    pub(super) fn sign(&mut self, address: &str) -> Signature {
        let entries = self.entries(address);
        let is_own = !self.attributes.is_regular || self.fixed.is_own(address);
        let mut named = BTreeSet::new();
        for entry in &entries {
            for (_, value) in self.directory.values(*entry) {
                if self.name_lengths.contains(&value.len()) {
                    named.extend(self.murder.host(&lowered(value)));
                }
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
        for scope in &self.ids.scopes {
            let is_within = |scope| directory.is_in(entry, scope);
            hash.add(&[u8::from(scope.as_ref().is_some_and(is_within))]);
        }
        for (key, attribute) in attributes.keys.iter().zip(&self.ids.keys) {
            let has = |of: &AttributeId| directory.has_value(entry, *of, &key.value(address));
            hash.add(&[u8::from(attribute.as_ref().is_some_and(has))]);
        }
        for constant in &attributes.constants {
            let holds = directory.is_match(entry, constant, &|_| String::new());
            hash.add(&[u8::from(holds)]);
        }
        for (name, of) in attributes.verbatim.iter().zip(&self.ids.verbatim) {
            hash.add(name.as_bytes());
            let values = of.iter().flat_map(|of| directory.values_of(entry, *of));
            for value in values {
                hash.add(lowered(value).as_bytes());
            }
        }
        self.add_results(entry, address, hash);
        self.add_members(entry, hash);
    }

    /// What tables answer with.
    fn add_results(&mut self, entry: EntryId, address: &str, hash: &mut Hash) {
        let (attributes, directory) = (self.attributes, self.directory);
        let ids = Rc::clone(&self.ids);
        for ((_, format), of) in attributes.results.iter().zip(&ids.results) {
            let Some(of) = of else {
                continue;
            };
            for value in directory.values_of(entry, *of) {
                let text = format.fill(&|letter| placeholder(letter, value, address));
                hash.add(b"result");
                if !text.contains('@') {
                    hash.add(text.to_lowercase().as_bytes());
                    continue;
                }
                if is_plain(&text) {
                    hash.add(&self.followed(&text).to_le_bytes());
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
        let directory = self.directory;
        let mut kinds = BTreeSet::new();
        let (mut count, mut leaves) = (0, Vec::new());
        let ids = Rc::clone(&self.ids);
        for of in &ids.members {
            for value in directory.values_of(entry, *of) {
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
