//! Checks the types of the tables that values name, and finds the host's files that Postfix opens as tables.

use std::collections::BTreeMap;

use super::settings::DesiredSettings;
use super::{Found, Values, Work, configuration_of, view_of};
use crate::diagnostic::Diagnostic;
use crate::name::{RemotePath, TableType};
use crate::postfix::catalogue::tables as catalogue;
use crate::postfix::configuration::{Expanded, ValueSource};
use crate::state::Want;
use crate::thing::Thing;

/// Table types of Debian's Postfix that need a package of their own.
const PACKAGES: [&str; 9] = [
    "cdb", "ldap", "lmdb", "mongodb", "mysql", "pcre", "pgsql", "sqlite", "sdbm",
];

/// Checks the table types in a value. A type that no Postfix release has is an error. A type that only this host lacks
/// needs a package.
pub(super) fn check_types(
    values: &Values<'_>,
    thing: &Thing,
    name: &str,
    text: &str,
    found: &mut Found,
) {
    let facts = values.facts;
    let at = |word: &str| (values.place_of)(thing, word);
    for word in catalogue::untyped(name, text) {
        let problem = Diagnostic::error(format!("`{word}` in `{thing}` has no table type"))
            .at(at(&word), "")
            .detail(DIES)
            .hint(format!(
                "write `TYPE:{word}`, with a type such as `hash` or `ldap`"
            ));
        found.error(thing, problem);
    }
    let mut said: Vec<String> = Vec::new();
    for kind in catalogue::types_of(name, text) {
        if facts.table_types.contains(&kind) || said.contains(&kind) {
            continue;
        }
        if catalogue::is_type(&kind) {
            let problem = Diagnostic::error(format!(
                "this host has no table type `{kind}`, which `{thing}` uses"
            ))
            .at(at(&format!("{kind}:")), "")
            .detail(if facts.observed() {
                "`postconf -m` of this host does not list it"
            } else {
                "it is not among the table types that are assumed for this host"
            })
            .hint(install_hint(&kind, facts.observed()));
            found.error_or_guess(facts, thing, problem);
        } else {
            let problem = Diagnostic::error(format!("unknown table type `{kind}` in `{thing}`"))
                .at(at(&format!("{kind}:")), "")
                .detail(DIES);
            let problem = match catalogue::nearest(&kind) {
                Some(near) => problem.hint(format!("did you mean `{near}:`?")),
                None if kind.starts_with(|first: char| first.is_ascii_digit()) => {
                    problem.hint("write an IPv6 address in brackets, as in `[2001:db8::1]`")
                }
                None => {
                    problem.hint("list a type of another package under `facts: {table_types: …}`")
                }
            };
            found.error(thing, problem);
        }
        said.push(kind);
    }
}

const DIES: &str = "every program that opens the table would stop with a fatal error";

fn install_hint(kind: &str, observed: bool) -> String {
    let install = if PACKAGES.contains(&kind) {
        format!("install `postfix-{kind}` on the host, or use another type")
    } else {
        "use another type, as `postconf -m` lists them".to_owned()
    };
    if observed {
        install
    } else {
        format!("{install}; if the host has it, list it under `facts: {{table_types: …}}`")
    }
}

impl Work<'_> {
    /// Marks the host's files that a value names as tables, each with the table type.
    pub(in crate::compile) fn find_tables(&mut self) {
        let mut opened: BTreeMap<RemotePath, TableType> = BTreeMap::new();
        let settings = DesiredSettings(&self.compiled.wanted().values);
        let configuration = configuration_of(&settings, self.facts);
        for (thing, want) in &self.compiled.wanted().values {
            let Want::Present(value) = want else {
                continue;
            };
            opened.extend(tables(value));
            if value.contains('$') {
                let expanded = view_of(configuration, thing).expand(value);
                opened.extend(certain(expanded).iter().flat_map(|text| tables(text)));
            }
        }
        for (path, want) in &mut self.compiled.wanted_mut().files {
            if let Want::Present(file) = want
                && let Some(kind) = opened.get(path)
            {
                file.table = Some(kind.clone());
            }
        }
    }
}

/// The text of an expanded value; none if it is not known, or depends on a default that the host's main.cf may change.
pub(super) fn certain(expanded: Expanded) -> Option<String> {
    let is_assumed = |(_, source): &(String, ValueSource)| *source == ValueSource::Assumed;
    let assumed = expanded.uses.iter().any(is_assumed);
    expanded.text.ok().filter(|_| !assumed)
}

/// Every `type:/path` in a value, without a `proxy:` before it. A table whose type is a `$parameter` is left out: only the
/// host knows the type.
pub(in crate::compile) fn tables(value: &str) -> Vec<(RemotePath, TableType)> {
    let mut found = Vec::new();
    for (at, _) in value.match_indices(":/") {
        let kind: String = value[..at]
            .chars()
            .rev()
            .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        if value[..at - kind.len()].ends_with('$') {
            continue;
        }
        let path: String = value[at + 1..]
            .chars()
            .take_while(|character| !character.is_whitespace() && !",{}()".contains(*character))
            .collect();
        if let (Ok(kind), Ok(path)) = (TableType::new(kind), RemotePath::new(path))
            && kind.as_str() != "unix"
        {
            found.push((path, kind));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_behind_proxy_and_in_lists() {
        let found = tables("proxy:ldap:/etc/postfix/a.cf, hash:/etc/postfix/b lmtp:unix:/run/x");
        let texts: Vec<String> = found
            .iter()
            .map(|(path, kind)| format!("{kind}:{path}"))
            .collect();
        assert_eq!(texts, ["ldap:/etc/postfix/a.cf", "hash:/etc/postfix/b"]);
    }

    #[test]
    fn a_type_that_only_the_host_knows_is_not_guessed() {
        assert_eq!(tables("$default_database_type:/etc/postfix/a"), []);
    }

    #[test]
    fn a_table_is_found_by_a_name_that_is_set_and_not_by_a_default()
    -> Result<(), Box<dyn std::error::Error>> {
        use crate::state::Facts;
        let name: Thing = "main.cf:maps".parse()?;
        let values = BTreeMap::from([(name, Want::Present("/etc/postfix/maps".to_owned()))]);
        let settings = DesiredSettings(&values);
        let facts = Facts::debian();
        let main = configuration_of(&settings, &facts).main();
        let text = certain(main.expand("hash:$maps/a")).unwrap_or_default();
        assert_eq!(tables(&text).len(), 1, "{text}");
        assert_eq!(certain(main.expand("hash:$config_directory/a")), None);
        Ok(())
    }
}
