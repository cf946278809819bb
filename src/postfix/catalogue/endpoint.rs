//! Endpoints: where a Milter, a policy service, a SASL server or a next hop listens (postconf(5), `smtpd_milters`,
//! `check_policy_service` in SMTPD_POLICY_README, `smtpd_sasl_path`, `relayhost`).
//!
//! Each program reads its own form. At any other text it stops with a fatal error, or answers 451 to every client.

mod fault;
mod next_hop;

use fault::{DELIVERY_ERROR, Fault, SERVER_ERROR, is_port};
use next_hop::next_hop;

use super::problem::Problem;
use crate::postfix::split_list;

/// The form of endpoint that a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Endpoint {
    /// A list of `inet:host:port`, `unix:path` or `{ endpoint, option = value }`.
    Milters,
    /// `inet:host:port`, `unix:path` or a path.
    SaslServer,
    /// `host:port`, `inet:host:port` or `unix:path`. A single word is a port of this host.
    ContentProxy,
    /// A list of `host`, `[host]` or `host:port`.
    NextHops,
    /// `transport` or `transport:nexthop`.
    Transport,
}

fn of_parameter(name: &str) -> Option<Endpoint> {
    match name {
        "smtpd_milters" | "non_smtpd_milters" => Some(Endpoint::Milters),
        "smtpd_sasl_path" => Some(Endpoint::SaslServer),
        "smtpd_proxy_filter" => Some(Endpoint::ContentProxy),
        "relayhost"
        | "smtp_fallback_relay"
        | "lmtp_fallback_relay"
        | "fallback_relay"
        | "address_verify_relayhost" => Some(Endpoint::NextHops),
        "address_verify_default_transport"
        | "address_verify_local_transport"
        | "address_verify_relay_transport"
        | "address_verify_virtual_transport"
        | "best_mx_transport"
        | "content_filter"
        | "default_transport"
        | "fallback_transport"
        | "local_transport"
        | "mailbox_transport"
        | "relay_transport"
        | "virtual_transport" => Some(Endpoint::Transport),
        _ => None,
    }
}

/// Checks the endpoints in a parameter's value. Words with a `$` pass, because they depend on other parameters.
///
/// # Errors
/// The first problem, with its word.
pub(super) fn check(name: &str, value: &str) -> Result<(), Problem> {
    let Some(form) = of_parameter(name) else {
        return Ok(());
    };
    let said = match form {
        Endpoint::Transport => transport(value.trim()),
        Endpoint::SaslServer => sasl_server(value.trim()),
        Endpoint::ContentProxy => content_proxy(value.trim()),
        Endpoint::Milters => first(value, |word| server(word, &["inet", "unix", "local"])),
        Endpoint::NextHops => first(value, next_hop),
    };
    match said {
        None => Ok(()),
        Some(fault) => Err(fault.of(&format!("`{name}`"))),
    }
}

/// The problem with the server of a policy service.
#[must_use]
pub fn check_policy_server(word: &str) -> Option<Problem> {
    let fault = server(word, &["inet", "unix", "local"])?;
    Some(fault.of("`check_policy_service`"))
}

/// The first fault in the words of a list.
fn first(value: &str, check: impl Fn(&str) -> Option<Fault>) -> Option<Fault> {
    split_list(value)
        .iter()
        .filter(|word| !word.contains('$'))
        .find_map(|word| check(word))
}

/// A server in the form `type:endpoint`, perhaps in braces with options.
fn server(word: &str, types: &[&str]) -> Option<Fault> {
    let Some(inside) = word.strip_prefix('{') else {
        return typed(word, types);
    };
    let Some(inside) = inside.strip_suffix('}') else {
        return Fault::new(
            word,
            "has no closing brace",
            SERVER_ERROR,
            format!("write `{word} }}`"),
        );
    };
    let mut parts = split_list(inside).into_iter();
    let Some(endpoint) = parts.next() else {
        let example =
            "write an endpoint in it, as in `{ inet:localhost:11332, connect_timeout=10s }`";
        return Fault::new(word, "is empty", SERVER_ERROR, example.to_owned());
    };
    let option = parts.find(|part| !part.contains(['=', '$']));
    match option {
        Some(option) => Fault::new(
            &option,
            "has no `=`",
            SERVER_ERROR,
            format!("write each option as `name=value`, as in `{{ {endpoint}, timeout=10s }}`"),
        ),
        None if endpoint.contains('$') => None,
        None => typed(&endpoint, types),
    }
}

