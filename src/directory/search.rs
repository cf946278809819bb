//! Searches of a directory by base, scope and filter, with the help of its indexes.

use super::dn::normalized_dn;
use super::filter::{Assertion, LdapFilter};
use super::matching::{MatchingRule, superior_classes};
use super::search_error::SearchError;
use super::store::{AttributeId, Directory, EntryId, reversed};

/// Which entries below a base a search looks at (RFC 4511, 4.5.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchScope {
    /// The base itself.
    Base,
    /// The entries directly below it.
    One,
    /// The base and all entries below it.
    Subtree,
}

/// What the place-holders of a filter stand for.
pub type Values<'a> = &'a dyn Fn(char) -> String;

impl Directory {
    /// The entries that match, in the order in which they were read.
    ///
    /// # Errors
    /// If the base does not exist or is not a name.
    pub fn search(
        &self,
        base: &str,
        scope: SearchScope,
        filter: &LdapFilter,
        values: Values<'_>,
    ) -> Result<Vec<EntryId>, SearchError> {
        // The names of entries are looked up as they are: there are too many for the memory.
        if scope == SearchScope::Base {
            let name = reversed(&normalized_dn(base).map_err(|_| SearchError::BadName)?);
            let own = self.tree().find(&name).ok_or(SearchError::NoSuchObject)?;
            let matches = self.matches(own, filter, values) == Some(true);
            return Ok(Some(own).filter(|_| matches).into_iter().collect());
        }
        let base = self.base(base)?;
        if !base.exists {
            return Err(SearchError::NoSuchObject);
        }
        let matches = |entry: &EntryId| self.matches(*entry, filter, values) == Some(true);
        let found: Vec<EntryId> = match self.candidates(filter, values) {
            Some(candidates) => candidates
                .entries()
                .into_iter()
                .map(EntryId)
                .filter(|entry| self.is_below(*entry, &base.name, scope))
                .filter(matches)
                .collect(),
            None => {
                let mut found = self.entries_below(&base.name, scope);
                found.sort_unstable();
                found.retain(matches);
                found
            }
        };
        Ok(found)
    }

    /// Whether an entry exists below a base; an export may lack the entry of the base itself.
    pub(super) fn has_below(&self, base: &str) -> bool {
        if base.is_empty() {
            return true;
        }
        let (below, tree) = (format!("{base},"), self.tree());
        let next = tree.from(&below).first();
        next.is_some_and(|entry| tree.name(*entry).starts_with(&below))
    }

    fn entries_below(&self, base: &str, scope: SearchScope) -> Vec<EntryId> {
        let tree = self.tree();
        let within = tree.from(base).iter().copied();
        within
            // Names that begin with the base, such as `dc=a-b` for `dc=a`, may be in between.
            .take_while(|entry| tree.name(*entry).starts_with(base))
            .filter(|entry| is_under(tree.name(*entry), base, scope))
            .collect()
    }

    pub(super) fn is_below(&self, entry: EntryId, base: &str, scope: SearchScope) -> bool {
        let name = self.tree().name(entry);
        !name.is_empty() && is_under(name, base, scope)
    }

    /// The entries that have a value of an attribute, by the attribute's matching rule.
    #[must_use]
    pub fn with_value(&self, attribute: &str, value: &str) -> Vec<EntryId> {
        let mut found = Vec::new();
        if let Some(attribute) = self.attribute(attribute) {
            self.take_with_value(attribute, value, &mut found);
        }
        found
    }

    /// The entries that have a value of an attribute, by its matching rule, and perhaps others whose value has the same hash.
    pub fn take_with_value(&self, attribute: AttributeId, value: &str, take: &mut Vec<EntryId>) {
        if let Some(range) = self.range(attribute, value) {
            take.extend(range.entries().into_iter().map(EntryId));
        }
    }

