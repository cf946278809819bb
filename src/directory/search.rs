//! Searches of a directory by base, scope and filter, with the help of its indexes.

use super::dn::normalized_dn;
use super::filter::{Assertion, LdapFilter, Pattern, PatternPart};
use super::matching::{MatchingRule, superior_classes};
use super::store::{Directory, EntryId, hash_of, reversed};

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

/// Why a search has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchError {
    /// No entry has the name of the base (noSuchObject).
    NoSuchObject,
    /// The base is not a distinguished name (invalidDNSyntax).
    BadName,
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
        let base = normalized_dn(base).map_err(|_| SearchError::BadName)?;
        let base = reversed(&base);
        let own = self.tree().find(&base);
        if own.is_none() && !self.has_below(&base) {
            return Err(SearchError::NoSuchObject);
        }
        let matches = |entry: &EntryId| self.matches(*entry, filter, values) == Some(true);
        if scope == SearchScope::Base {
            return own
                .map(|entry| Some(entry).filter(matches).into_iter().collect())
                .ok_or(SearchError::NoSuchObject);
        }
        let found: Vec<EntryId> = match self.candidates(filter, values) {
            Some(candidates) => candidates
                .into_iter()
                .map(EntryId)
                .filter(|entry| self.is_below(*entry, &base, scope))
                .filter(matches)
                .collect(),
            None => {
                let mut found = self.entries_below(&base, scope);
                found.sort_unstable();
                found.retain(matches);
                found
            }
        };
        Ok(found)
    }

    /// Whether an entry exists below a base; an export may lack the entry of the base itself.
    fn has_below(&self, base: &str) -> bool {
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

    fn is_below(&self, entry: EntryId, base: &str, scope: SearchScope) -> bool {
        let name = self.tree().name(entry);
        !name.is_empty() && is_under(name, base, scope)
    }

    /// Whether an entry is in the scope of a base; none of them is if the base is not a name.
    #[must_use]
    pub fn is_within(&self, entry: EntryId, base: &str, scope: SearchScope) -> bool {
        let base = normalized_dn(base).map(|base| reversed(&base));
        base.is_ok_and(|base| self.is_below(entry, &base, scope))
    }

    /// The entries that have a value of an attribute, by the attribute's matching rule.
    #[must_use]
    pub fn with_value(&self, attribute: &str, value: &str) -> Vec<EntryId> {
        let pattern = Pattern(vec![PatternPart::Text(value.to_owned())]);
        let found = self.indexed(attribute, &pattern, &|_| String::new());
        found.into_iter().map(EntryId).collect()
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
        MatchingRule::of(attribute).normalized(value)
    }

    /// The entries that an index names, of which the matching ones are a part; none if no index helps.
    fn candidates(&self, filter: &LdapFilter, values: Values<'_>) -> Option<Vec<u32>> {
        match filter {
            LdapFilter::And(parts) => {
                let best = parts
                    .iter()
                    .filter_map(|part| Some((self.count(part, values)?, part)))
                    .min_by_key(|(count, _)| *count);
                self.candidates(best?.1, values)
            }
            LdapFilter::Or(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    all.extend(self.candidates(part, values)?);
                }
                all.sort_unstable();
                all.dedup();
                Some(all)
            }
            LdapFilter::Item {
                attribute,
                assertion: Assertion::Equal(value),
            } => Some(self.indexed(attribute, value, values)),
            _ => None,
        }
    }

    /// How many candidates a filter has.
    fn count(&self, filter: &LdapFilter, values: Values<'_>) -> Option<usize> {
        match filter {
            LdapFilter::And(parts) => parts
                .iter()
                .filter_map(|part| self.count(part, values))
                .min(),
            LdapFilter::Or(parts) => parts.iter().map(|part| self.count(part, values)).sum(),
            LdapFilter::Item {
                attribute,
                assertion: Assertion::Equal(value),
            } => Some(
                self.range(attribute, value, values)
                    .map_or(0, |(_, range)| range.len()),
            ),
            _ => None,
        }
    }

    fn range(
        &self,
        attribute: &str,
        value: &Pattern,
        values: Values<'_>,
    ) -> Option<(std::sync::Arc<super::store::Index>, std::ops::Range<usize>)> {
        let id = self.attribute(attribute)?;
        let normal = MatchingRule::of(attribute).normalized(&value.fill(values))?;
        let hash = hash_of(&normal);
        let index = self.index(id);
        let start = index.partition_point(|(known, _)| *known < hash);
        let end = start + index[start..].partition_point(|(known, _)| *known == hash);
        Some((index, start..end))
    }

    fn indexed(&self, attribute: &str, value: &Pattern, values: Values<'_>) -> Vec<u32> {
        let found = self.range(attribute, value, values);
        let found = found.map(|(index, range)| index[range].iter().map(|(_, at)| *at).collect());
        found.unwrap_or_default()
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
        let rule = MatchingRule::of(attribute);
        let id = self.attribute(attribute);
        let mut own = id.into_iter().flat_map(|id| self.values_of(entry, id));
        match assertion {
            Assertion::Present => Some(own.next().is_some()),
            Assertion::Equal(value) => {
                // A value that has not the attribute's syntax makes the item undefined.
                let wanted = rule.normalized(&value.fill(values))?;
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
