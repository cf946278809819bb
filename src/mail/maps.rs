//! Lists of lookup tables, and the keys that Postfix looks an address up by.

use super::address::{ExtensionRules, quoted, split};
use super::table::{LookupAnswer, LookupError, NameList, OpenTable};
use crate::directory::Directory;

/// A value, or why it is not known.
pub type Known<T> = Result<T, LookupError>;

/// The tables of a parameter.
#[derive(Debug, Clone)]
pub struct Maps {
    /// The parameter.
    pub parameter: String,
    /// Its tables, in their order.
    pub tables: Known<Vec<OpenTable>>,
}

/// A table's answer that decided something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The parameter that names the table.
    pub parameter: String,
    /// The table, as the parameter names it.
    pub table: String,
    /// The key that was found.
    pub key: String,
    /// What the table has for it.
    pub answer: LookupAnswer,
}

impl Maps {
    /// Whether there are no tables.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.as_ref().is_ok_and(Vec::is_empty)
    }

    /// The first answer of the tables for one key. Tables of patterns are not asked for parts of an address.
    ///
    /// # Errors
    /// If a table on the way has no answer, or has an empty one.
    pub fn find_key(&self, key: &str, is_part: bool, directory: &Directory) -> Known<Option<Hit>> {
        for table in self.tables.as_ref().map_err(Clone::clone)? {
            if is_part && !table.content.takes_parts() {
                continue;
            }
            let Some(answer) = table.content.find(key, directory)? else {
                continue;
            };
            if answer.value.is_empty() {
                let what = format!("`{}` has an empty value for `{key}`", table.word);
                return Err(LookupError::Temporary(what));
            }
            return Ok(Some(Hit {
                parameter: self.parameter.clone(),
                table: table.word.clone(),
                key: key.to_owned(),
                answer,
            }));
        }
        Ok(None)
    }
}

/// Which domains are local, for lookups by the local part alone.
#[derive(Debug, Clone)]
pub struct LocalDomains {
    /// `myorigin`.
    pub myorigin: Known<String>,
    /// `mydestination`.
    pub mydestination: Known<NameList>,
}

impl LocalDomains {
    /// Whether mail for a domain is delivered on the host (`resolve_local` of Postfix).
    ///
    /// # Errors
    /// If a table on the way has no answer, or the domain is an address in brackets.
    pub fn is_local(&self, domain: &str, directory: &Directory) -> Known<bool> {
        let list = self.mydestination.as_ref().map_err(Clone::clone)?;
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        if list.matches(domain, directory)? {
            return Ok(true);
        }
        if domain.starts_with('[') {
            let what = format!("only the host knows whether `{domain}` is one of its addresses");
            return Err(LookupError::NotModelled(what));
        }
        Ok(false)
    }

    fn is_origin_or_local(&self, domain: &str, directory: &Directory) -> Known<bool> {
        // An unknown origin matters only where the domain is not local.
        let local = self.is_local(domain, directory)?;
        match &self.myorigin {
            _ if local => Ok(true),
            Ok(origin) => Ok(origin.eq_ignore_ascii_case(domain)),
            Err(_) => Ok(false),
        }
    }
}

/// In which form an address is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryForm {
    /// As cleanup(8) does: quoted.
    Quoted,
    /// As smtpd(8) and trivial-rewrite(8) do: quoted, and then as it is.
    QuotedFirst,
}

/// Which keys follow the address itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// The local part where the domain is local, then `@domain`.
    OfAddresses,
    /// The domain, then its parents: with a leading dot, or without (`parent_domain_matches_subdomains`).
    OfDomains {
        /// Whether the parents have no leading dot.
        bare_parents: bool,
    },
}

/// How addresses are looked up on a host.
#[derive(Debug, Clone)]
pub struct AddressLookup {
    /// How extensions are recognized.
    pub extensions: ExtensionRules,
    /// Which domains are local.
    pub local: LocalDomains,
}

/// An answer for an address, with the extension that the key lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressHit {
    /// The answer.
    pub hit: Hit,
    /// The extension with its delimiter, if the key was the address without it.
    pub extension: Option<String>,
}

impl AddressLookup {
    /// The first answer for an address in internal form. The keys are the outer loop, the tables the inner one.
    ///
    /// # Errors
    /// If a table on the way has no answer.
    pub fn find(
        &self,
        maps: &Maps,
        address: &str,
        form: QueryForm,
        keys: Keys,
        directory: &Directory,
    ) -> Known<Option<AddressHit>> {
        if maps.is_empty() {
            return Ok(None);
        }
        let find = |key: &str, is_part| maps.find_in_form(key, is_part, form, directory);
        if let Some(hit) = find(address, false)? {
            return Ok(Some(AddressHit::whole(hit)));
        }
        let bare = self.extensions.split(address);
        if let Some((bare, extension)) = &bare
            && let Some(hit) = find(bare, true)?
        {
            return Ok(Some(AddressHit::without(hit, extension)));
        }
        let (local, Some(domain)) = split(address) else {
            return Ok(None);
        };
        let Keys::OfAddresses = keys else {
            let bare_parents = keys == Keys::OfDomains { bare_parents: true };
            return maps.find_domain(domain, bare_parents, directory);
        };
        if self.local.is_origin_or_local(domain, directory)? {
            if let Some(hit) = find(local, true)? {
                return Ok(Some(AddressHit::whole(hit)));
            }
            if let Some((bare, extension)) = &bare
                && let Some(hit) = find(split(bare).0, true)?
            {
                return Ok(Some(AddressHit::without(hit, extension)));
            }
        }
        let hit = maps.find_key(&format!("@{domain}"), true, directory)?;
        Ok(hit.map(AddressHit::whole))
    }
}

