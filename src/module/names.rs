//! The names that templates see, and the search for those that they cannot see.
//!
//! Tera 2.4 takes an undefined name in `{% if typo %}` for false (`{{ typo }}` is an error), so a
//! misspelt name would silently switch something off. The first two parts of each dotted name are
//! therefore compared with what there is, before anything is rendered.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::nearest::nearest;

/// What `murder` has.
pub const MURDER: &[&str] = &[
    "name",
    "topology",
    "domains",
    "alias_domains",
    "postuser",
    "servers",
    "smart_host",
    "recipient_delimiter",
    "shared_folders",
    "server_folders",
    "edges",
    "edge_networks",
    "inner_networks",
    "relay_networks",
    "edges_without_address",
    "inner_without_address",
    "relays_without_address",
];

/// What `host` has.
pub const HOST: &[&str] = &[
    "name",
    "roles",
    "site",
    "mailhost",
    "myhostname",
    "state",
    "addresses",
    "networks",
    "lmtp",
    "lmtp_socket",
    "lmtp_for_all",
    "has_ldap",
    "ldap",
    "directories",
    "alias_directories",
    "directory",
    "shared_folders",
];

/// What `host.ldap` has.
pub const LDAP: &[&str] = &[
    "uris", "base", "scope", "filter", "prefixes", "bind_dn", "bind_pw", "sasl", "tls", "timeout",
];

/// What `facts` has.
pub const FACTS: &[&str] = &[
    "postfix_version",
    "distribution",
    "index_type",
    "default_database_type",
    "lmtp_socket",
    "table_types",
];

/// A name that is not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    /// The name as written.
    pub name: String,
    /// Where in the template.
    pub at: Range<usize>,
    /// The nearest right name.
    pub nearest: Option<String>,
}

/// Finds every `murder.…`, `host.…`, `vars.…` and `facts.…` of a template that does not exist.
pub(super) fn unknown(text: &str, vars: &BTreeSet<&str>) -> Vec<Unknown> {
    let mut found = Vec::new();
    for code in code_ranges(text) {
        for (path, at) in dotted_names(&text[code.clone()], code.start) {
            let mut parts = path.split('.');
            let root = parts.next().unwrap_or_default();
            let Some(second) = parts.next() else { continue };
            let mut check = |name: &str, whole: String, known: &mut dyn Iterator<Item = &str>| {
                let known: Vec<&str> = known.collect();
                if !known.contains(&name) {
                    found.push(Unknown {
                        name: whole,
                        at: at.clone(),
                        nearest: nearest(name, &known).map(str::to_owned),
                    });
                }
            };
            let whole = format!("{root}.{second}");
            match root {
                "murder" => check(second, whole, &mut MURDER.iter().copied()),
                "facts" => check(second, whole, &mut FACTS.iter().copied()),
                "vars" => check(second, whole, &mut vars.iter().copied()),
                "host" => {
                    check(second, whole, &mut HOST.iter().copied());
                    if second == "ldap"
                        && let Some(third) = parts.next()
                    {
                        check(
                            third,
                            format!("host.ldap.{third}"),
                            &mut LDAP.iter().copied(),
                        );
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// The variables that a template names itself.
pub(super) fn variables(text: &str) -> BTreeSet<String> {
    code_ranges(text)
        .into_iter()
        .flat_map(|code| dotted_names(&text[code.clone()], code.start))
        .filter_map(|(path, _)| {
            let mut parts = path.split('.');
            (parts.next() == Some("vars")).then(|| parts.next().map(str::to_owned))?
        })
        .collect()
}

/// The texts between `{{` and `}}` or `{%` and `%}`.
fn code_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('{') {
        let open = at + open;
        let close = match text.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = open + 1;
                continue;
            }
        };
        let start = open + 2;
        let Some(end) = text[start..].find(close).map(|end| start + end) else {
            break;
        };
        if close != "#}" {
            ranges.push(start..end);
        }
        at = end + 2;
    }
    ranges
}

/// Every dotted name outside of strings, with its place in the whole template.
fn dotted_names(code: &str, offset: usize) -> Vec<(&str, Range<usize>)> {
    let mut names = Vec::new();
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if matches!(byte, b'"' | b'\'' | b'`') {
            at += 1;
            while at < bytes.len() && bytes[at] != byte {
                at += 1;
            }
            at += 1;
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            let start = at;
            while at < bytes.len()
                && (bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'_' | b'.'))
            {
                at += 1;
            }
            if start == 0 || bytes[start - 1] != b'.' {
                names.push((&code[start..at], offset + start..offset + at));
            }
        } else {
            at += 1;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_in_a_condition_is_found() {
        let text =
            "{% if vars.layot == \"host.typo\" %}{{ host.name }}{# host.nonsense #}{% endif %}";
        let found = unknown(text, &BTreeSet::from(["layout"]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "vars.layot");
        assert_eq!(found[0].nearest.as_deref(), Some("layout"));
        assert_eq!(&text[found[0].at.clone()], "vars.layot");
    }

    #[test]
    fn the_directory_is_looked_into() {
        let found = unknown("{{ host.ldap.bind_pww }}", &BTreeSet::new());
        assert_eq!(found[0].name, "host.ldap.bind_pww");
    }
}
