//! Databases that main.cf itself defines: `alias_maps = ldap:people` with `people_server_host = …`.
//!
//! ldap_table(5) and its neighbours call these parameters obsolete, and Postfix still reads them. postconf(1) knows the
//! names for these types and endings only.

use crate::postfix::split_list;

const LDAP: &[&str] = &[
    "bind",
    "bind_dn",
    "bind_pw",
    "cache",
    "cache_expiry",
    "cache_size",
    "chase_referrals",
    "debuglevel",
    "dereference",
    "domain",
    "expansion_limit",
    "leaf_result_attribute",
    "query_filter",
    "recursion_limit",
    "result_attribute",
    "result_filter",
    "result_format",
    "sasl_authz_id",
    "sasl_mechs",
    "sasl_minssf",
    "sasl_realm",
    "scope",
    "search_base",
    "server_host",
    "server_port",
    "size_limit",
    "special_result_attribute",
    "start_tls",
    "terminal_result_attribute",
    "timeout",
    "tls_ca_cert_dir",
    "tls_ca_cert_file",
    "tls_cert",
    "tls_cipher_suite",
    "tls_key",
    "tls_random_file",
    "tls_require_cert",
    "version",
];

const MYSQL: &[&str] = &[
    "additional_conditions",
    "dbname",
    "domain",
    "expansion_limit",
    "hosts",
    "option_file",
    "option_group",
    "password",
    "query",
    "require_result_set",
    "result_format",
    "select_field",
    "table",
    "tls_CAfile",
    "tls_CApath",
    "tls_cert_file",
    "tls_ciphers",
    "tls_key_file",
    "tls_verify_cert",
    "user",
    "where_field",
];

const PGSQL: &[&str] = &[
    "additional_conditions",
    "dbname",
    "domain",
    "expansion_limit",
    "hosts",
    "password",
    "query",
    "result_format",
    "select_field",
    "select_function",
    "table",
    "user",
    "where_field",
];

const SQLITE: &[&str] = &[
    "additional_conditions",
    "dbpath",
    "domain",
    "expansion_limit",
    "query",
    "result_format",
    "select_field",
    "table",
    "where_field",
];

/// Endings of the parameters that hold a password, which every user of the host can read in main.cf.
const PASSWORDS: [&str; 2] = ["bind_pw", "password"];

/// The parameters that may define the databases which an expanded value names.
#[must_use]
pub fn parameters(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

/// Whether a parameter of [`parameters`] holds a password.
#[must_use]
pub fn is_password(name: &str) -> bool {
    PASSWORDS.iter().any(|end| {
        name.strip_suffix(end)
            .is_some_and(|rest| rest.ends_with('_'))
    })
}

fn collect(value: &str, found: &mut Vec<String>) {
    for word in split_list(value) {
        if let Some(inner) = word.strip_prefix('{') {
            collect(inner.strip_suffix('}').unwrap_or(inner), found);
            continue;
        }
        let mut table = word.as_str();
        while let Some(rest) = table.strip_prefix("proxy:") {
            table = rest;
        }
        let Some((kind, name)) = table.split_once(':') else {
            continue;
        };
        let suffixes = match kind {
            "ldap" => LDAP,
            "mysql" => MYSQL,
            "pgsql" => PGSQL,
            "sqlite" => SQLITE,
            "unionmap" | "pipemap" => {
                collect(name, found);
                continue;
            }
            _ => continue,
        };
        // A path is a file that defines the database.
        if !name.starts_with(['/', '.']) {
            found.extend(suffixes.iter().map(|suffix| format!("{name}_{suffix}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_password, parameters};

    #[test]
    fn a_database_of_main_cf_has_its_parameters() {
        for value in [
            "hash:/etc/aliases, ldap:q",
            "proxy:ldap:q",
            "unionmap:{ldap:q, x:y}",
            "{ldap:q, permit}",
        ] {
            assert!(
                parameters(value).contains(&"q_server_host".to_owned()),
                "{value}"
            );
        }
        for value in ["ldap:/etc/q.cf", "ldap:./q", "debug:ldap:q", "!ldap:q", "q"] {
            assert_eq!(parameters(value), [""; 0], "{value}");
        }
        assert!(parameters("mysql:q").contains(&"q_hosts".to_owned()));
        assert!(!parameters("sqlite:q").contains(&"q_hosts".to_owned()));
    }

    #[test]
    fn a_password_is_told_by_its_ending() {
        assert!(is_password("q_bind_pw") && is_password("q_password"));
        assert!(!is_password("q_bind_dn") && !is_password("bind_pw"));
    }
}