impl AddressHit {
    /// An answer for all of an address.
    pub(super) fn whole(hit: Hit) -> Self {
        Self {
            hit,
            extension: None,
        }
    }

    fn without(hit: Hit, extension: &str) -> Self {
        Self {
            hit,
            extension: Some(extension.to_owned()),
        }
    }
}

impl Maps {
    /// The first answer for a key, quoted where it must be, and then as it is.
    fn find_in_form(
        &self,
        key: &str,
        is_part: bool,
        form: QueryForm,
        directory: &Directory,
    ) -> Known<Option<Hit>> {
        let external = quoted(key);
        let found = self.find_key(&external, is_part, directory)?;
        if found.is_some() || form == QueryForm::Quoted || external == key {
            return Ok(found);
        }
        self.find_key(key, is_part, directory)
    }

    /// The first answer for a domain or one of its parents.
    fn find_domain(
        &self,
        domain: &str,
        bare_parents: bool,
        directory: &Directory,
    ) -> Known<Option<AddressHit>> {
        let mut name = domain;
        loop {
            if let Some(hit) = self.find_key(name, true, directory)? {
                return Ok(Some(AddressHit::whole(hit)));
            }
            let dot = name.get(1..).and_then(|rest| rest.find('.'));
            let Some(dot) = dot.map(|at| at + 1) else {
                return Ok(None);
            };
            name = if bare_parents {
                &name[dot + 1..]
            } else {
                &name[dot..]
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::table::{HostTables, MatchStyle};
    use super::*;

    fn key_of(tables: &str, address: &str, form: QueryForm, keys: Keys) -> Option<String> {
        let mut opened = HostTables::new(HashMap::new());
        let lookup = AddressLookup {
            extensions: ExtensionRules {
                delimiters: "+".to_owned(),
                ..ExtensionRules::default()
            },
            local: LocalDomains {
                myorigin: Ok("origin.org".to_owned()),
                mydestination: Ok(opened.names("here.org", MatchStyle::Exact)),
            },
        };
        let maps = Maps {
            parameter: "x_maps".to_owned(),
            tables: Ok(opened.all(tables)),
        };
        let found = lookup.find(&maps, address, form, keys, &Directory::default());
        found
            .ok()
            .flatten()
            .map(|found| format!("{} {}", found.hit.key, found.hit.answer.value))
    }

    /// virtual(5), "TABLE SEARCH ORDER"; transport(5), "TABLE SEARCH ORDER".
    #[test]
    fn keys_are_the_outer_loop_and_tables_the_inner_one() {
        use QueryForm::{Quoted, QuotedFirst};
        let addresses = Keys::OfAddresses;
        let domains = |bare_parents| Keys::OfDomains { bare_parents };
        for (tables, address, form, keys, expected) in [
            (
                "inline:{a+x@here.org=1, a@here.org=2}",
                "a+x@here.org",
                Quoted,
                addresses,
                Some("a+x@here.org 1"),
            ),
            (
                "inline:{a@here.org=2}",
                "a+x@here.org",
                Quoted,
                addresses,
                Some("a@here.org 2"),
            ),
            (
                "inline:{a@here.org=2}, static:s",
                "a+x@here.org",
                Quoted,
                addresses,
                Some("a+x@here.org s"),
            ),
            (
                "inline:{a+x=3, a=4}",
                "a+x@here.org",
                Quoted,
                addresses,
                Some("a+x 3"),
            ),
            (
                "inline:{a=4}",
                "a+x@origin.org",
                Quoted,
                addresses,
                Some("a 4"),
            ),
            (
                "inline:{a=4, @there.org=5}",
                "a@there.org",
                Quoted,
                addresses,
                Some("@there.org 5"),
            ),
            (
                "inline:{there.org=6}",
                "a@there.org",
                Quoted,
                addresses,
                None,
            ),
            (
                "inline:{ {a b@here.org=7} }",
                "a b@here.org",
                Quoted,
                addresses,
                None,
            ),
            (
                "inline:{ {a b@here.org=7} }",
                "a b@here.org",
                QuotedFirst,
                addresses,
                Some("a b@here.org 7"),
            ),
            (
                "inline:{there.org=8}",
                "a@there.org",
                QuotedFirst,
                domains(false),
                Some("there.org 8"),
            ),
            (
                "inline:{.there.org=9}",
                "a@x.there.org",
                QuotedFirst,
                domains(false),
                Some(".there.org 9"),
            ),
            (
                "inline:{there.org=8}",
                "a@x.there.org",
                QuotedFirst,
                domains(false),
                None,
            ),
            (
                "inline:{there.org=8}",
                "a@x.there.org",
                QuotedFirst,
                domains(true),
                Some("there.org 8"),
            ),
            (
                "inline:{@there.org=5}",
                "a@there.org",
                QuotedFirst,
                domains(false),
                None,
            ),
        ] {
            assert_eq!(
                key_of(tables, address, form, keys).as_deref(),
                expected,
                "{address} in {tables}"
            );
        }
    }
}
