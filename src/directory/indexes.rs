//! What an LDAP server says of its own indexes, read from its configuration.

use std::collections::BTreeSet;

/// Which attributes an LDAP server has an equality index for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerIndexes {
    /// The server that said so, as a URI.
    pub server: String,
    /// The attributes in lower case.
    pub equality: BTreeSet<String>,
}

/// Names of the same attribute (RFC 4519, RFC 4524).
const SAME: [[&str; 2]; 5] = [
    ["mail", "rfc822mailbox"],
    ["uid", "userid"],
    ["cn", "commonname"],
    ["sn", "surname"],
    ["ou", "organizationalunitname"],
];

impl ServerIndexes {
    /// The indexes of an OpenLDAP database by its `olcDbIndex` values (slapd-mdb(5)): attributes, and the kinds of their
    /// indexes. A value without kinds has those of the value for `default` before it.
    #[must_use]
    pub fn of_openldap<'v>(server: &str, values: impl IntoIterator<Item = &'v str>) -> Self {
        let mut default = false;
        let mut equality = BTreeSet::new();
        for value in values {
            let value = match value.split_once('}') {
                Some((number, rest)) if number.starts_with('{') => rest,
                _ => value,
            };
            let mut words = value.split_whitespace();
            let attributes = words.next().unwrap_or_default();
            let kinds = words.next();
            let has = match kinds {
                Some(kinds) => kinds.split(',').any(|kind| kind == "eq"),
                None => default,
            };
            if attributes == "default" {
                default = has;
            } else if has {
                equality.extend(attributes.split(',').map(str::to_ascii_lowercase));
            }
        }
        Self {
            server: server.to_owned(),
            equality,
        }
    }

    /// Whether there is an equality index for an attribute, given in lower case.
    #[must_use]
    pub fn has_equality(&self, attribute: &str) -> bool {
        let same = SAME.iter().find(|names| names.contains(&attribute));
        match same {
            Some(names) => names.iter().any(|name| self.equality.contains(*name)),
            None => self.equality.contains(attribute),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// slapd-mdb(5), slapd.conf(5) "index".
    #[test]
    fn indexes_of_openldap_are_read() {
        let of = |values: &[&str]| ServerIndexes::of_openldap("ldap://x", values.iter().copied());
        let one = of(&[
            "objectClass eq",
            "{1}rfc822Mailbox,alias pres,eq,sub",
            "cn sub",
        ]);
        for (attribute, expected) in [
            ("mail", true),
            ("alias", true),
            ("cn", false),
            ("uid", false),
        ] {
            assert_eq!(one.has_equality(attribute), expected, "{attribute}");
        }
        let two = of(&["sn", "default pres,eq", "mail", "uid sub"]);
        for (attribute, expected) in [("sn", false), ("mail", true), ("uid", false)] {
            assert_eq!(two.has_equality(attribute), expected, "{attribute}");
        }
    }
}
