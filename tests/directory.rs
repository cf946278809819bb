//! LDAP as sites have it: what the keys of `ldap:` become in the tables of each host.

use std::fs;
use std::process::Command;

const HEAD: &str = "version: 1\nmurder: example.org\ndomains: [example.org]\n";
const HOSTS: &str = "hosts:\n  mx.example.org: {roles: [internet-mta], addresses: [192.0.2.6], vars: {recipient_check: ldap}}\n  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n  backend1.example.org: {roles: [backend], site: east, addresses: [192.0.2.11]}\n";

/// The LDAP tables that `murder render` gives for a host; `check` has no word about the manifest.
#[track_caller]
fn tables(host: &str, manifest: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("m.yaml"), manifest).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
        command.current_dir(folder.path()).env("PW", "secret");
        let output = command.args(words).arg("m.yaml").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success() && !said.contains("warning"),
            "{said}"
        );
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["check"]);
    let host = format!("{host}.example.org");
    let all = run(&["render", "--host", &host]);
    all.split("\n## ")
        .filter(|part| part.contains("\nquery_filter = "))
        .map(str::to_owned)
        .collect()
}

fn value<'t>(table: &'t str, name: &str) -> Option<&'t str> {
    let start = format!("{name} = ");
    table.lines().find_map(|line| line.strip_prefix(&start))
}

#[test]
fn the_condition_of_a_site_is_in_each_query() {
    let ldap = "ldap:\n  uris: [\"ldap://ldap.example.org\"]\n  base: dc=example,dc=org\n  filter: (&(status=100%)(!(title=left \\2a)))\nsites: {east: {ldap: {filter: (status=east)}}}\n";
    let manifest = [HEAD, ldap, HOSTS].concat();
    let plain = [
        HEAD,
        &ldap.replace("  filter: (&(status=100%)(!(title=left \\2a)))\n", ""),
        HOSTS,
    ]
    .concat();
    for (host, count, condition) in [
        ("mx", 4, "(&(status=100%%)(!(title=left \\2a)))"),
        ("smtp", 7, "(&(status=100%%)(!(title=left \\2a)))"),
        // The site's own takes the place of the murder's.
        ("backend1", 3, "(status=east)"),
    ] {
        let tables = tables(host, &manifest);
        assert!(tables.len() >= count, "{host}: {}", tables.len());
        for table in &tables {
            let query = value(table, "query_filter").unwrap();
            assert!(query.starts_with(&format!("(&{condition}(")), "{query}");
            let open = query.matches('(').count();
            assert_eq!(open, query.matches(')').count(), "{query}");
        }
        if host != "backend1" {
            // Without the key, the queries are what they were.
            let without = self::tables(host, &plain);
            for (table, plain) in tables.iter().zip(&without) {
                let query = value(table, "query_filter").unwrap();
                let query = query.replacen(condition, "", 1);
                let before = value(plain, "query_filter").unwrap();
                assert!(
                    query == before || query == format!("(&{before})"),
                    "{query}\n{before}"
                );
            }
        }
    }
}

#[test]
fn addresses_with_a_prefix_are_asked_for_with_it() {
    let ldap = "ldap: {uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\", prefixes: {proxyAddresses: \"smtp:\", other: \"x*\"}}\n";
    let modules = "modules:\n  internal-mta: {vars: {alias_attribute: proxyAddresses}}\n  internet-mta: {vars: {alias_attribute: proxyAddresses}}\n  backend: {vars: {alias_attribute: other}}\nsites: {east: {}}\n";
    let manifest = [HEAD, ldap, modules, HOSTS].concat();
    for host in ["mx", "smtp"] {
        let tables = tables(host, &manifest);
        assert!(
            tables
                .iter()
                .any(|table| table.contains("(proxyAddresses=smtp:%s)"))
        );
        for table in tables {
            assert!(!table.contains("(proxyAddresses=%s"), "{table}");
            assert!(
                !table.contains("result_attribute = proxyAddresses"),
                "{table}"
            );
        }
    }
    // What has a meaning in a filter is escaped.
    let backend = tables("backend1", &manifest).concat();
    assert!(backend.contains("(other=x\\2a%s)"), "{backend}");
}

#[test]
fn hosts_log_in_as_the_nearest_layer_says() {
    let ldap = "ldap:\n  uris: [\"ldaps://ldap.example.org\"]\n  base: dc=example,dc=org\n  bind: sasl\n  bind_pw: {env: PW}\n  sasl: {mechanisms: [SCRAM-SHA-256, DIGEST-MD5], user: mta, realm: EXAMPLE, authz_id: \"u:x\", min_ssf: 56}\n  tls: {ca_dir: /etc/ssl/certs, cert_file: /etc/postfix/l.crt, key_file: /etc/postfix/l.key, cipher_suite: SECURE256}\n";
    for (site, wanted, absent) in [
        (
            "{}",
            &[
                ("bind", "sasl"),
                ("sasl_mechs", "SCRAM-SHA-256 DIGEST-MD5"),
                ("sasl_realm", "EXAMPLE"),
                ("sasl_authz_id", "u:x"),
                ("sasl_minssf", "56"),
                ("bind_dn", "mta"),
                ("bind_pw", "***"),
                ("tls_ca_cert_dir", "/etc/ssl/certs"),
                ("tls_cert", "/etc/postfix/l.crt"),
                ("tls_key", "/etc/postfix/l.key"),
                ("tls_cipher_suite", "SECURE256"),
            ][..],
            &["tls_ca_cert_file"][..],
        ),
        (
            "{ldap: {bind: none}}",
            &[("bind", "no"), ("tls_cert", "/etc/postfix/l.crt")],
            &["bind_dn", "bind_pw", "sasl_mechs"],
        ),
        (
            "{ldap: {bind: simple, bind_dn: cn=x}}",
            &[("bind", "yes"), ("bind_dn", "cn=x"), ("bind_pw", "***")],
            &["sasl_mechs"],
        ),
        (
            "{ldap: {sasl: {mechanisms: [EXTERNAL]}}}",
            &[
                ("bind", "sasl"),
                ("sasl_mechs", "EXTERNAL"),
                ("sasl_realm", "EXAMPLE"),
            ],
            &[],
        ),
    ] {
        let manifest = [HEAD, ldap, &format!("sites: {{east: {site}}}\n"), HOSTS].concat();
        for table in tables("backend1", &manifest) {
            for (name, text) in wanted {
                assert_eq!(value(&table, name), Some(*text), "{name}: {table}");
            }
            for name in absent {
                assert_eq!(value(&table, name), None, "{name}: {table}");
            }
        }
    }
}

#[test]
fn a_table_that_main_cf_defines_is_known_in_settings() {
    let ldap = "ldap: {uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\"}\nsites: {east: {}}\n";
    let settings = "    settings: {alias_maps: {append: [\"proxy:ldap:people\"]}, people_server_host: ldap.example.org, people_search_base: \"dc=example,dc=org\", people_query_filter: (uid=%s), people_bind: \"no\"}\n";
    let host = "  frontend1.example.org:\n    roles: [frontend]\n    addresses: [192.0.2.7]\n";
    let manifest = [HEAD, ldap, HOSTS, host, settings].concat();
    tables("frontend1", &manifest);
}
