//! Whether one member of a list matches everything that another one matches.

use crate::postfix::Network;

/// Whether a member of a list covers another one: it is the same word, the same table with or without `proxy:`, or a
/// network that has the other network in it.
#[must_use]
pub fn covers(member: &str, other: &str) -> bool {
    if member.eq_ignore_ascii_case(other) || unproxied(member) == unproxied(other) {
        return true;
    }
    match (Network::read(member), Network::read(other)) {
        (Some(whole), Some(part)) => whole.covers(&part),
        _ => false,
    }
}

fn unproxied(member: &str) -> &str {
    member.trim_start_matches("proxy:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_covers_its_parts() {
        for (member, other, expected) in [
            ("127.0.0.0/8", "127.0.0.1", true),
            ("127.0.0.0/8", "127.0.0.1/32", true),
            ("127.0.0.1", "127.0.0.0/8", false),
            ("192.0.2.0/24", "192.0.3.1", false),
            ("0.0.0.0/0", "192.0.3.1", true),
            ("[::1]/128", "[::1]", true),
            ("[::1]/128", "::1", true),
            ("[2001:db8::]/32", "[2001:db8:1::]/48", true),
            ("[::ffff:127.0.0.0]/104", "127.0.0.1", false),
            ("proxy:ldap:/x.cf", "ldap:/x.cf", true),
            ("ldap:/x.cf", "ldap:/y.cf", false),
            ("Example.org", "example.org", true),
            ("example.org", "!example.org", false),
        ] {
            assert_eq!(covers(member, other), expected, "{member} {other}");
        }
    }
}
