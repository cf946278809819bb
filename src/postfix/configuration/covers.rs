//! Whether one member of a list matches everything that another one matches.

use std::net::IpAddr;

/// Whether a member of a list covers another one: it is the same word, the same table with or without `proxy:`, or a
/// network that has the other network in it.
#[must_use]
pub fn covers(member: &str, other: &str) -> bool {
    if member.eq_ignore_ascii_case(other) || unproxied(member) == unproxied(other) {
        return true;
    }
    match (network(member), network(other)) {
        (Some(whole), Some(part)) => contains(whole, part),
        _ => false,
    }
}

fn unproxied(member: &str) -> &str {
    member.trim_start_matches("proxy:")
}

/// The address and the length of the prefix of a network: `192.0.2.0/24`, `[2001:db8::]/32`, `127.0.0.1`.
fn network(member: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match member.rsplit_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (member, None),
    };
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(address).parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(most);
    (length <= most).then_some((address, length))
}

fn contains((whole, prefix): (IpAddr, u32), (part, length): (IpAddr, u32)) -> bool {
    let same = match (whole, part) {
        (IpAddr::V4(whole), IpAddr::V4(part)) => {
            let shift = 32 - prefix;
            u32::from(whole).checked_shr(shift) == u32::from(part).checked_shr(shift)
        }
        (IpAddr::V6(whole), IpAddr::V6(part)) => {
            let shift = 128 - prefix;
            u128::from(whole).checked_shr(shift) == u128::from(part).checked_shr(shift)
        }
        _ => return false,
    };
    same && prefix <= length
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
