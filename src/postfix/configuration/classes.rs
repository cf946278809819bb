//! The address classes (ADDRESS_CLASS_README): the domains of a host, by how it delivers their mail.

use std::collections::BTreeSet;

use super::{MemberList, View};
use crate::postfix::catalogue::tables;
use crate::postfix::split_list;

/// An address class whose domains a parameter lists. Every other domain is in the default class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressClass {
    /// `mydestination`: delivered here, by `local_transport`.
    Local,
    /// `virtual_alias_domains`: every address is an alias of another address.
    VirtualAlias,
    /// `virtual_mailbox_domains`: delivered by `virtual_transport`.
    VirtualMailbox,
    /// `relay_domains`: sent on by `relay_transport`.
    Relay,
}

impl AddressClass {
    /// All of them, in the order in which trivial-rewrite(8) tries them: a domain belongs to the first class that has it.
    pub const ALL: [Self; 4] = [
        Self::Local,
        Self::VirtualAlias,
        Self::VirtualMailbox,
        Self::Relay,
    ];

    /// What ADDRESS_CLASS_README calls the class, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::VirtualAlias => "virtual alias",
            Self::VirtualMailbox => "virtual mailbox",
            Self::Relay => "relay",
        }
    }

    /// The parameter that lists the class's domains.
    #[must_use]
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Local => "mydestination",
            Self::VirtualAlias => "virtual_alias_domains",
            Self::VirtualMailbox => "virtual_mailbox_domains",
            Self::Relay => "relay_domains",
        }
    }
}

/// The domains of each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    lists: [(AddressClass, MemberList); 4],
    /// Whether a member of `relay_domains` covers its subdomains too.
    relays_subdomains: bool,
}

/// Whether a table or a file of members has a key; none if that is not known. The table is given as its word in a list,
/// without negation.
pub type AskTable<'a> = &'a dyn Fn(&str, &str) -> Option<bool>;

/// Whether a list has a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It has it.
    Yes,
    /// It does not have it.
    No,
    /// It is not known, because of this table.
    Unknown(String),
}

impl Classes {
    /// The members of a class: domains, files and tables, in their order.
    #[must_use]
    pub fn of(&self, class: AddressClass) -> &MemberList {
        let [local, alias, mailbox, relay] = &self.lists;
        match class {
            AddressClass::Local => &local.1,
            AddressClass::VirtualAlias => &alias.1,
            AddressClass::VirtualMailbox => &mailbox.1,
            AddressClass::Relay => &relay.1,
        }
    }

    /// Each class with its members.
    pub fn iter(&self) -> impl Iterator<Item = (AddressClass, &MemberList)> {
        self.lists.iter().map(|(class, members)| (*class, members))
    }

    /// The domains that a class has by name, in lower case.
    #[must_use]
    pub fn named(&self, class: AddressClass) -> BTreeSet<String> {
        let members = self.of(class).known.iter();
        let domains = members
            .filter(|member| !member.contains([':', '/']) && !member.starts_with(['!', '.', '[']));
        domains.map(|domain| domain.to_ascii_lowercase()).collect()
    }

    /// Whether a class has a domain, as match_list(3) decides: the first member that matches does. A word that depends on
    /// something unknown, such as `$myhostname` where the host's name is not known, counts as another domain.
    pub fn has(&self, class: AddressClass, domain: &str, ask: AskTable<'_>) -> Membership {
        let list = self.of(class);
        let parents = class == AddressClass::Relay && self.relays_subdomains;
        for member in &list.known {
            let bare = member.trim_start_matches('!');
            let is_negated = (member.len() - bare.len()) % 2 == 1;
            match matches(class, bare, domain, parents, ask) {
                Some(true) if is_negated => return Membership::No,
                Some(true) => return Membership::Yes,
                Some(false) => {}
                None => return Membership::Unknown(bare.to_owned()),
            }
        }
        Membership::No
    }

    /// The class of a domain: none if it is in the default class.
    ///
    /// # Errors
    /// The class of which it is not known whether it has the domain.
    pub fn class_of(
        &self,
        domain: &str,
        ask: AskTable<'_>,
    ) -> Result<Option<AddressClass>, AddressClass> {
        for class in AddressClass::ALL {
            match self.has(class, domain, ask) {
                Membership::Yes => return Ok(Some(class)),
                Membership::No => {}
                Membership::Unknown(_) => return Err(class),
            }
        }
        Ok(None)
    }
}

impl View<'_> {
    /// The address classes with their domains, defaults included.
    #[must_use]
    pub fn classes(&self) -> Classes {
        let parents = self.expanded("parent_domain_matches_subdomains").text;
        Classes {
            lists: AddressClass::ALL.map(|class| (class, self.list(class.parameter()))),
            relays_subdomains: parents
                .is_ok_and(|list| split_list(&list).iter().any(|name| name == "relay_domains")),
        }
    }
}

/// Whether a member of a list matches a domain; none if that is not known.
fn matches(
    class: AddressClass,
    member: &str,
    domain: &str,
    parents: bool,
    ask: AskTable<'_>,
) -> Option<bool> {
    if member.starts_with('/') {
        return ask(member, domain);
    }
    match tables::read(member).first() {
        Some(table) if table.kind == "static" => Some(true),
        Some(table) if table.kind == "inline" => {
            let inner = table.name.trim_start_matches('{').trim_end_matches('}');
            let keys = split_list(inner);
            let mut keys = keys.iter().filter_map(|pair| pair.split_once('='));
            Some(keys.any(|(key, _)| key.trim_matches(['{', ' ']).eq_ignore_ascii_case(domain)))
        }
        Some(_) => ask(member, domain),
        None => {
            let is_suffix = |suffix: &str| {
                let start = domain.len().checked_sub(suffix.len());
                let end = start.and_then(|start| domain.get(start..));
                end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            };
            let is_below = class == AddressClass::Relay
                && domain.len() > member.len()
                && is_suffix(member)
                && if parents {
                    domain.as_bytes().get(domain.len() - member.len() - 1) == Some(&b'.')
                } else {
                    member.starts_with('.')
                };
            Some(member.eq_ignore_ascii_case(domain) || is_below)
        }
    }
}
