//! The sender that Postfix gives a message without one, as src/mail/tests/rewriting.rs has it.

use super::host::Host;
use super::until;

#[test]
fn a_message_without_a_sender_gets_the_one_that_the_model_says() {
    let host = Host::running();
    host.run(
        r#"postconf -e maillog_file=/var/log/pf.log myorigin=host.here.org mydestination=localhost relayhost= default_transport=discard:ok
           cd /etc/postfix
           echo '/^$/ x@here.org' >empty; echo '/^""$/ x@here.org' >quotes; echo '/^/ x@here.org' >any; echo '/@/ x@here.org' >at
           postfix stop; rm -f /var/log/pf.log; postfix start"#,
    );
    let parameters = "sender_canonical_maps sender_canonical_classes canonical_maps canonical_classes masquerade_domains";
    for (settings, expected) in [
        ("", ""),
        ("sender_canonical_maps=static:x@here.org", "x@here.org"),
        ("sender_canonical_maps=static:x", "x@host.here.org"),
        ("canonical_maps=static:x@here.org", "x@here.org"),
        (
            "canonical_maps=static:x@here.org canonical_classes=envelope_recipient",
            "",
        ),
        (
            "sender_canonical_maps=static:x@here.org sender_canonical_classes=header_sender",
            "",
        ),
        ("sender_canonical_maps=inline:{x@here.org=y@here.org}", ""),
        (
            "sender_canonical_maps=static:x@here.org canonical_maps=inline:{x@here.org=y@here.org}",
            "y@here.org",
        ),
        (
            "sender_canonical_maps=static:x@a.here.org masquerade_domains=here.org",
            "x@here.org",
        ),
        ("masquerade_domains=here.org", ""),
        ("sender_canonical_maps=regexp:/etc/postfix/empty", ""),
        (
            "sender_canonical_maps=regexp:/etc/postfix/quotes",
            "x@here.org",
        ),
        (
            "sender_canonical_maps=regexp:/etc/postfix/any",
            "x@here.org",
        ),
        ("sender_canonical_maps=regexp:/etc/postfix/at", ""),
    ] {
        host.run(&format!(
            "postconf -X {parameters}; {}; postfix reload; : >/var/log/pf.log; echo | sendmail -f '' to@outside.example",
            match settings {
                "" => ":".to_owned(),
                settings => format!("postconf -e {settings}"),
            }
        ));
        let senders = "sed -n 's/.*qmgr.*: from=<\\([^>]*\\)>, size=.*/<\\1>/p' /var/log/pf.log";
        until(|| !host.run(senders).is_empty());
        assert_eq!(
            host.run(senders).trim(),
            format!("<{expected}>"),
            "{settings}"
        );
    }
}
