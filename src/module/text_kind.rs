//! What a text in a module's variable may be (`of:` and `keys:` in `module.yaml`).
//!
//! Templates put values into tables, filters and main.cf without quotes. Postfix would read a blank or a parenthesis in
//! one as something else, and mostly report nothing.

use crate::manifest::rule;

/// The kinds of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// An IP address or network; IPv6 also in the brackets that Postfix wants.
    Network,
    /// A mail address.
    Address,
    /// A mail address, or `@domain` for all of a domain.
    AddressOrDomain,
    /// Mail addresses or local parts, separated by commas; or nothing.
    Recipients,
    /// A mail domain.
    Domain,
    /// The part of an address before `@`.
    LocalPart,
    /// The name of an LDAP attribute or object class (RFC 4512, `descr`), or its OID.
    Descriptor,
}

impl TextKind {
    /// The kind of that name, one of [`WORDS`](crate::manifest::module_form::WORDS).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "network" => Self::Network,
            "address" => Self::Address,
            "address-or-domain" => Self::AddressOrDomain,
            "recipients" => Self::Recipients,
            "domain" => Self::Domain,
            "local-part" => Self::LocalPart,
            "descriptor" => Self::Descriptor,
            _ => return None,
        })
    }

    /// What is wanted, with its article, for messages.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::Network => "an IP address or network",
            Self::Address => "a mail address",
            Self::AddressOrDomain => "a mail address, or `@domain` for a whole domain",
            Self::Recipients => "a mail address, or several with commas between them",
            Self::Domain => "a mail domain",
            Self::LocalPart => "the local part of an address",
            Self::Descriptor => "the name of an LDAP attribute or object class",
        }
    }

    /// Whether a text is one.
    ///
    /// # Errors
    /// Why it is none.
    pub fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::Network => (rule::NETWORK.check)(&bare(text)),
            Self::Address => (rule::ADDRESS.check)(text),
            Self::AddressOrDomain => match text.strip_prefix('@') {
                Some(domain) => (rule::DOMAIN.check)(domain),
                None => (rule::ADDRESS.check)(text),
            },
            Self::Recipients if text.is_empty() => Ok(()),
            Self::Recipients => text.split(',').map(str::trim).try_for_each(|one| {
                if one.contains('@') {
                    (rule::ADDRESS.check)(one)
                } else {
                    local_part(one)
                }
            }),
            Self::Domain => (rule::DOMAIN.check)(text),
            Self::LocalPart => local_part(text),
            Self::Descriptor => descriptor(text),
        }
    }
}

/// `[2001:db8::]/32` without its brackets.
fn bare(text: &str) -> String {
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => format!("{address}{rest}"),
        None => text.to_owned(),
    }
}

fn local_part(text: &str) -> Result<(), String> {
    if text.contains('@') {
        return Err("it has an `@`".to_owned());
    }
    if text.starts_with('#') {
        return Err("a line of a table that begins with `#` is a comment".to_owned());
    }
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    (rule::ADDRESS.check)(&format!("{text}@example.org"))
}

fn descriptor(text: &str) -> Result<(), String> {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_oid = text.contains('.')
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    match (text.is_empty(), is_name || is_oid) {
        (true, _) => Err("it is empty".to_owned()),
        (_, true) => Ok(()),
        (_, false) => Err(
            "it can only hold letters, digits and `-`, and begins with a letter (RFC 4512)"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_grammar_is_a_kind() {
        for (name, _) in crate::manifest::module_form::WORDS {
            assert!(TextKind::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn words_are_told_from_others() {
        let cases: [(TextKind, &[&str], &[&str]); 7] = [
            (
                TextKind::Network,
                &["10.0.0.0/8", "192.0.2.1", "[2001:db8::]/32", "2001:db8::1"],
                &[
                    "foo",
                    "10.0.0.0/33",
                    "10.1.2.3/8",
                    "0.0.0.0/0",
                    "[::]/0",
                    "",
                ],
            ),
            (TextKind::Address, &["a@b.c"], &["a", "@b.c", "a b@c.d"]),
            (
                TextKind::AddressOrDomain,
                &["a@b.c", "@b.c"],
                &["a", "a b", "@"],
            ),
            (
                TextKind::Recipients,
                &["", "a", "a@b.c, d"],
                &["c d", "a@b.c,", "#x"],
            ),
            (TextKind::Domain, &["b.c"], &["@b.c", "b c", "", "10.0.0.1"]),
            (
                TextKind::LocalPart,
                &["root", "a.b"],
                &["a b", "#x", "", "a@b.c"],
            ),
            (
                TextKind::Descriptor,
                &["mailHost", "1.3.6.1", "x-y"],
                &["mailHost)(|(x=*", "", "1x", "a b", "a.b"],
            ),
        ];
        for (word, right, wrong) in cases {
            for text in right {
                assert_eq!(word.check(text), Ok(()), "{word:?}: {text}");
            }
            for text in wrong {
                assert!(word.check(text).is_err(), "{word:?}: {text}");
            }
        }
    }
}
