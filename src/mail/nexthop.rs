//! The next hops of smtp(8) and lmtp(8): `[host]:port`, `domain`, `unix:path`, and lists of them.

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

/// The destinations of a next hop, in the order in which they are tried. `is_lmtp` looks no mail servers up.
#[must_use]
pub fn destinations(nexthop: &str, is_lmtp: bool) -> Vec<Destination> {
    if is_lmtp && let Some(path) = nexthop.strip_prefix("unix:") {
        return vec![Destination::Socket(path.to_owned())];
    }
    let words = nexthop
        .split([',', ' ', '\t'])
        .filter(|word| !word.is_empty());
    words.map(|word| destination(word, is_lmtp)).collect()
}

fn destination(word: &str, is_lmtp: bool) -> Destination {
    let word = if is_lmtp {
        word.strip_prefix("inet:").unwrap_or(word)
    } else {
        word
    };
    let default = if is_lmtp { "24" } else { "25" };
    let malformed = || Destination::Malformed(word.to_owned());
    let port_of = |rest: &str| match rest.strip_prefix(':') {
        None if rest.is_empty() => Some(default.to_owned()),
        Some(port) if !port.is_empty() => Some(port.replace("smtp", "25")),
        _ => None,
    };
    if let Some(rest) = word.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            return malformed();
        };
        let host = host.strip_prefix("ipv6:").unwrap_or(host).to_lowercase();
        return match port_of(rest) {
            Some(port) if !host.is_empty() => Destination::Host(host, port),
            _ => malformed(),
        };
    }
    let (host, rest) = word.find(':').map_or((word, ""), |at| word.split_at(at));
    let is_service = |port: &str| port.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    match port_of(rest) {
        Some(port) if !host.is_empty() && is_service(&port) => {
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