    /// Whether an entry has a value of an attribute, by its matching rule.
    #[must_use]
    pub fn has_value(&self, entry: EntryId, attribute: AttributeId, value: &str) -> bool {
        let rule = self.rule(attribute);
        let Some(wanted) = rule.normalized(value) else {
            return false;
        };
        let mut own = self.values_of(entry, attribute);
        own.any(|value| rule.normalized(value).is_some_and(|value| value == wanted))
    }

    /// Whether an entry matches a filter, with values for its place-holders.
    #[must_use]
    pub fn is_match(&self, entry: EntryId, filter: &LdapFilter, values: Values<'_>) -> bool {
        self.matches(entry, filter, values) == Some(true)
    }

    /// The form of a value under which equal values of an attribute are equal texts; none if it has not the attribute's
    /// syntax.
    #[must_use]
    pub fn normalized(attribute: &str, value: &str) -> Option<String> {
        let normal = MatchingRule::of(attribute).normalized(value)?;
        Some(normal.into_owned())
    }

    /// Whether an entry matches; none where the filter is undefined for it (RFC 4511, 4.5.1.7).
    fn matches(&self, entry: EntryId, filter: &LdapFilter, values: Values<'_>) -> Option<bool> {
        match filter {
            LdapFilter::And(parts) => {
                let mut all = Some(true);
                for part in parts {
                    match self.matches(entry, part, values) {
                        Some(false) => return Some(false),
                        None => all = None,
                        Some(true) => {}
                    }
                }
                all
            }
            LdapFilter::Or(parts) => {
                let mut any = Some(false);
                for part in parts {
                    match self.matches(entry, part, values) {
                        Some(true) => return Some(true),
                        None => any = None,
                        Some(false) => {}
                    }
                }
                any
            }
            LdapFilter::Not(part) => self.matches(entry, part, values).map(|holds| !holds),
            LdapFilter::Item {
                attribute,
                assertion,
            } => self.holds(entry, attribute, assertion, values),
        }
    }

    fn holds(
        &self,
        entry: EntryId,
        attribute: &str,
        assertion: &Assertion,
        values: Values<'_>,
    ) -> Option<bool> {
        let id = self.attribute(attribute);
        let rule = id.map_or_else(|| MatchingRule::of(attribute), |id| self.rule(id));
        let mut own = id.into_iter().flat_map(|id| self.values_of(entry, id));
        match assertion {
            Assertion::Present => Some(own.next().is_some()),
            Assertion::Equal(value) => {
                // A value that has not the attribute's syntax makes the item undefined.
                let wanted = value.fill(values);
                let wanted = rule.normalized(&wanted)?;
                Some(own.any(|value| {
                    let value = rule.normalized(value);
                    value.is_some_and(|value| {
                        value == wanted
                            || rule == MatchingRule::ObjectClass
                                && superior_classes(&value).any(|class| class == wanted)
                    })
                }))
            }
            Assertion::Substrings(parts) => {
                let parts: Option<Vec<String>> = parts
                    .iter()
                    .map(|part| substring(rule, &part.fill(values)))
                    .collect();
                let parts = parts?;
                Some(own.any(|value| {
                    rule.normalized(value)
                        .is_some_and(|value| has_substrings(&value, &parts))
                }))
            }
        }
    }
}

/// A part of a substring filter in the form of normalized values.
fn substring(rule: MatchingRule, text: &str) -> Option<String> {
    match rule {
        MatchingRule::CaseExact => Some(text.to_owned()),
        MatchingRule::CaseIgnoreIa5 => text.is_ascii().then(|| text.to_ascii_lowercase()),
        MatchingRule::CaseIgnore => Some(text.to_lowercase()),
        // Names of entries and classes have no substring rule.
        MatchingRule::Name | MatchingRule::ObjectClass => None,
    }
}

fn has_substrings(value: &str, parts: &[String]) -> bool {
    let (Some((first, rest)), true) = (parts.split_first(), parts.len() > 1) else {
        return false;
    };
    let Some(mut value) = value.strip_prefix(first.as_str()) else {
        return false;
    };
    let (last, middle) = rest
        .split_last()
        .map_or(("", rest), |(last, middle)| (last, middle));
    for part in middle {
        match value.find(part.as_str()) {
            Some(at) => value = &value[at + part.len()..],
            None => return false,
        }
    }
    value.ends_with(last)
}