fn typed(word: &str, types: &[&str]) -> Option<Fault> {
    let (kind, rest) = word.split_once(':').unwrap_or(("", word));
    if !types.contains(&kind) {
        return Fault::new(
            word,
            "is no endpoint",
            SERVER_ERROR,
            with_type(word, kind, rest),
        );
    }
    if rest.is_empty() {
        return Fault::new(
            word,
            "has no address",
            SERVER_ERROR,
            format!("write `{word}` and a path or `host:port` after it"),
        );
    }
    if kind != "inet" {
        return None;
    }
    if let Some((port, host)) = rest.split_once('@') {
        return Fault::new(
            word,
            "is no endpoint of Postfix",
            SERVER_ERROR,
            format!("write `inet:{host}:{port}`"),
        );
    }
    // A single word is a port of this host.
    let port = match split_port(rest) {
        Some((_, port)) => port,
        None if rest == "localhost" || rest.contains('.') || rest.starts_with('[') => {
            return Fault::new(
                word,
                "has no port",
                SERVER_ERROR,
                format!("write the port after it, as in `{word}:11332`"),
            );
        }
        None => rest,
    };
    (!is_port(port)).then(|| Fault {
        word: word.to_owned(),
        what: format!("has the port `{port}`"),
        detail: SERVER_ERROR,
        hint: "write a port from 1 to 65535 or a service name, as in `inet:localhost:11332`"
            .to_owned(),
    })
}

/// The right form of an endpoint whose type is missing or unknown.
fn with_type(word: &str, kind: &str, rest: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    match lower.as_str() {
        "inet" | "unix" | "local" => format!("write `{lower}:{rest}`: the type is in lower case"),
        "tcp" | "inet6" | "inet4" | "tcp4" | "tcp6" => format!("write `inet:{rest}`"),
        "file" | "socket" => format!("write `unix:{rest}`"),
        _ if word.starts_with('/') || !word.contains(':') && word.contains('/') => {
            format!("write `unix:{word}`")
        }
        _ => format!("write `inet:{word}`, or `unix:` and a path"),
    }
}

/// A path of a SASL server, with or without `unix:`, or `inet:host:port`.
fn sasl_server(value: &str) -> Option<Fault> {
    let has_type = value.starts_with("inet:") || value.starts_with("unix:");
    if value.contains('$') || !has_type && (!value.contains(':') || value.starts_with('/')) {
        return None;
    }
    typed(value, &["inet", "unix"])
}

/// The filter that smtpd(8) gives each mail to before it accepts it.
fn content_proxy(value: &str) -> Option<Fault> {
    if value.is_empty() || value.contains('$') {
        return None;
    }
    let has_type = value.starts_with("inet:") || value.starts_with("unix:");
    let whole = match has_type {
        true => value.to_owned(),
        false => format!("inet:{value}"),
    };
    let fault = typed(&whole, &["inet", "unix"])?;
    Some(match has_type {
        true => fault,
        false => Fault {
            word: value.to_owned(),
            hint: fault.hint.replace("inet:", ""),
            ..fault
        },
    })
}

/// The host and the port of `host:port` or `[host]:port`.
fn split_port(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('[') {
        return text.split_once("]:");
    }
    text.rsplit_once(':')
}

/// A transport with its next hop. Only the next hops of smtp(8) and lmtp(8) under their usual names have a known form.
fn transport(value: &str) -> Option<Fault> {
    if value.is_empty() || value.contains('$') {
        return None;
    }
    let Some((name, rest)) = value.split_once(':') else {
        return (value.contains(['[', '/', ' '])).then(|| Fault {
            word: value.to_owned(),
            what: "is no transport".to_owned(),
            detail: "mail would wait: there is no such service in master.cf",
            hint: format!("write the transport first, as in `smtp:{value}`"),
        });
    };
    let rest = rest.trim();
    if rest.is_empty() || !matches!(name, "smtp" | "relay" | "lmtp") {
        return None;
    }
    if name == "lmtp" {
        if rest.starts_with("unix:") {
            return None;
        }
        if rest.starts_with('/') {
            return Fault::new(
                value,
                "has a path without `unix:`",
                DELIVERY_ERROR,
                format!("write `lmtp:unix:{rest}`"),
            );
        }
    }
    let hops = if name == "lmtp" {
        rest.strip_prefix("inet:").unwrap_or(rest)
    } else {
        rest
    };
    first(hops, next_hop)
}

#[cfg(test)]
mod tests;
