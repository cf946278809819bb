//! What the LDAP tables of all hosts ask of entries, and so what each attribute means for mail.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::filters::{has_key, items, needs_key, relaxed};
use crate::directory::{
    Assertion, Directory, LdapFilter, Pattern, PatternPart, SearchScope, parse_filter, read_url,
};
use crate::mail::MailMurder;
use crate::mail::table::{AttributeClass, KeyTemplate, LdapPart, TablePart, placeholder};

/// An LDAP table of a host.
#[derive(Debug, Clone)]
pub(super) struct LdapUse {
    pub(super) parameter: String,
    pub(super) filter: LdapFilter,
    pub(super) format: KeyTemplate,
    pub(super) attributes: Vec<(String, AttributeClass)>,
    pub(super) is_piped: bool,
}

/// A value that tables compare with the key: `(mail=%s)`, `(mail=%u@example.org)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyUse {
    pub(super) attribute: String,
    pub(super) pattern: Pattern,
    /// The domains of the keys, if the pattern does not have the whole key.
    pub(super) domains: BTreeSet<String>,
}

impl KeyUse {
    /// The value that is compared for a key.
    pub(super) fn value<'k>(&self, key: &'k str) -> Cow<'k, str> {
        match self.pattern.0.as_slice() {
            [PatternPart::Placeholder('s')] => Cow::Borrowed(key),
            _ => Cow::Owned(self.pattern.fill(&|letter| placeholder(letter, key, key))),
        }
    }
}

/// What attributes mean, by the tables that use them.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    pub(super) keys: Vec<KeyUse>,
    /// Statements of filters about attributes that are compared with keys, and not with this key.
    pub(super) constants: Vec<LdapFilter>,
    /// Attributes whose values matter as they are, such as `objectClass` and `mailHost`.
    pub(super) verbatim: BTreeSet<String>,
    /// What tables answer with: an attribute in a format.
    pub(super) results: Vec<(String, KeyTemplate)>,
    /// `special_result_attribute`: members of groups.
    pub(super) members: BTreeSet<String>,
    /// The primary addresses: compared with keys, and answered with.
    pub(super) primary: BTreeSet<String>,
    /// The servers of mailboxes.
    pub(super) hosts: BTreeSet<String>,
    /// The folders of shared folders' addresses.
    pub(super) targets: BTreeSet<String>,
    /// The addresses that mail of an entry is forwarded to.
    pub(super) forwards: BTreeSet<String>,
    /// What the entries have in common that a table finds by some key.
    pub(super) found: Vec<LdapFilter>,
    /// What entries with a mailbox have in common.
    pub(super) mailboxes: Vec<LdapFilter>,
    /// What entries of shared folders have in common.
    pub(super) folders: Vec<LdapFilter>,
    /// What entries of groups have in common, and the attribute that has their members.
    pub(super) groups: Vec<(LdapFilter, String)>,
    /// The bases of the tables.
    pub(super) bases: Vec<(String, SearchScope)>,
    /// Whether some table asks for keys that are no addresses.
    pub(super) asks_parts: bool,
    /// Whether the tables find entries by their addresses alone, so that addresses can be told apart by their entries.
    pub(super) is_regular: bool,
    /// Every attribute that filters and results of tables name.
    names: BTreeSet<String>,
    tables: Vec<LdapUse>,
}

impl Attributes {
    /// The same as if a table could tell any two addresses apart: each address is a class of its own.
    #[cfg(test)]
    pub(crate) fn irregular(mut self) -> Self {
        self.is_regular = false;
        self
    }

    /// What the tables of all hosts of a murder say.
    #[must_use]
    pub fn of(murder: &MailMurder) -> Self {
        let mut all = Self {
            is_regular: true,
            ..Self::default()
        };
        for host in &murder.hosts {
            for (parameter, tables) in &host.tables {
                for table in tables {
                    table.content.parts(false, &mut |part| {
                        if let TablePart::Ldap(part) = part {
                            all.add(parameter, &part);
                        }
                    });
                }
            }
        }
        all.classify();
        all
    }

