//! Tests of endpoints.

use super::*;

fn hint(name: &str, value: &str) -> Option<String> {
    check(name, value)
        .err()
        .map(|problem| problem.hint.unwrap_or_default())
}

#[test]
fn right_endpoints_are_right() {
    for (name, value) in [
        (
            "smtpd_milters",
            "inet:localhost:11332, unix:/run/x unix:private/y local:/z inet:11332",
        ),
        (
            "smtpd_milters",
            "{ inet:[::1]:11332, connect_timeout=1s, default_action=accept } $mine {$x, a=b}",
        ),
        ("non_smtpd_milters", "$smtpd_milters"),
        ("smtpd_milters", ""),
        ("smtpd_sasl_path", "smtpd"),
        ("smtpd_sasl_path", "private/auth"),
        ("smtpd_sasl_path", "/var/spool/postfix/private/auth:2"),
        ("smtpd_sasl_path", "inet:dovecot:12345"),
        (
            "relayhost",
            "[a.example]:25, b.example [192.0.2.1] [2001:db8::1]:587, a:submission [ipv6:::1]",
        ),
        ("relayhost", ""),
        ("relayhost", "smtp:25"),
        ("mailbox_transport", "lmtp:unix:/run/x"),
        ("mailbox_transport", "lmtp:inet:localhost:24"),
        ("virtual_transport", "lmtp:[dovecot]:24"),
        ("content_filter", "smtp-amavis:[127.0.0.1]:10024"),
        ("content_filter", "amavis:anything goes"),
        (
            "relay_transport",
            "error:5.1.1 Recipient address is unknown here",
        ),
        ("local_transport", "local:$myhostname"),
        ("default_transport", "smtp"),
    ] {
        assert_eq!(check(name, value), Ok(()), "{name} = {value}");
    }
}

#[test]
fn the_hint_is_the_right_form() {
    for (name, value, wanted) in [
        (
            "smtpd_milters",
            "localhost:11332",
            "write `inet:localhost:11332`, or `unix:` and a path",
        ),
        (
            "smtpd_milters",
            "inet:8891@localhost",
            "write `inet:localhost:8891`",
        ),
        (
            "smtpd_milters",
            "tcp:localhost:1",
            "write `inet:localhost:1`",
        ),
        (
            "smtpd_milters",
            "INET:localhost:1",
            "write `inet:localhost:1`: the type is in lower case",
        ),
        (
            "non_smtpd_milters",
            "/run/x.sock",
            "write `unix:/run/x.sock`",
        ),
        (
            "smtpd_milters",
            "inet:localhost",
            "write the port after it, as in `inet:localhost:11332`",
        ),
        (
            "smtpd_sasl_path",
            "127.0.0.1:12345",
            "write `inet:127.0.0.1:12345`, or `unix:` and a path",
        ),
        (
            "relayhost",
            "smtp:[a.example]:587",
            "write `[a.example]:587`",
        ),
        (
            "relayhost",
            "[a.example",
            "write `[a.example]`, and `:port` after the bracket",
        ),
        ("relayhost", "2001:db8::1", "write `[2001:db8::1]`"),
        (
            "relayhost",
            "[a.example]587",
            "write `[a.example]` or `[a.example]:25`",
        ),
        (
            "mailbox_transport",
            "lmtp:/run/x",
            "write `lmtp:unix:/run/x`",
        ),
        (
            "default_transport",
            "[a.example]",
            "write the transport first, as in `smtp:[a.example]`",
        ),
        ("relay_transport", "relay:inet:host:25", "write `host:25`"),
    ] {
        assert_eq!(
            hint(name, value).as_deref(),
            Some(wanted),
            "{name} = {value}"
        );
    }
    for (name, value) in [
        ("smtpd_milters", "unix:"),
        ("smtpd_milters", "{ inet:localhost:1 connect_timeout }"),
        ("smtpd_milters", "inet:localhost:99999"),
        ("relayhost", "a.example:99999"),
        ("relayhost", "smtp://a.example"),
        ("default_transport", "smtp:a:25:26"),
    ] {
        assert!(hint(name, value).is_some(), "{name} = {value}");
    }
    assert!(check_policy_server("127.0.0.1:10023").is_some());
    assert!(check_policy_server("{ inet:127.0.0.1:10023, timeout=10s }").is_none());
    assert!(check_policy_server("unix:private/policy").is_none());
}
