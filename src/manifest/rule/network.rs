//! Addresses, networks, and what is connected to.

use std::net::IpAddr;

use base64::Engine as _;

use super::holds::{is_number, named, require};
use crate::lmtp::LmtpDestination;
use crate::manifest::range;
use crate::manifest::shape::Rule;
use crate::name::{HostName, UserName};

/// An IP address or network.
pub static NETWORK: Rule = Rule {
    what: "an IP address or network",
    hint: "write an address such as `192.0.2.5`, or a network such as `192.0.2.0/24` or `2001:db8::/32`",
    check: network,
};

/// What is connected to: an address or a host name.
pub static ENDPOINT: Rule = Rule {
    what: "an IP address or host name",
    hint: "write an address such as `192.0.2.5`, or a name such as `backend1.example.org`",
    check: |text| {
        if text.parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        named(HostName::new(text))?;
        require(
            !range::looks_like_address(text),
            "it is not a valid IPv4 address",
        )
    },
};

/// Where mailboxes are delivered by LMTP.
pub static LMTP: Rule = Rule {
    what: "an LMTP destination",
    hint: "write `inet:HOST:PORT`, as in `inet:cyrus.example.org:24`, or the whole path of a socket",
    check: |text| text.parse::<LmtpDestination>().map(drop),
};

/// An LMTP destination on TCP.
pub static LMTP_TCP: Rule = Rule {
    what: "an LMTP destination on TCP",
    hint: "write `inet:HOST:PORT`, as in `inet:cyrus.example.org:24`",
    check: |text| {
        let destination = text.parse::<LmtpDestination>()?;
        require(
            destination.is_remote(),
            "another host cannot reach it: it is a socket or a loopback address",
        )
    },
};

/// A jump host as ssh(1) `-J` takes it; several joined by commas.
pub static JUMP: Rule = Rule {
    what: "a jump host",
    hint: "write `[user@]host[:port]`; separate several with commas",
    check: |text| text.split(',').try_for_each(jump),
};

/// A public host key, as in known_hosts without the names.
pub static HOST_KEY: Rule = Rule {
    what: "a host key",
    hint: "copy a line of `ssh-keyscan HOST` without its first word, after you checked that the key is right",
    check: |text| {
        let mut words = text.split_ascii_whitespace();
        let (Some(kind), Some(key)) = (words.next(), words.next()) else {
            return Err("it is not a type and a key, as in `ssh-ed25519 AAAA…`".to_owned());
        };
        let kinds = [
            "ssh-ed25519",
            "ssh-rsa",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
        ];
        require(
            kinds.contains(&kind),
            "OpenSSH has no host keys of this type",
        )?;
        let blob = base64::engine::general_purpose::STANDARD
            .decode(key)
            .map_err(|_| "the key is not base64".to_owned())?;
        // RFC 4253 §6.6: the key begins with its type's name, length first.
        require(
            blob.get(4..4 + kind.len()) == Some(kind.as_bytes()),
            "the key is cut off, or of another type",
        )
    },
};

/// An LDAP URI (ldap_table(5) `server_host`).
pub static LDAP_URI: Rule = Rule {
    what: "an LDAP URI",
    hint: "write `ldap://ldap.example.org:389`, `ldaps://…` or `ldapi://…`; the search base is `base`",
    check: |text| {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| {
            "it is not `ldap://HOST`, `ldaps://HOST` or `ldapi://PATH`".to_owned()
        })?;
        require(
            matches!(scheme, "ldap" | "ldaps" | "ldapi"),
            "its scheme is not ldap, ldaps or ldapi",
        )?;
        require(!rest.is_empty(), "it names no server")?;
        require(
            rest.bytes().all(|b| b.is_ascii_graphic() && b != b','),
            "blanks and commas would make two URIs of it",
        )?;
        if scheme == "ldapi" {
            return Ok(());
        }
        require(
            !rest.trim_end_matches('/').contains(['/', '?']),
            "it can only hold host and port: base and filter are keys of their own",
        )?;
        authority(rest.trim_end_matches('/'))
    },
};

fn network(text: &str) -> Result<(), String> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| "it is neither IPv4 nor IPv6".to_owned())?;
    let Some(prefix) = prefix else {
        return Ok(());
    };
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let length = prefix
        .parse::<u32>()
        .ok()
        .filter(|length| is_number(prefix) && *length <= width)
        .ok_or_else(|| format!("its prefix is not a number from 0 to {width}"))?;
    require(
        length > 0,
        "it covers the whole Internet: the host would be an open relay",
    )?;
    // Postfix refuses such patterns: "non-null host address bits" (cidr_match(3)).
    let host_bits = width - length;
    let mask = 1_u128
        .checked_shl(host_bits)
        .map_or(u128::MAX, |limit| limit - 1);
    require(bits & mask == 0, "it has bits set beyond its prefix")
}

fn jump(text: &str) -> Result<(), String> {
    let host = match text.rsplit_once('@') {
        Some((user, host)) => {
            named(UserName::new(user))?;
            host
        }
        None => text,
    };
    authority(host)
}

/// `host[:port]`, with an IPv6 address in brackets.
fn authority(text: &str) -> Result<(), String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest
            .split_once(']')
            .ok_or_else(|| "its `[` has no `]`".to_owned())?;
        host.parse::<std::net::Ipv6Addr>()
            .map_err(|_| "its brackets do not hold an IPv6 address".to_owned())?;
        match port {
            "" => return Ok(()),
            port => (
                None,
                Some(
                    port.strip_prefix(':')
                        .ok_or_else(|| "only `:PORT` can follow its brackets".to_owned())?,
                ),
            ),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        }
    };
    if let Some(host) = host {
        (ENDPOINT.check)(host)?;
    }
    match port {
        Some(port) if !port.parse::<u16>().is_ok_and(|n| n > 0 && is_number(port)) => {
            Err("its port is not a number from 1 to 65535".to_owned())
        }
        _ => Ok(()),
    }
}
