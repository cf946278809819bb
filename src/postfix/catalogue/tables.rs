//! Lookup tables in values: which parameters hold them, and of which types.

use std::fmt;

use super::restrictions;
use crate::nearest;
use crate::postfix::split_list;

/// Every table type of Postfix up to 3.12 (DATABASE_README, and `debug` in postconf(1)). Other packages may add types in
/// dynamicmaps.cf.
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

/// Endings of parameter names whose values are lists of tables, or of names and tables. New parameters of later releases
/// and a site's own parameters mostly follow them.
const ENDS: [&str; 14] = [
    "_authorized_xclient_hosts",
    "_authorized_xforward_hosts",
    "_checks",
    "_command_filter",
    "_connection_cache_destinations",
    "_delivery_status_filter",
    "_domains",
    "_exclusions",
    "_map",
    "_maps",
    "_reply_filter",
    "_sasl_mechanism_filter",
    "_tls_per_site",
    "_client_per_site",
];

/// Other parameters of that kind: postconf(5) documents `type:table` for them.
const NAMES: [&str; 20] = [
    "authorized_flush_users",
    "authorized_mailq_users",
    "authorized_submit_users",
    "authorized_verp_clients",
    "debug_peer_list",
    "masquerade_exceptions",
    "mydestination",
    "mynetworks",
    "permit_mx_backup_networks",
    "postscreen_access_list",
    "postscreen_allowlist_interfaces",
    "postscreen_whitelist_interfaces",
    "qmqpd_authorized_clients",
    "relay_clientcerts",
    "smtpd_authorized_verp_clients",
    "smtpd_client_connection_limit_exceptions",
    "smtpd_client_event_limit_exceptions",
    "smtpd_log_access_permit_actions",
    "smtpd_sasl_exceptions_networks",
    "tlsproxy_client_policy",
];

/// Endings of parameter names that name a cache. The program that uses the cache creates it.
const CACHE_ENDS: [&str; 3] = [
    "_cache_map",
    "_sasl_auth_cache_name",
    "_session_cache_database",
];

/// A cache parameter whose name has none of these endings.
const CACHE: &str = "address_verify_map";

/// The tables that newaliases(1) creates. local(8) opens `alias_maps`.
const ALIAS_DATABASE: &str = "alias_database";

/// Lists of tables that proxymap(8) opens for other programs: it compares requests with them.
const ALLOWED: [&str; 2] = ["proxy_read_maps", "proxy_write_maps"];

/// Names with one of these endings whose values are plain text to Postfix.
const PLAIN: [&str; 2] = ["maps_rbl_domains", "masquerade_domains"];

/// What the tables in a parameter's value are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A Postfix program opens each table for reading.
    Tables,
    /// A Postfix program creates the table; it may be absent.
    Cache,
    /// newaliases(1) creates the table.
    Made,
    /// The tables are only named: programs may open them through proxymap(8).
    Allowed,
}

/// What the tables in a parameter's value are for; none if `type:name` in it is not a table (`lmtp:unix:/path`).
/// Lists of access restrictions also hold other words: see [`restrictions`].
#[must_use]
pub fn holds(name: &str) -> Option<Holds> {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if PLAIN.contains(&name) {
        None
    } else if ALLOWED.contains(&name) {
        Some(Holds::Allowed)
    } else if name == ALIAS_DATABASE {
        Some(Holds::Made)
    } else if name == CACHE || ends(&CACHE_ENDS) {
        Some(Holds::Cache)
    } else {
        (ends(&ENDS) || NAMES.contains(&name)).then_some(Holds::Tables)
    }
}

/// Whether a parameter's value is a list of lookup tables, or of names and tables.
#[must_use]
pub fn holds_tables(name: &str) -> bool {
    holds(name).is_some()
}

/// Whether a Postfix program opens the tables in a parameter's value for reading, including those in a list of access
/// restrictions. If one is missing, the program stops with a fatal error or mail is deferred.
#[must_use]
pub fn opens_tables(name: &str) -> bool {
    holds(name) == Some(Holds::Tables) || restrictions::is_list(name)
}

/// [`opens_tables`] for the shell program on a host, as two regular expressions of awk(1). A parameter opens tables if
/// the first matches its name and the second does not.
#[must_use]
pub fn opening_patterns() -> (String, String) {
    let any = |words: &[&str]| words.join("|");
    let opens = format!(
        "(({})|^({}))$",
        any(&[&ENDS[..], &[restrictions::END]].concat()),
        any(&[&NAMES[..], &[restrictions::REWRITE_CLIENTS]].concat()),
    );
    let not = format!(
        "(({})|^({}))$",
        any(&CACHE_ENDS),
        any(&[
            &PLAIN[..],
            &ALLOWED,
            &[CACHE, ALIAS_DATABASE, restrictions::ORDER]
        ]
        .concat()),
    );
    (opens, not)
}

/// The words without a `TYPE:` in a list that may hold only tables. Other lists also hold names and files.
#[must_use]
pub fn untyped(name: &str, value: &str) -> Vec<String> {
    // The lists of proxymap(8) hold names of parameters.
    if !name.ends_with("_maps") || name.starts_with("proxy_") {
        return Vec::new();
    }
    let mut words = split_list(value);
    words.retain(|word| !word.contains([':', '$']));
    words
}

/// Whether any Postfix release has a table type.
#[must_use]
pub fn is_type(name: &str) -> bool {
    TYPES.contains(&name)
}

