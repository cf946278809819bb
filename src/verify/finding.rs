//! A finding: what is wrong, for whom, and how it is mended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::code::FindingCode;
use crate::mail::Entry;

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its code.
    pub code: FindingCode,
    /// The addresses whose mail it concerns.
    pub addresses: Vec<String>,
    /// The names of the entries that have the fault.
    pub entries: Vec<String>,
    /// The hosts that have the fault, or where it shows.
    pub hosts: Vec<String>,
    /// What is wrong, in one line.
    pub text: String,
    /// What to do; a change of the directory is in LDIF for ldapmodify(1).
    pub help: String,
    /// The address and the place of mail whose trace shows it.
    pub evidence: Option<(String, Entry)>,
}

impl Finding {
    /// A finding without addresses, entries and hosts.
    #[must_use]
    pub fn new(code: FindingCode, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            addresses: Vec::new(),
            entries: Vec::new(),
            hosts: Vec::new(),
            text: text.into(),
            help: help.into(),
            evidence: None,
        }
    }

    /// The same with a host.
    #[must_use]
    pub fn at(mut self, host: &str) -> Self {
        self.hosts.push(host.to_owned());
        self
    }

    /// The same with an address.
    #[must_use]
    pub fn of(mut self, address: &str) -> Self {
        self.addresses.push(address.to_owned());
        self
    }

    /// The same with an entry.
    #[must_use]
    pub fn in_entry(mut self, dn: &str) -> Self {
        self.entries.push(dn.to_owned());
        self
    }

    /// The same with the address and the place of mail whose trace shows it.
    #[must_use]
    pub fn seen(mut self, address: &str, entry: Entry) -> Self {
        self.evidence = Some((address.to_owned(), entry));
        self
    }
}

/// How schemas spell attributes whose names are kept in lower case.
const SPELLINGS: [&str; 9] = [
    "mailHost",
    "kolabTargetFolder",
    "uniqueMember",
    "memberURL",
    "mailForwardingAddress",
    "mailAlternateAddress",
    "mailRoutingAddress",
    "mailLocalAddress",
    "proxyAddresses",
];

/// An attribute as schemas spell it.
pub(super) fn spelt(attribute: &str) -> &str {
    let mut known = SPELLINGS.into_iter();
    let found = known.find(|name| name.eq_ignore_ascii_case(attribute));
    found.unwrap_or(attribute)
}

/// A change of one attribute of an entry, in LDIF for ldapmodify(1).
pub(super) fn ldif_change(dn: &str, change: &str, attribute: &str, values: &[&str]) -> String {
    let attribute = spelt(attribute);
    let mut text = format!(
        "{}\nchangetype: modify\n{change}: {attribute}\n",
        ldif_line("dn", dn)
    );
    for value in values {
        text.push_str(&ldif_line(attribute, value));
        text.push('\n');
    }
    text
}

/// A line of LDIF; in Base64 where the value could not be read back as it is (RFC 2849, SAFE-STRING).
fn ldif_line(name: &str, value: &str) -> String {
    let is_safe = value.bytes().all(|byte| (b' '..0x7f).contains(&byte))
        && !value.starts_with([' ', ':', '<'])
        && !value.ends_with(' ');
    match is_safe {
        true => format!("{name}: {value}"),
        false => format!("{name}:: {}", STANDARD.encode(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_ldif_cannot_hold_are_in_base64() {
        for (value, line) in [
            ("uid=a b,dc=x", "dn: uid=a b,dc=x"),
            (" a", "dn:: IGE="),
            ("a ", "dn:: YSA="),
            (":a", "dn:: OmE="),
            ("<a", "dn:: PGE="),
            ("a\nb", "dn:: YQpi"),
            ("ü", "dn:: w7w="),
        ] {
            assert_eq!(ldif_line("dn", value), line, "{value:?}");
        }
    }
}