/// Whether a reversed name is in the scope of a reversed base.
fn is_under(dn: &str, base: &str, scope: SearchScope) -> bool {
    let below = if base.is_empty() {
        Some(dn)
    } else {
        dn.strip_prefix(base)
            .and_then(|rest| rest.strip_prefix(','))
    };
    match scope {
        SearchScope::Base => dn == base,
        SearchScope::One => below.is_some_and(|rest| !rest.is_empty() && !rest.contains(',')),
        SearchScope::Subtree => dn == base || below.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ldif::read_ldif;
    use super::super::parse_filter::parse_filter;
    use super::*;

    const TEXT: &[u8] = b"dn: dc=x\nobjectClass: domain\n\n\
        dn: ou=People,dc=x\nobjectClass: organizationalUnit\n\n\
        dn: uid=a,ou=People,dc=x\nobjectClass: inetOrgPerson\nmail: A@x\nmailHost: B1.x\ncn: Ann Lee\n\n\
        dn: uid=b,ou=People,dc=x\nobjectClass: inetOrgPerson\nmail: b@x\n\n\
        dn: cn=g,dc=x\nobjectClass: groupOfUniqueNames\nmail: g@x\nuniqueMember: UID=A, ou=people,dc=x\n";

    fn found(base: &str, scope: SearchScope, filter: &str) -> Result<Vec<String>, SearchError> {
        let directory = read_ldif(TEXT).unwrap_or_default();
        let filter = parse_filter(filter, true).unwrap_or(LdapFilter::Or(Vec::new()));
        let key = |_: char| "a@X".to_owned();
        let entries = directory.search(base, scope, &filter, &key)?;
        Ok(entries
            .into_iter()
            .map(|entry| directory.dn(entry).to_owned())
            .collect())
    }

    /// RFC 4511, section 4.5.1.
    #[test]
    fn searches_find_what_a_server_finds() {
        use SearchScope::{Base, One, Subtree};
        for (base, scope, filter, expected) in [
            ("dc=x", Subtree, "(mail=%s)", vec!["uid=a,ou=People,dc=x"]),
            (
                "DC=X",
                Subtree,
                "(&(objectClass=person)(!(mailHost=*)))",
                vec!["uid=b,ou=People,dc=x"],
            ),
            (
                "dc=x",
                One,
                "(objectClass=*)",
                vec!["ou=People,dc=x", "cn=g,dc=x"],
            ),
            ("dc=x", Base, "(objectClass=*)", vec!["dc=x"]),
            (
                "dc=x",
                Subtree,
                "(|(mail=b@x)(mailHost=b1.X))",
                vec!["uid=a,ou=People,dc=x", "uid=b,ou=People,dc=x"],
            ),
            ("dc=x", Subtree, "(cn=ann*e)", vec!["uid=a,ou=People,dc=x"]),
            (
                "dc=x",
                Subtree,
                "(uniqueMember=uid=a,ou=People,dc=x)",
                vec!["cn=g,dc=x"],
            ),
            ("dc=x", Subtree, "(!(mail=\\c3\\bc))", vec![]),
            ("dc=x", Subtree, "(|)", vec![]),
            ("uid=b,ou=People,dc=x", Subtree, "(mail=%s)", vec![]),
        ] {
            assert_eq!(
                found(base, scope, filter),
                Ok(expected.iter().map(|dn| (*dn).to_owned()).collect()),
                "{filter}"
            );
        }
        assert_eq!(
            found("dc=y", Subtree, "(a=1)"),
            Err(SearchError::NoSuchObject)
        );
        assert_eq!(
            found("dc=x,john", Subtree, "(a=1)"),
            Err(SearchError::BadName)
        );
    }
}
