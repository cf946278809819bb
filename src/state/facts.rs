//! The facts about a host that its desired state may depend on.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::{RemotePath, TableType};
use crate::postfix::MainCf;
use crate::postfix::catalogue::tables;

/// The facts about a host that only the host knows and that its desired state may depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `postconf -dh mail_version`.
    pub postfix_version: String,
    /// `postconf -m`.
    pub table_types: Arc<BTreeSet<String>>,
    /// `postconf -dh default_database_type`.
    pub default_database_type: TableType,
    /// `ID` of os-release(5): `debian`, `rhel`.
    pub distribution: String,
    /// The LMTP socket of the distribution's Cyrus packages.
    pub lmtp_socket: RemotePath,
    /// The type for indexed tables: the one that main.cf already uses, otherwise the default.
    pub index_type: TableType,
    /// The names in `postconf -d`, which decide whether the host knows a parameter. Empty if the host was not asked.
    pub parameters: ParameterNames,
}

/// Names of parameters. Each host has about a thousand; they are copied often and searched rarely, so all
/// copies share one text with a name on each line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterNames(Arc<str>);

impl<'a> FromIterator<&'a str> for ParameterNames {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let text = names
            .into_iter()
            .fold(String::new(), |text, name| text + name + "\n");
        Self(text.into())
    }
}

impl ParameterNames {
    /// Whether there are none: the host was not asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in the order in which postconf(1) printed them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lines().count()
    }

    /// Whether the name is among them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        // postconf(1) prints them sorted, so a binary search nearly always finds a name.
        self.binary_search(name) || self.0.lines().any(|line| line == name)
    }

    fn binary_search(&self, name: &str) -> bool {
        let mut rest = self.0.as_bytes();
        while !rest.is_empty() {
            let (before, behind) = rest.split_at(rest.len() / 2);
            let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let end = memchr::memchr(b'\n', behind).map_or(rest.len(), |at| before.len() + at);
            let Some(line) = rest.get(start..end) else {
                return false;
            };
            rest = match line.cmp(name.as_bytes()) {
                Ordering::Equal => return true,
                Ordering::Less => rest.get(end + 1..).unwrap_or_default(),
                Ordering::Greater => &rest[..start],
            };
        }
        false
    }
}

impl PartialEq for ParameterNames {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for ParameterNames {}

impl Facts {
    /// The facts of a Debian 12 host, for use where no host was observed.
    ///
    /// # Panics
    /// Never: the literals are names.
    #[must_use]
    pub fn debian() -> Self {
        #[allow(clippy::expect_used, reason = "literals, checked by a test")]
        let table = |name: &str| TableType::new(name).expect("a table type");
        #[allow(clippy::expect_used, reason = "a literal, checked by a test")]
        let lmtp_socket = RemotePath::new("/run/cyrus/socket/lmtp").expect("a path");
        Self {
            postfix_version: "3.7.11".to_owned(),
            table_types: [
                "btree",
                "cidr",
                "environ",
                "fail",
                "hash",
                "inline",
                "internal",
                "ldap",
                "memcache",
                "nis",
                "pipemap",
                "proxy",
                "randmap",
                "regexp",
                "socketmap",
                "static",
                "tcp",
                "texthash",
                "unionmap",
                "unix",
            ]
            .map(str::to_owned)
            .into_iter()
            .collect::<BTreeSet<String>>()
            .into(),
            default_database_type: table("hash"),
            distribution: "debian".to_owned(),
            lmtp_socket,
            index_type: table("hash"),
            parameters: ParameterNames::default(),
        }
    }

    /// Whether a host was observed: only then are parameter names known.
    #[must_use]
    pub fn observed(&self) -> bool {
        !self.parameters.is_empty()
    }

    /// The index type for a host: the one that its main.cf already uses for an indexed table, if the host
    /// has that type; otherwise `default`.
    #[must_use]
    pub fn index_type_of(
        main_cf: &MainCf,
        types: &BTreeSet<String>,
        default: &TableType,
    ) -> TableType {
        for (name, value) in main_cf.iter() {
            // alias_maps and caches are not routing tables.
            if !tables::opens_tables(name) || name == "alias_maps" {
                continue;
            }
            for word in value.split([',', ' ', '\t']) {
                if let Some((kind, _)) = word.trim_start_matches("proxy:").split_once(':')
                    && types.contains(kind)
                    && let Ok(kind) = TableType::new(kind)
                    && kind.index_suffix().is_some()
                {
                    return kind;
                }
            }
        }
        default.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::ParameterNames;

    #[test]
    fn names_are_found_in_any_order() {
        for names in [
            vec![],
            vec!["b"],
            vec!["a", "b", "bb", "c", "d"],
            vec!["d", "bb", "a", "c", "b"],
        ] {
            let known: ParameterNames = names.iter().copied().collect();
            assert_eq!(
                (known.len(), known.is_empty()),
                (names.len(), names.is_empty())
            );
            for name in ["", "a", "b", "bb", "c", "d", "aa", "e", "a\nb"] {
                assert_eq!(
                    known.contains(name),
                    names.contains(&name),
                    "{name} in {names:?}"
                );
            }
        }
    }
}
