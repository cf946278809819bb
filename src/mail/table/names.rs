//! Lists of names, tables and files, such as `mydestination` and `relay_domains` (postconf(5)).

use std::sync::Arc;

use super::answer::{KeyLookup, LookupError};
use crate::directory::Directory;

/// What a list's names match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchStyle {
    /// The same name only.
    Exact,
    /// A domain and its subdomains (`parent_domain_matches_subdomains`).
    Parents,
    /// A domain; its subdomains by a name with a leading dot.
    DottedParents,
}

/// A member of a list.
#[derive(Debug, Clone)]
pub enum ListMember {
    /// A name in lower case.
    Name(String),
    /// A table whose keys are the names.
    Table(Arc<dyn KeyLookup>),
    /// A member that is not modelled, with the reason.
    Unknown(String),
}

/// A list of names.
#[derive(Debug, Clone)]
pub struct NameList {
    /// Its members; those with a leading `!` are exceptions.
    pub members: Vec<(ListMember, bool)>,
    /// What the names match.
    pub style: MatchStyle,
}

impl NameList {
    /// Whether a name is in the list: the first member that matches decides.
    ///
    /// # Errors
    /// If a table on the way has no answer.
    pub fn matches(&self, name: &str, directory: &Directory) -> Result<bool, LookupError> {
        let name = name.to_lowercase();
        for (member, is_exception) in &self.members {
            let found = match member {
                ListMember::Name(own) => self.is_same(own, &name),
                ListMember::Table(table) => self.is_key(&**table, &name, directory)?,
                ListMember::Unknown(reason) => {
                    return Err(LookupError::NotModelled(reason.clone()));
                }
            };
            if found {
                return Ok(!is_exception);
            }
        }
        Ok(false)
    }

    /// The domains that it has by name: not those of tables, nor those of which it has only the subdomains.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        let members = self.members.iter();
        members.filter_map(|member| match member {
            (ListMember::Name(name), false) if !name.starts_with(['.', '[']) => Some(name.as_str()),
            _ => None,
        })
    }

    fn is_same(&self, own: &str, name: &str) -> bool {
        own == name
            || match self.style {
                MatchStyle::Exact => false,
                MatchStyle::Parents => name
                    .strip_suffix(own)
                    .is_some_and(|rest| rest.ends_with('.')),
                MatchStyle::DottedParents => {
                    own.starts_with('.') && name.len() > own.len() && name.ends_with(own)
                }
            }
    }

    fn is_key(
        &self,
        table: &dyn KeyLookup,
        name: &str,
        directory: &Directory,
    ) -> Result<bool, LookupError> {
        let mut key = name;
        loop {
            if (key == name || table.takes_parts()) && table.find(key, directory)?.is_some() {
                return Ok(true);
            }
            let next = key
                .get(1..)
                .and_then(|rest| rest.find('.').map(|at| at + 1));
            key = match (self.style, next) {
                (MatchStyle::Exact, _) | (_, None) => return Ok(false),
                (MatchStyle::Parents, Some(at)) => &key[at + 1..],
                (MatchStyle::DottedParents, Some(at)) => &key[at..],
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// postconf(5), `parent_domain_matches_subdomains` and `mydestination`.
    #[test]
    fn names_match_by_style() {
        let directory = Directory::default();
        for (style, members, name, expected) in [
            (MatchStyle::Exact, "example.org", "EXAMPLE.org", true),
            (MatchStyle::Exact, "example.org", "x.example.org", false),
            (MatchStyle::Parents, "example.org", "x.example.org", true),
            (MatchStyle::Parents, "example.org", "xexample.org", false),
            (
                MatchStyle::DottedParents,
                "example.org",
                "x.example.org",
                false,
            ),
            (
                MatchStyle::DottedParents,
                ".example.org",
                "x.example.org",
                true,
            ),
            (
                MatchStyle::DottedParents,
                ".example.org",
                "example.org",
                false,
            ),
            (
                MatchStyle::Parents,
                "!a.example.org example.org",
                "a.example.org",
                false,
            ),
        ] {
            let members = members.split(' ').map(|word| {
                let name = word.trim_start_matches('!').to_owned();
                (ListMember::Name(name), word.starts_with('!'))
            });
            let list = NameList {
                members: members.collect(),
                style,
            };
            assert_eq!(
                list.matches(name, &directory),
                Ok(expected),
                "{name} {style:?}"
            );
        }
    }
}
