//! The addresses that a directory has, by the tables that look them up.

use super::attributes::{Attributes, KeyUse};
use crate::directory::{Directory, EntryId, PatternPart};
use crate::mail::MailMurder;

/// An address of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAddress {
    /// The address in lower case.
    pub address: String,
    /// How the entry has it.
    pub form: AddressForm,
}

/// How an entry has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressForm {
    /// It is a primary address.
    Primary,
    /// It is another one.
    Alias,
}

/// The addresses of an entry in the mail domains, each once.
pub(super) fn addresses_of(
    attributes: &Attributes,
    murder: &MailMurder,
    directory: &Directory,
    entry: EntryId,
) -> Vec<KnownAddress> {
    let mut found: Vec<KnownAddress> = Vec::new();
    for key in &attributes.keys {
        let Some(attribute) = directory.attribute(&key.attribute) else {
            continue;
        };
        let is_primary = attributes.primary.contains(&key.attribute);
        for value in directory.values_of(entry, attribute) {
            for address in addresses(key, value) {
                let domain = address.rsplit_once('@').map(|(_, domain)| domain);
                if !domain.is_some_and(|domain| murder.is_domain(domain))
                    || found.iter().any(|known| known.address == address)
                {
                    continue;
                }
                let form = if is_primary {
                    AddressForm::Primary
                } else {
                    AddressForm::Alias
                };
                found.push(KnownAddress { address, form });
            }
        }
    }
    found
}

/// The keys that find a value: the whole of it, or its local part in each of the table's domains.
pub(super) fn addresses(key: &KeyUse, value: &str) -> Vec<String> {
    let (mut before, mut letter, mut after) = ("", None, "");
    for part in &key.pattern.0 {
        match (part, letter) {
            (PatternPart::Text(text), None) => before = text,
            (PatternPart::Text(text), Some(_)) if after.is_empty() => after = text,
            (PatternPart::Placeholder(own), None) => letter = Some(own.to_ascii_lowercase()),
            _ => return Vec::new(),
        }
    }
    let starts = value
        .get(..before.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(before));
    let rest = if starts {
        &value[before.len()..]
    } else {
        return Vec::new();
    };
    let Some(end) = rest.len().checked_sub(after.len()) else {
        return Vec::new();
    };
    let Some((middle, end)) = rest.split_at_checked(end) else {
        return Vec::new();
    };
    if !end.eq_ignore_ascii_case(after) {
        return Vec::new();
    }
    let middle = middle.to_lowercase();
    match letter {
        Some('s') => vec![middle],
        Some('u') => {
            let domains = key.domains.iter();
            domains.map(|domain| format!("{middle}@{domain}")).collect()
        }
        _ => Vec::new(),
    }
}
