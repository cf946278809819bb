//! Networks in lists of clients (postconf(5), `mynetworks`). smtpd(8) answers 451 to every client if a list has a network that
//! it cannot read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::problem::Problem;
use crate::postfix::split_list;

/// Parameters that match the addresses of clients.
fn holds_networks(name: &str) -> bool {
    matches!(
        name,
        "mynetworks"
            | "debug_peer_list"
            | "permit_mx_backup_networks"
            | "postscreen_allowlist_interfaces"
            | "postscreen_whitelist_interfaces"
            | "qmqpd_authorized_clients"
            | "smtpd_client_connection_limit_exceptions"
            | "smtpd_client_event_limit_exceptions"
            | "smtpd_sasl_exceptions_networks"
    ) || name.ends_with("_authorized_xclient_hosts")
        || name.ends_with("_authorized_xforward_hosts")
        || name.ends_with("_bare_newline_exclusions")
        || name == "smtpd_authorized_verp_clients"
}

/// Checks the networks in a parameter's value. Files, tables, names and words with a `$` pass.
///
/// # Errors
/// The first word that is no network, with the right form where there is one.
pub(super) fn check(name: &str, value: &str) -> Result<(), Problem> {
    if holds_own_addresses(name) {
        return own_addresses(name, value);
    }
    if !holds_networks(name) {
        return Ok(());
    }
    for word in split_list(value) {
        let bare = word.trim_start_matches('!');
        if let Some((what, hint)) = fault(bare) {
            return Err(Problem {
                summary: format!("`{word}` in `{name}` {what}"),
                detail: Some(
                    "smtpd(8) would answer `451 4.3.0 Temporary lookup failure` to clients"
                        .to_owned(),
                ),
                hint: Some(hint),
                word: Some(word),
            });
        }
    }
    Ok(())
}

/// Parameters that hold addresses of the host itself, or of a proxy before it.
fn holds_own_addresses(name: &str) -> bool {
    matches!(name, "inet_interfaces" | "proxy_interfaces") || binds(name).is_some()
}

/// Whether a parameter is the address from which smtp(8) or lmtp(8) connects, and whether that is one of IPv6. They read no
/// names there.
fn binds(name: &str) -> Option<bool> {
    match name {
        "smtp_bind_address" | "lmtp_bind_address" => Some(false),
        "smtp_bind_address6" | "lmtp_bind_address6" => Some(true),
        _ => None,
    }
}

/// Checks addresses of the host. Whether the host has them, only the host knows.
fn own_addresses(name: &str, value: &str) -> Result<(), Problem> {
    let fault = |word: &str, what: &str, hint: &str| {
        Err(Problem {
            summary: format!("`{word}` in `{name}` {what}"),
            detail: Some(
                "each program that reads it would stop with a fatal error, and mail would wait"
                    .to_owned(),
            ),
            hint: Some(hint.to_owned()),
            word: Some(word.to_owned()),
        })
    };
    for word in split_list(value).iter().filter(|word| !word.contains('$')) {
        let bare = word.trim_start_matches('[').trim_end_matches(']');
        match binds(name) {
            Some(true) if bare.parse::<Ipv6Addr>().is_err() => {
                return fault(word, "is no IPv6 address", "write one, as in `2001:db8::1`");
            }
            Some(false) if bare.parse::<Ipv4Addr>().is_err() => {
                return fault(word, "is no IPv4 address", "write one, as in `192.0.2.1`");
            }
            None if word.contains('/') => {
                return fault(
                    word,
                    "is a network",
                    "write each address of the host, as in `192.0.2.1`, or `all`",
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is wrong with a word that looks like an address or a network, and the hint.
fn fault(word: &str) -> Option<(String, String)> {
    let looks_like = word.starts_with('[')
        || word.starts_with(|first: char| first.is_ascii_digit())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"./".contains(&byte));
    if !looks_like || word.contains('$') {
        return None;
    }
    let (address, length) = match word.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (word, None),
    };
    let example =
        || "write an address or a network, as in `192.0.2.0/24` or `[2001:db8::]/32`".to_owned();
    let bare = match address.strip_prefix('[') {
        Some(inside) => inside
            .strip_suffix(']')
            .map(|inside| inside.parse::<Ipv6Addr>().map(IpAddr::V6)),
        None => Some(address.parse::<Ipv4Addr>().map(IpAddr::V4)),
    };
    let Some(Ok(ip)) = bare else {
        return Some(("is no address or network".to_owned(), example()));
    };
    let length = length?;
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    let Some(length) = length.parse::<u32>().ok().filter(|length| *length <= bits) else {
        return Some((
            format!("has the prefix length `{length}`"),
            format!("write a prefix length from 0 to {bits}, as in `{address}/{bits}`"),
        ));
    };
    let network = network(ip, length);
    (network != ip).then(|| {
        let right = match network {
            IpAddr::V4(network) => format!("{network}/{length}"),
            IpAddr::V6(network) => format!("[{network}]/{length}"),
        };
        (
            "has bits of a host after its prefix".to_owned(),
            format!("write `{right}`, or `{address}` for the host alone"),
        )
    })
}

/// The network of an address: its bits after the prefix are 0.
fn network(ip: IpAddr, length: u32) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_postfix_reads_them() {
        for right in [
            "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128, 192.0.2.1 !192.0.2.2 0.0.0.0/0 [::]/0",
            "hash:/etc/postfix/networks, /etc/postfix/networks, example.org .example.org $mine cidr:/x",
            "",
        ] {
            assert_eq!(check("mynetworks", right), Ok(()), "{right}");
        }
        for (wrong, hint) in [
            (
                "10.0.0.1/8",
                "write `10.0.0.0/8`, or `10.0.0.1` for the host alone",
            ),
            (
                "!10.0.0.1/8",
                "write `10.0.0.0/8`, or `10.0.0.1` for the host alone",
            ),
            (
                "[2001:db8::1]/32",
                "write `[2001:db8::]/32`, or `[2001:db8::1]` for the host alone",
            ),
            (
                "10.0.0.0/33",
                "write a prefix length from 0 to 32, as in `10.0.0.0/32`",
            ),
            (
                "10.0.0/8",
                "write an address or a network, as in `192.0.2.0/24` or `[2001:db8::]/32`",
            ),
            (
                "[fe80::",
                "write an address or a network, as in `192.0.2.0/24` or `[2001:db8::]/32`",
            ),
            (
                "10.0.0.256",
                "write an address or a network, as in `192.0.2.0/24` or `[2001:db8::]/32`",
            ),
        ] {
            for name in [
                "mynetworks",
                "smtpd_authorized_xclient_hosts",
                "smtpd_client_event_limit_exceptions",
            ] {
                let said = check(name, &format!("127.0.0.1, {wrong}")).err();
                assert_eq!(
                    said.and_then(|said| said.hint).as_deref(),
                    Some(hint),
                    "{wrong}"
                );
            }
        }
        assert_eq!(check("mydestination", "10.0.0.1/8"), Ok(()));
    }
}
