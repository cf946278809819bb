//! Next hops of smtp(8) and lmtp(8).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::fault::{DELIVERY_ERROR, Fault, is_port};

/// A next hop of smtp(8): `host`, `[host]`, or one of them with `:port`.
pub(super) fn next_hop(word: &str) -> Option<Fault> {
    let fault = |what: &str, hint: String| Fault::new(word, what, DELIVERY_ERROR, hint);
    if let Some((_, rest)) = word.split_once("://") {
        return fault(
            "is a URL",
            format!("write `[{}]`", rest.trim_end_matches('/')),
        );
    }
    if let Some((kind, rest)) = word.split_once(':')
        && (rest.starts_with('[')
            || ["smtp", "smtps", "relay", "lmtp", "inet"].contains(&kind)
                && rest.contains(|sign: char| !sign.is_ascii_digit()))
    {
        return fault(
            "has a transport or a type, and a next hop has none",
            format!("write `{rest}`"),
        );
    }
    let (host, port) = match parts(word) {
        Ok(parts) => parts,
        Err((what, hint)) => return fault(&what, hint),
    };
    if !is_host(host) {
        return fault(
            "has no valid host",
            "write a host name or address, as in `[smtp.example.org]:25`".to_owned(),
        );
    }
    let port = port?;
    if is_port(port) {
        return None;
    }
    fault(
        &format!("has the port `{port}`"),
        format!("write a port from 1 to 65535 or a service name, as in `[{host}]:25`"),
    )
}

/// The host and the port of a next hop, or what is wrong with it and the hint.
fn parts(word: &str) -> Result<(&str, Option<&str>), (String, String)> {
    let wrong = |what: &str, hint: String| Err((what.to_owned(), hint));
    if let Some(inside) = word.strip_prefix('[') {
        let Some((host, rest)) = inside.split_once(']') else {
            let hint = format!("write `{word}]`, and `:port` after the bracket");
            return wrong("has no closing bracket", hint);
        };
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => wrong(
                "has text after the bracket",
                format!("write `[{host}]` or `[{host}]:25`"),
            ),
        };
    }
    match word.split_once(':') {
        Some((_, rest)) if rest.contains(':') => {
            let hint = match word.parse::<Ipv6Addr>() {
                Ok(_) => format!("write `[{word}]`"),
                Err(_) => "write `[host]:port`".to_owned(),
            };
            wrong("has several colons", hint)
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((word, None)),
    }
}

/// A host name, or an address as smtp(8) accepts one in brackets.
fn is_host(text: &str) -> bool {
    let bare = text
        .strip_prefix("ipv6:")
        .or_else(|| text.strip_prefix("IPv6:"))
        .unwrap_or(text);
    bare.parse::<Ipv6Addr>().is_ok()
        || bare.parse::<Ipv4Addr>().is_ok()
        || !bare.is_empty()
            && !bare
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
            && bare.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) || !byte.is_ascii()
            })
}
