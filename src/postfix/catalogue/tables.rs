//! Lookup tables in values: which parameters hold them, and of which types.

use super::restrictions;
use crate::nearest;
use crate::postfix::split_list;

/// Every table type of any Postfix up to 3.12 (DATABASE_README, and `debug` of postconf(1)), beside
/// those of other packages that dynamicmaps.cf may add.
const TYPES: [&str; 32] = [
    "btree",
    "cdb",
    "cidr",
    "dbm",
    "debug",
    "environ",
    "fail",
    "hash",
    "inline",
    "internal",
    "ldap",
    "lmdb",
    "memcache",
    "mongodb",
    "mysql",
    "netinfo",
    "nis",
    "nisplus",
    "pcre",
    "pgsql",
    "pipemap",
    "proxy",
    "randmap",
    "regexp",
    "sdbm",
    "socketmap",
    "sqlite",
    "static",
    "tcp",
    "texthash",
    "unionmap",
    "unix",
];

/// Ends of the names of parameters whose values are lists of tables, or of names and tables.
const ENDS: [&str; 9] = [
    "_maps",
    "_map",
    "_checks",
    "_domains",
    "_delivery_status_filter",
    "_reply_filter",
    "_command_filter",
    "_session_cache_database",
    "_exclusions",
];

/// Others of that kind.
const NAMES: [&str; 9] = [
    "alias_database",
    "authorized_flush_users",
    "authorized_mailq_users",
    "authorized_submit_users",
    "mydestination",
    "mynetworks",
    "postscreen_access_list",
    "relay_clientcerts",
    "smtpd_client_event_limit_exceptions",
];

/// Whether a parameter's value is made of lookup tables; in others `lmtp:unix:/path` is no table.
#[must_use]
pub fn holds_tables(name: &str) -> bool {
    ENDS.iter().any(|end| name.ends_with(end)) || NAMES.contains(&name)
}

/// Words of a list that is made of tables only, and that are none: `TYPE:` is missing. Other lists
/// hold names and files too.
#[must_use]
pub fn untyped(name: &str, value: &str) -> Vec<String> {
    // Those of proxymap(8) are names of parameters.
    if !name.ends_with("_maps") || name.starts_with("proxy_") {
        return Vec::new();
    }
    let mut words = split_list(value);
    words.retain(|word| !word.contains([':', '$']));
    words
}

/// Whether any Postfix has such a table type.
#[must_use]
pub fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}

/// The table type that is most like this word, if any is.
#[must_use]
pub fn nearest(word: &str) -> Option<&'static str> {
    // `hsah` and `hash` have 0.75.
    nearest::nearest(&word.to_ascii_lowercase(), TYPES)
}

/// The table types in a parameter's value, where it holds tables or restrictions.
#[must_use]
pub fn types_of(name: &str, value: &str) -> Vec<String> {
    if restrictions::is_list(name) {
        let tables = restrictions::read(value).tables;
        tables.iter().flat_map(|table| types(table)).collect()
    } else if holds_tables(name) {
        types(value)
    } else {
        Vec::new()
    }
}

/// The types of all tables in a list, also of those behind `proxy:` and inside `unionmap:{…}`.
/// Where a type is a `$name`, it is not for the reader of one value to say.
#[must_use]
pub fn types(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in split_list(value) {
        of_word(&word, &mut found);
    }
    found
}

fn of_word(word: &str, found: &mut Vec<String>) {
    let word = word.trim_start_matches('!');
    // `[::1]/128` and `$name:` are no types.
    let Some((kind, rest)) = word.split_once(':') else {
        return;
    };
    if kind.is_empty()
        || !kind
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return;
    }
    found.push(kind.to_owned());
    match kind {
        "proxy" | "debug" => of_word(rest, found),
        "unionmap" | "pipemap" => {
            let inner = rest
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            for word in inner.map(split_list).unwrap_or_default() {
                of_word(&word, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_wherever_a_table_stands() {
        assert_eq!(types("hash:/a, ldap:/b"), ["hash", "ldap"]);
        assert_eq!(types("proxy:hsah:/a"), ["proxy", "hsah"]);
        assert_eq!(
            types("unionmap:{hash:/a, proxy:lmdb:/b}"),
            ["unionmap", "hash", "proxy", "lmdb"]
        );
        assert_eq!(
            types("inline:{a=hash:/b, c=d} !static:x"),
            ["inline", "static"]
        );
    }

    #[test]
    fn what_is_no_table_has_no_type() {
        assert_eq!(
            types("[::1]/128, ![fe80::]/64, example.org, /etc/file, $x, $kind:/a, ${kind}:/a"),
            [""; 0]
        );
    }

    #[test]
    fn a_table_has_a_type() {
        assert_eq!(
            untyped("transport_maps", "/etc/postfix/x, $y hash:/z"),
            ["/etc/postfix/x"]
        );
        assert_eq!(untyped("relay_domains", "example.org /etc/file"), [""; 0]);
        assert_eq!(untyped("proxy_read_maps", "virtual_alias_maps"), [""; 0]);
    }

    #[test]
    fn the_nearest_type_is_named() {
        assert_eq!(nearest("hsah"), Some("hash"));
        assert_eq!(nearest("Hash"), Some("hash"));
        assert_eq!(nearest("lmbd"), Some("lmdb"));
        assert_eq!(nearest("xyz"), None);
    }
}
