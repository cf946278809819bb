//! Manifests of any size, for the benchmarks that need no host.

use std::fmt::Write as _;

/// A murder with this many hosts, written out one by one: ten sites, some settings of their own.
pub fn manifest(hosts: usize) -> String {
    let mut yaml = String::from(
        "version: 1\nmurder: bench\ndomains: [example.org]\n\
         ldap:\n  uris: [\"ldap://ldap.example.org\"]\n  base: dc=example,dc=org\n\
         sites:\n",
    );
    for site in 0..10 {
        let _ = writeln!(
            yaml,
            "  site{site}: {{ldap: {{uris: [\"ldap://ldap{site}.example.org\"]}}}}"
        );
    }
    yaml.push_str("hosts:\n  mx.example.org: {roles: [internet-mta], addresses: [192.0.2.1]}\n");
    yaml.push_str("  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.2]}\n");
    for number in 0..hosts - 2 {
        let (site, high, low) = (number % 10, number / 250, number % 250 + 1);
        let _ = write!(
            yaml,
            "  backend{number}.example.org:\n    roles: [backend]\n    site: site{site}\n    addresses: [10.{}.{}.{low}]\n",
            high / 250,
            high % 250
        );
        if number % 3 == 0 {
            yaml.push_str("    settings: {smtpd_banner: \"$myhostname ESMTP\", biff: null}\n");
        }
    }
    yaml
}
