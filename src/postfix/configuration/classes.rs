//! The address classes (ADDRESS_CLASS_README): the domains of a host, by how it delivers their mail.

use super::{ExpandError, View};
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
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Local,
        Self::VirtualAlias,
        Self::VirtualMailbox,
        Self::Relay,
    ];

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

/// The members of a list: domains, files and tables, in their order; or why they are not known.
pub type Members = Result<Vec<String>, ExpandError>;

/// The domains of each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes([(AddressClass, Members); 4]);

impl Classes {
    /// The members of a class.
    pub fn of(&self, class: AddressClass) -> &Members {
        let [local, alias, mailbox, relay] = &self.0;
        match class {
            AddressClass::Local => &local.1,
            AddressClass::VirtualAlias => &alias.1,
            AddressClass::VirtualMailbox => &mailbox.1,
            AddressClass::Relay => &relay.1,
        }
    }

    /// Each class with its members.
    pub fn iter(&self) -> impl Iterator<Item = (AddressClass, &Members)> {
        self.0.iter().map(|(class, members)| (*class, members))
    }
}

impl View<'_> {
    /// The address classes with their domains, defaults included.
    #[must_use]
    pub fn classes(&self) -> Classes {
        Classes(AddressClass::ALL.map(|class| {
            let members = self.expanded(class.parameter()).text;
            (class, members.map(|members| split_list(&members)))
        }))
    }
}
