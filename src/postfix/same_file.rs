//! Tells whether Postfix reads two texts of a lookup table's file as the same: layout, comments and the order of what has
//! no order do not count.

use std::collections::BTreeMap;

use super::lines::logical_lines;
use super::text::{collapse, lossy, split_name_value};

/// The settings of ldap_table(5) that have a default in every release, with it. `version` has none: distributions differ.
const LDAP_DEFAULTS: [(&str, &str); 9] = [
    ("bind", "yes"),
    ("chase_referrals", "0"),
    ("dereference", "0"),
    ("expansion_limit", "0"),
    ("recursion_limit", "1000"),
    ("scope", "sub"),
    ("server_port", "389"),
    ("start_tls", "no"),
    ("timeout", "10"),
];

/// Whether a program of Postfix that opens the file as a table of type `kind` reads the same from both texts. Where nothing
/// is known of the type, only equal texts are the same.
///
/// A description of a database (`ldap:`) is compared by its settings, an indexed table (`hash:`) by its entries, and a
/// table whose lines are tried in turn (`regexp:`) line by line.
#[must_use]
pub fn same_table_file(kind: &str, left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    match kind {
        "ldap" => {
            let of = |text| settings(text).map(without_defaults);
            both(of(left), of(right))
        }
        "mysql" | "pgsql" | "sqlite" | "memcache" => both(settings(left), settings(right)),
        "btree" | "cdb" | "dbm" | "hash" | "lmdb" | "sdbm" => both(entries(left), entries(right)),
        "cidr" | "pcre" | "regexp" | "texthash" => lines(left) == lines(right),
        _ => false,
    }
}

fn both<T: PartialEq>(left: Option<T>, right: Option<T>) -> bool {
    left.is_some() && left == right
}

/// The settings of a file of `name = value` lines, where the last of a name counts. None where a line is no setting, or
/// Postfix drops one (a first line that begins with a blank).
#[must_use]
pub fn settings(text: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for line in logical_lines(text.as_bytes()) {
        if line.dropped {
            return None;
        }
        let (name, value) = split_name_value(&line.text).ok()?;
        // Runs of blanks are not collapsed: a password may have them. Line ends within a value are one blank.
        found.insert(lossy(name), lossy(value));
    }
    Some(found)
}

fn without_defaults(mut settings: BTreeMap<String, String>) -> BTreeMap<String, String> {
    settings.retain(|name, value| !LDAP_DEFAULTS.contains(&(name.as_str(), value.as_str())));
    // Filters may be folded.
    for name in ["query_filter", "server_host", "domain", "result_attribute"] {
        if let Some(value) = settings.get_mut(name) {
            *value = lossy(&collapse(value.as_bytes()));
        }
    }
    settings
}

/// The entries of the source of an indexed table, with keys in lower case as postmap(1) folds them. None where a key comes
/// twice, because which one counts depends on the type.
fn entries(text: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for line in lines(text) {
        let line = lossy(&line);
        let (key, value) = line.split_once([' ', '\t'])?;
        let twice = found.insert(key.to_lowercase(), value.trim().to_owned());
        if twice.is_some() {
            return None;
        }
    }
    Some(found)
}

fn lines(text: &str) -> Vec<Vec<u8>> {
    let lines = logical_lines(text.as_bytes());
    lines.iter().map(|line| collapse(&line.text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldap_files_are_compared_by_their_settings() {
        let plain = "server_host = a\nsearch_base = dc=x\nversion = 3\n";
        let same = |other: &str| same_table_file("ldap", plain, other);
        assert!(same(
            "# by hand\nversion=3\nsearch_base = dc=x\n\nserver_host =\n  a\n"
        ));
        assert!(same(&format!("{plain}scope = sub\ntimeout = 10\n")));
        assert!(same(&format!("server_host = old\n{plain}")));
        assert!(!same(&format!("{plain}scope = one\n")));
        assert!(!same("server_host = a\nsearch_base = dc=x\n"));
        assert!(!same(&format!("  server_port = 390\n{plain}")));
        assert!(!same(&format!("{plain}no setting\n")));
    }

    #[test]
    fn indexed_tables_are_compared_by_their_entries() {
        let same = |one: &str, two: &str| same_table_file("hash", one, two);
        assert!(same(
            "a@x.org  b@x.org\nc@x.org d@x.org",
            "# c\nC@x.org\td@x.org\na@x.org b@x.org\n"
        ));
        assert!(!same("a b\n", "a b\nc d\n"));
        assert!(!same("a b\na c\n", "a c\na b\n"));
        assert!(!same("a b\n", "a B\n"));
    }

    #[test]
    fn lines_that_are_tried_in_turn_have_an_order() {
        let same = |one: &str, two: &str| same_table_file("regexp", one, two);
        assert!(same("/a/  OK\n/b/ DUNNO\n", "# c\n/a/ OK\n/b/ DUNNO"));
        assert!(!same("/a/ OK\n/b/ DUNNO\n", "/b/ DUNNO\n/a/ OK\n"));
        assert!(!same_table_file("unknown", "a\n", "a"));
    }
}