/// The table type that is most similar to a word, if one is similar enough.
#[must_use]
pub fn nearest(word: &str) -> Option<&'static str> {
    // The similarity of `hsah` and `hash` is 0.75.
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

/// A lookup table that a value names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table {
    /// Its type: `ldap`.
    pub kind: String,
    /// The text after the type and its colon: a path, or another argument of the type.
    pub name: String,
    /// Whether proxymap(8) opens it, as user postfix.
    pub proxied: bool,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = if self.proxied { "proxy:" } else { "" };
        write!(f, "{proxy}{}:{}", self.kind, self.name)
    }
}

/// The tables of an expanded list, in their order. `unionmap:{…}` and `pipemap:{…}` give the tables in their braces.
#[must_use]
pub fn read(value: &str) -> Vec<Table> {
    let mut found = Vec::new();
    for word in split_list(value) {
        read_word(&word, false, &mut found);
    }
    found
}

fn read_word(word: &str, proxied: bool, found: &mut Vec<Table>) {
    let Some((kind, rest)) = split_type(word) else {
        return;
    };
    match (kind, members_of(rest)) {
        ("proxy", _) => read_word(rest, true, found),
        ("debug", _) => read_word(rest, proxied, found),
        ("unionmap" | "pipemap", Some(members)) => {
            for member in members {
                read_word(&member, proxied, found);
            }
        }
        _ => found.push(Table {
            kind: kind.to_owned(),
            name: rest.to_owned(),
            proxied,
        }),
    }
}

/// The type of a table and the text after it. `[::1]/128` and `$name:` have no type.
fn split_type(word: &str) -> Option<(&str, &str)> {
    let (kind, rest) = word.trim_start_matches('!').split_once(':')?;
    let is_type = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!kind.is_empty() && kind.bytes().all(is_type)).then_some((kind, rest))
}

/// The tables in the braces of `unionmap:{…}`.
fn members_of(rest: &str) -> Option<Vec<String>> {
    let inner = rest.strip_prefix('{')?.strip_suffix('}')?;
    Some(split_list(inner))
}

/// The types of all tables in a list, including those after `proxy:` and inside `unionmap:{…}`. A type that is a `$name`
/// is left out: it depends on other parameters.
#[must_use]
pub fn types(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in split_list(value) {
        of_word(&word, &mut found);
    }
    found
}

fn of_word(word: &str, found: &mut Vec<String>) {
    let Some((kind, rest)) = split_type(word) else {
        return;
    };
    found.push(kind.to_owned());
    match kind {
        "proxy" | "debug" => of_word(rest, found),
        "unionmap" | "pipemap" => {
            for word in members_of(rest).unwrap_or_default() {
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
    fn every_parameter_that_holds_tables_is_known_by_what_they_are_for() {
        for (name, holds_what) in [
            ("relay_clientcerts", Some(Holds::Tables)),
            ("smtpd_client_event_limit_exceptions", Some(Holds::Tables)),
            ("smtpd_forbid_bare_newline_exclusions", Some(Holds::Tables)),
            ("authorized_flush_users", Some(Holds::Tables)),
            ("authorized_mailq_users", Some(Holds::Tables)),
            ("authorized_submit_users", Some(Holds::Tables)),
            ("permit_mx_backup_networks", Some(Holds::Tables)),
            ("qmqpd_authorized_clients", Some(Holds::Tables)),
            ("smtpd_authorized_verp_clients", Some(Holds::Tables)),
            ("smtpd_sasl_exceptions_networks", Some(Holds::Tables)),
            ("smtpd_authorized_xclient_hosts", Some(Holds::Tables)),
            ("smtpd_authorized_xforward_hosts", Some(Holds::Tables)),
            ("debug_peer_list", Some(Holds::Tables)),
            ("masquerade_exceptions", Some(Holds::Tables)),
            ("postscreen_allowlist_interfaces", Some(Holds::Tables)),
            ("smtpd_log_access_permit_actions", Some(Holds::Tables)),
            ("smtp_connection_cache_destinations", Some(Holds::Tables)),
            ("lmtp_sasl_mechanism_filter", Some(Holds::Tables)),
            ("smtp_tls_per_site", Some(Holds::Tables)),
            ("tlsproxy_client_per_site", Some(Holds::Tables)),
            ("virtual_alias_domains", Some(Holds::Tables)),
            ("address_verify_map", Some(Holds::Cache)),
            ("postscreen_cache_map", Some(Holds::Cache)),
            ("smtpd_tls_session_cache_database", Some(Holds::Cache)),
            ("lmtp_sasl_auth_cache_name", Some(Holds::Cache)),
            ("alias_database", Some(Holds::Made)),
            ("proxy_read_maps", Some(Holds::Allowed)),
            ("broken_sasl_auth_clients", None),
            ("masquerade_domains", None),
            ("maps_rbl_domains", None),
            ("mailbox_transport", None),
        ] {
            assert_eq!(holds(name), holds_what, "{name}");
            assert_eq!(
                opens_tables(name),
                holds_what == Some(Holds::Tables),
                "{name}"
            );
        }
        assert!(opens_tables("smtpd_sender_restrictions"));
        assert!(opens_tables("local_header_rewrite_clients"));
        assert!(!opens_tables("smtpd_relay_before_recipient_restrictions"));
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
