//! Addresses that smtpd(8) and qmgr(8) refuse for their form.

use super::{Rules, check};

/// RFC 5321, and `valid_hostname` of Postfix: smtpd(8) refuses the address before it asks any list.
#[test]
fn malformed_recipients() {
    let rules = Rules::new("");
    let label = "x".repeat(63);
    let longest = format!("a@{label}.org");
    let too_long = format!("a@{label}x.org");
    check(
        "malformed",
        |address| rules.rcpt(address),
        &[
            ("a@t+ext", "501 5.1.3"),
            ("a@-x.org", "501 5.1.3"),
            ("a@x-.org", "501 5.1.3"),
            ("a@x..org", "501 5.1.3"),
            ("a@x y.org", "501 5.1.3"),
            ("a@x_y.org", "554 5.7.1"),
            ("a@123", "501 5.1.3"),
            ("a@1.2.3.4", "501 5.1.3"),
            ("a@[1.2.3]", "501 5.1.3"),
            ("a@[x]", "501 5.1.3"),
            ("a@here.org.", "250 2.1.5"),
            ("a@here.org..", "501 5.1.3"),
            ("-a@here.org", "501 5.1.3"),
            ("a@", "501 5.1.3"),
            (&longest, "554 5.7.1"),
            (&too_long, "501 5.1.3"),
            ("postmaster", "250 2.1.5"),
            ("a%t+ext@here.org", "501 5.1.3"),
        ],
    );
    let rules = Rules::new("soft_bounce = yes");
    assert_eq!(rules.rcpt("-a@here.org"), "401 4.1.3");
    assert_eq!(rules.rcpt("a@else.org"), "454 4.7.1");
    // No answer of trivial-rewrite(8) is an error that goes away.
    let rules = Rules::new("transport_maps = fail:x");
    check(
        "a failing table",
        |address| rules.rcpt(address),
        &[
            ("a@here.org", "451 4.3.0"),
            ("x@else.org", "451 4.3.0"),
            ("-d@here.org", "451 4.3.0"),
            ("postmaster", "250 2.1.5"),
        ],
    );
}

/// postconf(5): `allow_min_user`, `resolve_numeric_domain`.
#[test]
fn forms_that_parameters_allow() {
    let rules = Rules::new("allow_min_user = yes\nresolve_numeric_domain = yes");
    check(
        "allowed",
        |address| rules.rcpt(address),
        &[
            ("-a@here.org", "250 2.1.5"),
            ("a@1.2.3.4", "?"),
            ("a@x.org", "554 5.7.1"),
        ],
    );
}

/// qmgr(8): what sendmail(1) or an alias brings in is bounced.
#[test]
fn malformed_addresses_in_the_queue() {
    let rules = Rules::new(
        "virtual_alias_maps = inline:{v1@here.org=a@t+ext,v2@here.org=a@x..org,v3@here.org=b@here.org..,v4@here.org=x@}",
    );
    for (recipient, expected) in [
        ("a@t+ext", "a@t+ext  bounced"),
        ("v1@here.org", "a@t+ext  bounced"),
        ("v2@here.org", "a@x..org  bounced"),
        ("v3@here.org", "b@here.org..  bounced"),
        ("v4@here.org", "x@  bounced"),
        ("a@123", "a@123  bounced"),
        ("-a@here.org", "-a@here.org  bounced"),
    ] {
        assert_eq!(rules.ends(recipient), [expected], "{recipient}");
    }
}
