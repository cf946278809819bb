//! Deliveries by local(8): aliases(5), and postconf(5) of the transports of mailboxes.

use super::Rules;

/// Checks what becomes of mail by sendmail(1): each end in order.
fn check(main_cf: &str, aliases: &str, cases: &[(&str, &[&str])]) {
    let main_cf = format!("alias_maps = texthash:/al\nlocal_transport = local\n{main_cf}");
    let rules = Rules::with_files(&main_cf, &[("/al", aliases)]);
    for (recipient, expected) in cases {
        assert_eq!(rules.ends(recipient), *expected, "{main_cf} {recipient}");
    }
}

/// aliases(5), local(8) "ALIAS DATABASE" and "ADDRESS EXTENSION".
#[test]
fn aliases_of_local() {
    let aliases = "one root\ntwo x@far.org\ntwo+e y@far.org\ndisc /dev/null\nesc \\root\nself self, x@far.org\nlist x@far.org, y@far.org\n\
                   owner-list root\ncmd |true\nmix root\nsp x@far.org y@far.org\nnest one, two+q\ncyc1 cyc2\ncyc2 cyc1\ndef daemon\nroot daemon\n\
                   esc2 \\root, x@far.org\ninc :include:/f\n";
    check(
        "",
        aliases,
        &[
            (
                "one@here.org",
                &["daemon@host.here.org local:host.here.org delivered"],
            ),
            (
                "one+e@here.org",
                &["daemon@host.here.org local:host.here.org delivered"],
            ),
            (
                "ONE@HERE.org",
                &["daemon@host.here.org local:host.here.org delivered"],
            ),
            ("two@here.org", &["x@far.org smtp:far.org delivered"]),
            ("two+e@here.org", &["y@far.org smtp:far.org delivered"]),
            ("two+f@here.org", &["x@far.org smtp:far.org delivered"]),
            ("disc@here.org", &["disc@here.org local:here.org delivered"]),
            ("cmd@here.org", &["cmd@here.org local:here.org delivered"]),
            // A backslash skips the aliases.
            (
                "esc@here.org",
                &["\\root@host.here.org local:host.here.org delivered"],
            ),
            (
                "esc2@here.org",
                &[
                    "\\root@host.here.org local:host.here.org delivered",
                    "x@far.org smtp:far.org delivered",
                ],
            ),
            (
                "list@here.org",
                &[
                    "x@far.org smtp:far.org delivered",
                    "y@far.org smtp:far.org delivered",
                ],
            ),
            (
                "sp@here.org",
                &[
                    "x@far.org smtp:far.org delivered",
                    "y@far.org smtp:far.org delivered",
                ],
            ),
            (
                "nest@here.org",
                &[
                    "daemon@host.here.org local:host.here.org delivered",
                    "x@far.org smtp:far.org delivered",
                ],
            ),
            (
                "owner-list@here.org",
                &["daemon@host.here.org local:host.here.org delivered"],
            ),
            // An alias that names itself is the mailbox; aliases that name each other are a loop.
            (
                "cyc1@here.org",
                &["cyc1@host.here.org local:host.here.org loop"],
            ),
            (
                "root+x@here.org",
                &["daemon@host.here.org local:host.here.org delivered"],
            ),
            (
                "daemon+x@here.org",
                &["daemon+x@here.org local:here.org delivered"],
            ),
            // Only the host knows the account, or the file.
            (
                "self@here.org",
                &[
                    "self@host.here.org  not modelled",
                    "x@far.org smtp:far.org delivered",
                ],
            ),
            ("nouser@here.org", &["nouser@here.org  not modelled"]),
            ("inc@here.org", &["inc@here.org  not modelled"]),
        ],
    );
    // The extension goes on where `propagate_unmatched_extensions` says so.
    check(
        "propagate_unmatched_extensions = canonical, virtual, alias",
        aliases,
        &[
            ("two+f@here.org", &["x+f@far.org smtp:far.org delivered"]),
            ("two+e@here.org", &["y@far.org smtp:far.org delivered"]),
            (
                "def+k@here.org",
                &["daemon+k@host.here.org local:host.here.org delivered"],
            ),
            (
                "nest@here.org",
                &[
                    "daemon@host.here.org local:host.here.org delivered",
                    "x+q@far.org smtp:far.org delivered",
                ],
            ),
        ],
    );
}

/// local(8), "DELIVERY METHOD CONTROLS": the first of mailbox_transport_maps, mailbox_transport, the mailbox, fallback_transport_maps,
/// fallback_transport, luser_relay.
#[test]
fn mailboxes_of_local() {
    check(
        "mailbox_transport = lmtp:unix:m\nmailbox_transport_maps = inline:{root=smtp:[rootbox]}\nfallback_transport = smtp:[fb]",
        "ann root\n",
        &[
            ("root@here.org", &["root@here.org smtp:[rootbox] delivered"]),
            (
                "root+x@here.org",
                &["root+x@here.org smtp:[rootbox] delivered"],
            ),
            (
                "nobody@here.org",
                &["nobody@here.org lmtp:unix:m delivered"],
            ),
            (
                "nouser@here.org",
                &["nouser@here.org lmtp:unix:m delivered"],
            ),
            (
                "ann@here.org",
                &["root@host.here.org smtp:[rootbox] delivered"],
            ),
        ],
    );
    check(
        "fallback_transport = smtp:[fb]\nfallback_transport_maps = inline:{nouser=smtp:[fbm]}",
        "",
        &[
            (
                "nobody@here.org",
                &["nobody@here.org local:here.org delivered"],
            ),
            // Whether there is such an account decides first.
            ("nouser@here.org", &["nouser@here.org  not modelled"]),
        ],
    );
    check(
        "forward_path = /etc/forward/$user",
        "",
        &[("root@here.org", &["root@here.org  not modelled"])],
    );
}

/// aliases(5), newaliases(1): an indexed table of `alias_maps` has lines `name: value`, wherever it is. Other tables have those of
/// postmap(1).
#[test]
fn alias_files_have_lines_of_their_own() {
    for (main_cf, path, text) in [
        (
            "alias_maps = hash:/etc/postfix/people",
            "/etc/postfix/people",
            "one: x@far.org",
        ),
        (
            "alias_maps = lmdb:/etc/mail/aliases",
            "/etc/mail/aliases",
            "one: x@far.org",
        ),
        (
            "alias_maps = $alias_database\nalias_database = $default_database_type:/al",
            "/al",
            "one: x@far.org",
        ),
        (
            "alias_maps = texthash:/etc/aliases",
            "/etc/aliases",
            "one x@far.org",
        ),
        (
            "virtual_alias_maps = hash:/etc/postfix/aliases",
            "/etc/postfix/aliases",
            "one x@far.org",
        ),
        (
            "virtual_alias_maps = hash:/etc/aliases",
            "/etc/aliases",
            "one: x@far.org",
        ),
    ] {
        let rules = Rules::with_files(main_cf, &[(path, text)]);
        let ends = rules.ends("one@here.org");
        assert_eq!(ends, ["x@far.org smtp:far.org delivered"], "{main_cf}");
    }
}
