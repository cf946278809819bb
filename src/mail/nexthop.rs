//! The next hops of smtp(8) and lmtp(8): `[host]:port`, `domain`, `unix:path`, and lists of them.

use std::net::IpAddr;

/// A destination of smtp(8) or lmtp(8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A host by its own name or address, in lower case, and the port or service.
    Host(String, String),
    /// A domain whose mail servers DNS names, and the port or service.
    Domain(String, String),
    /// A UNIX-domain socket.
    Socket(String),
    /// A text that is no destination.
    Malformed(String),
}

impl Destination {
    /// The name of a host or a domain.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Host(name, _) | Self::Domain(name, _) => Some(name),
            Self::Socket(_) | Self::Malformed(_) => None,
        }
    }
}

/// The destinations of a next hop, in the order in which they are tried. `is_lmtp` looks no mail servers up.
#[must_use]
pub fn destinations(nexthop: &str, is_lmtp: bool) -> Vec<Destination> {
    if is_lmtp && let Some(path) = nexthop.strip_prefix("unix:") {
        return vec![Destination::Socket(path.to_owned())];
    }
    // lmtp(8) takes the word off the whole text, and not off each destination.
    let nexthop = match is_lmtp {
        true => nexthop.strip_prefix("inet:").unwrap_or(nexthop),
        false => nexthop,
    };
    let words = words(nexthop);
    words.map(|word| destination(word, is_lmtp)).collect()
}

/// The words of a next hop, one for each destination.
pub(super) fn words(nexthop: &str) -> impl Iterator<Item = &str> {
    let words = nexthop.split([',', ' ', '\t']);
    words.filter(|word| !word.is_empty())
}

fn destination(word: &str, is_lmtp: bool) -> Destination {
    let default = if is_lmtp { "24" } else { "25" };
    let malformed = || Destination::Malformed(word.to_owned());
    let port_of = |rest: &str| match rest.strip_prefix(':') {
        None if rest.is_empty() => Some(default.to_owned()),
        Some(port) => port_number(port),
        _ => None,
    };
    if let Some(rest) = word.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            return malformed();
        };
        let host = host.to_lowercase();
        let host = host.strip_prefix("ipv6:").unwrap_or(&host);
        // An address of IPv6 has several spellings.
        let address = host.parse().map(|address: IpAddr| address.to_string());
        return match port_of(rest) {
            Some(port) if !host.is_empty() => {
                Destination::Host(address.unwrap_or(host.to_owned()), port)
            }
            _ => malformed(),
        };
    }
    let (host, rest) = word.find(':').map_or((word, ""), |at| word.split_at(at));
    match port_of(rest) {
        Some(port) if !host.is_empty() => {
            let host = host.to_lowercase();
            if is_lmtp {
                Destination::Host(host, port)
            } else {
                Destination::Domain(host, port)
            }
        }
        _ => malformed(),
    }
}

/// A port by number or by name, as smtp(8) takes it: 1 to 65535, or a service (postconf(5), `known_tcp_ports`).
fn port_number(port: &str) -> Option<String> {
    let number = match port {
        "lmtp" => "24",
        "smtp" => "25",
        "smtps" | "submissions" => "465",
        "submission" => "587",
        other => other,
    };
    let is_number = number.bytes().all(|c| c.is_ascii_digit());
    let is_valid = match is_number {
        true => number.parse::<u16>().is_ok_and(|number| number > 0),
        false => number
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'-'),
    };
    is_valid.then(|| number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// transport(5), "RESULT FORMAT", and smtp(8), "SMTP DESTINATION SYNTAX".
    #[test]
    fn next_hops_are_read() {
        let host = |host: &str, port: &str| Destination::Host(host.to_owned(), port.to_owned());
        let domain = |host: &str, port: &str| Destination::Domain(host.to_owned(), port.to_owned());
        for (nexthop, is_lmtp, expected) in [
            (
                "[B1.example.org]:25",
                false,
                vec![host("b1.example.org", "25")],
            ),
            ("[192.0.2.1]", false, vec![host("192.0.2.1", "25")]),
            ("example.org:587", false, vec![domain("example.org", "587")]),
            ("[a]:25, [b]", false, vec![host("a", "25"), host("b", "25")]),
            (
                "unix:/run/lmtp",
                true,
                vec![Destination::Socket("/run/lmtp".to_owned())],
            ),
            (
                "unix:a,lmtp:unix:b",
                true,
                vec![Destination::Socket("a,lmtp:unix:b".to_owned())],
            ),
            ("inet:[b1]:2003", true, vec![host("b1", "2003")]),
            ("b1", true, vec![host("b1", "24")]),
            (
                "inet:[a]:24,inet:[b]:24",
                true,
                vec![
                    host("a", "24"),
                    Destination::Malformed("inet:[b]:24".to_owned()),
                ],
            ),
            ("[a]:smtp", false, vec![host("a", "25")]),
            ("[a]:smtps", false, vec![host("a", "465")]),
            ("[a]:submission", false, vec![host("a", "587")]),
            (
                "[a]:0",
                false,
                vec![Destination::Malformed("[a]:0".to_owned())],
            ),
            (
                "[a]:65536",
                false,
                vec![Destination::Malformed("[a]:65536".to_owned())],
            ),
            ("[::1]:25", false, vec![host("::1", "25")]),
            ("[ipv6:::1]", false, vec![host("::1", "25")]),
            (
                "[IPv6:2001:DB8:0::5]:25",
                false,
                vec![host("2001:db8::5", "25")],
            ),
            ("[0:0:0:0:0:0:0:1]", true, vec![host("::1", "24")]),
            ("[a", false, vec![Destination::Malformed("[a".to_owned())]),
            (
                "relay:[b]:25",
                false,
                vec![Destination::Malformed("relay:[b]:25".to_owned())],
            ),
        ] {
            assert_eq!(destinations(nexthop, is_lmtp), expected, "{nexthop}");
        }
    }
}