    /// Whether no host has an LDAP table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Every attribute that some table asks for or answers with, in lower case.
    #[must_use]
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// The attributes that the filters of dynamic groups ask for, in lower case.
    #[must_use]
    pub fn names_in_groups(&self, directory: &Directory) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let members = self.members.iter();
        let members = members.filter_map(|name| directory.attribute(name));
        for attribute in members {
            for entry in directory.entries() {
                for value in directory.values_of(entry, attribute) {
                    let Some(Ok(url)) = read_url(value) else {
                        continue;
                    };
                    let filter = url.filter.map(|text| parse_filter(&text, false));
                    if let Some(Ok(filter)) = filter {
                        items(&filter, &mut |name, _| {
                            names.insert(name.to_ascii_lowercase());
                        });
                    }
                }
            }
        }
        names
    }

    fn add(&mut self, parameter: &str, part: &LdapPart<'_>) {
        let Ok(filter) = part.filter else { return };
        if part.search_base.is_dynamic() || !needs_key(filter) {
            self.is_regular = false;
        }
        self.asks_parts |= part.domains.is_none();
        let base = (part.search_base.fill(&|_| String::new()), part.scope);
        if !self.bases.contains(&base) {
            self.bases.push(base);
        }
        let results = part.attributes.iter().map(|(name, _)| name);
        self.names
            .extend(results.map(|name| name.to_ascii_lowercase()));
        items(filter, &mut |attribute, assertion| {
            self.names.insert(attribute.to_ascii_lowercase());
            if let Assertion::Equal(pattern) = assertion
                && has_key(pattern)
            {
                self.add_key(attribute, pattern, part);
            }
        });
        for (attribute, class) in part.attributes {
            let result = (attribute.clone(), part.result_format.clone());
            if *class == AttributeClass::Special {
                self.members.insert(attribute.clone());
            } else if !self.results.contains(&result) {
                self.results.push(result);
            }
        }
        let known = self.tables.iter().any(|table| {
            (&table.parameter, &table.filter, &table.format)
                == (&parameter.to_owned(), filter, part.result_format)
                && table.attributes == part.attributes
        });
        if !known {
            self.tables.push(LdapUse {
                parameter: parameter.to_owned(),
                filter: filter.clone(),
                format: part.result_format.clone(),
                attributes: part.attributes.to_vec(),
                is_piped: part.is_piped,
            });
        }
    }

    fn add_key(&mut self, attribute: &str, pattern: &Pattern, part: &LdapPart<'_>) {
        let domains = part.domains.iter().flatten().map(|name| (*name).to_owned());
        let known = self
            .keys
            .iter_mut()
            .find(|key| key.attribute == attribute && key.pattern == *pattern);
        match known {
            Some(known) => known.domains.extend(domains),
            None => self.keys.push(KeyUse {
                attribute: attribute.to_owned(),
                pattern: pattern.clone(),
                domains: domains.collect(),
            }),
        }
    }

    /// Whether an attribute has addresses that tables look up.
    pub(super) fn has_addresses(&self, attribute: &str) -> bool {
        self.keys.iter().any(|key| key.attribute == attribute)
    }

    /// Sorts the attributes by their use, once all tables are known.
    fn classify(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        for table in &tables {
            for (attribute, class) in &table.attributes {
                self.classify_result(table, attribute, *class);
            }
            items(&table.filter, &mut |attribute, assertion| {
                self.classify_item(attribute, assertion);
            });
        }
        let free: BTreeSet<String> = self.hosts.union(&self.targets).cloned().collect();
        for table in &tables {
            let filter = relaxed(&table.filter, &free);
            let of = |attributes: &BTreeSet<String>| {
                let mut own = table.attributes.iter();
                own.any(|(attribute, _)| attributes.contains(attribute))
            };
            if !self.found.contains(&filter) {
                self.found.push(filter.clone());
            }
            let special = table.attributes.iter();
            let mut special = special.filter(|(_, class)| *class == AttributeClass::Special);
            if let Some((name, _)) = special.next() {
                let free: BTreeSet<String> = free.iter().chain([name]).cloned().collect();
                let group = (relaxed(&table.filter, &free), name.clone());
                if !self.groups.contains(&group) {
                    self.groups.push(group);
                }
            }
            if of(&self.hosts) && !self.mailboxes.contains(&filter) {
                self.mailboxes.push(filter.clone());
            }
            if of(&self.targets) && !self.folders.contains(&filter) {
                self.folders.push(filter);
            }
        }
        self.tables = tables;
    }

    fn classify_result(&mut self, table: &LdapUse, attribute: &str, class: AttributeClass) {
        if class == AttributeClass::Special {
            return;
        }
        let name = attribute.to_owned();
        if self.has_addresses(attribute) {
            self.primary.insert(name);
        } else if table.parameter == "transport_maps" {
            self.hosts.insert(name);
        } else if table.is_piped {
            self.targets.insert(name);
        } else if table.parameter == "virtual_alias_maps" {
            self.forwards.insert(name);
        }
    }

    fn classify_item(&mut self, attribute: &str, assertion: &Assertion) {
        let is_key = matches!(assertion, Assertion::Equal(pattern) if has_key(pattern));
        if !self.has_addresses(attribute) {
            if *assertion != Assertion::Present {
                self.verbatim.insert(attribute.to_owned());
            }
        } else if is_key {
            return;
        }
        let item = LdapFilter::Item {
            attribute: attribute.to_owned(),
            assertion: assertion.clone(),
        };
        if !self.verbatim.contains(attribute) && !self.constants.contains(&item) {
            self.constants.push(item);
        }
    }
}
