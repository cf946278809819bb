//! The answer to RCPT: access(5), SMTPD_ACCESS_README, and the order in which smtpd(8) asks.

use super::super::{Circumstances, SmtpClient};
use super::{Rules, check};
use crate::directory::Directory;

/// access(5): "ACCEPT ACTIONS", "REJECT ACTIONS", "OTHER ACTIONS".
#[test]
fn actions_of_access_tables() {
    let rules = Rules::new(
        "access_map_defer_code = 451
         smtpd_recipient_restrictions = check_recipient_access inline:{
           a@here.org=550, b@here.org=1234, {c@here.org=450 4.2.1 later}, {d@here.org=REJECT go},
           {e@here.org=DEFER no}, {f@here.org=DEFER_IF_PERMIT x}, {g@here.org=DEFER_IF_REJECT 4.9.8 y},
           {i@here.org=reject, permit}, {l@here.org=DISCARD x}, {m@here.org=HOLD}, p@here.org=399,
           {q@here.org=INFO x}, {r@here.org=554 x y}, {s@here.org=REJECT 5.3.2 other}, {t@here.org=BCC x@x},
           {u@here.org=reject_unlisted_recipient}, {w@here.org=WARN} },
           check_recipient_access inline:{f@here.org=OK, g@here.org=REJECT}",
    );
    check(
        "actions",
        |address| rules.rcpt(address),
        &[
            // Digits alone, as by pop-before-smtp.
            ("a@here.org", "250 2.1.5"),
            ("b@here.org", "250 2.1.5"),
            ("p@here.org", "250 2.1.5"),
            ("c@here.org", "450 4.2.1"),
            ("d@here.org", "554 5.7.1"),
            ("e@here.org", "451 4.7.1"),
            ("f@here.org", "451 4.7.1"),
            ("g@here.org", "451 4.9.8"),
            ("i@here.org", "554 5.7.1"),
            ("q@here.org", "250 2.1.5"),
            ("r@here.org", "554 5.7.1"),
            ("s@here.org", "554 5.3.2"),
            ("u@here.org", "250 2.1.5"),
            ("w@here.org", "250 2.1.5"),
            ("none@here.org", "250 2.1.5"),
            // What becomes of the message is not modelled.
            ("l@here.org", "?"),
            ("m@here.org", "?"),
            ("t@here.org", "?"),
        ],
    );
}

/// access(5): "EMAIL ADDRESS PATTERNS", "HOST NAME/ADDRESS PATTERNS"; postconf(5), `parent_domain_matches_subdomains`.
#[test]
fn keys_of_access_tables() {
    const LIST: &str = "relay_domains = there.org
         smtpd_relay_restrictions =
         smtpd_recipient_restrictions = check_recipient_access inline:";
    for (tables, parents, cases) in [
        (
            "{there.org=OK, here.org=OK, fr@=OK}, reject",
            "",
            &[
                ("u@there.org", "250 2.1.5"),
                ("u@sub.there.org", "554 5.7.1"),
                ("fr@x.org", "250 2.1.5"),
                ("FR+x@y.org", "250 2.1.5"),
                // Another host may take it for another address.
                ("u%else.org@there.org", "554 5.7.1"),
                ("u%else.org@here.org", "554 5.7.1"),
            ][..],
        ),
        (
            "{.there.org=OK}, reject",
            "",
            &[
                ("u@there.org", "554 5.7.1"),
                ("u@sub.there.org", "250 2.1.5"),
                ("u@a.sub.there.org", "250 2.1.5"),
            ],
        ),
        (
            "{there.org=OK, .sub.org=OK}, reject",
            "smtpd_access_maps",
            &[
                ("u@there.org", "250 2.1.5"),
                ("u@sub.there.org", "250 2.1.5"),
                ("u@x.sub.org", "554 5.7.1"),
            ],
        ),
        // Full address, without the extension, the domain, its parents, the local part.
        (
            "{{u+e@here.org=550 5.9.1 x}, {u@here.org=550 5.9.2 x}, {here.org=550 5.9.3 x}, {v@=550 5.9.4 x}, {w+e@=550 5.9.5 x}, {w@=550 5.9.6 x}}",
            "",
            &[
                ("u+e@here.org", "550 5.9.1"),
                ("u+f@here.org", "550 5.9.2"),
                ("u@here.org", "550 5.9.2"),
                ("v@here.org", "550 5.9.3"),
                ("v@there.org", "550 5.9.4"),
                ("v+e@there.org", "550 5.9.4"),
                ("w+e@there.org", "550 5.9.5"),
                ("w+f@there.org", "550 5.9.6"),
                ("x@there.org", "250 2.1.5"),
            ],
        ),
    ] {
        let rules = Rules::new(&format!(
            "{LIST}{tables}\nparent_domain_matches_subdomains = {parents}"
        ));
        check(tables, |address| rules.rcpt(address), cases);
    }
    for (table, client, expected) in [
        (
            "cidr:{{203.0.113.0/24 550 5.9.9 net}}",
            "203.0.113.1",
            "550 5.9.9",
        ),
        (
            "cidr:{{203.0.113.0/24 550 5.9.9 net}}",
            "192.0.2.11",
            "250 2.1.5",
        ),
        ("inline:{{203.0=550 5.9.9 net}}", "203.0.113.1", "550 5.9.9"),
        (
            "inline:{{203.0.11=550 5.9.9 net}}",
            "203.0.113.1",
            "250 2.1.5",
        ),
        (
            "inline:{{2001:db8=550 5.9.9 net}}",
            "2001:db8::7",
            "550 5.9.9",
        ),
        (
            "regexp:{{/^203/ 550 5.9.9 net}}",
            "203.0.113.1",
            "550 5.9.9",
        ),
    ] {
        let rules = Rules::new(&format!(
            "smtpd_recipient_restrictions = check_client_access {table}"
        ));
        assert_eq!(
            rules.rcpt_from(client, "a@here.org"),
            expected,
            "{table} {client}"
        );
    }
}

/// SMTPD_ACCESS_README, "Getting selective with SMTP access restriction lists"; postconf(5), `smtpd_delay_reject` and
/// `smtpd_relay_before_recipient_restrictions`.
#[test]
fn lists_are_asked_in_order() {
    let lists = |more: &str| {
        Rules::new(&format!(
            "smtpd_recipient_restrictions = check_recipient_access inline:{{{{x@else.org=550 5.9.1 rcpt}},{{b@here.org=550 5.9.1 rcpt}}}}
             smtpd_relay_restrictions = check_recipient_access inline:{{{{b@here.org=550 5.9.2 relay}}}}, permit_mynetworks, reject_unauth_destination
             smtpd_sender_restrictions = check_recipient_access inline:{{{{a@here.org=550 5.9.3 sender}},c@here.org=OK}}
             smtpd_helo_restrictions = check_recipient_access inline:{{{{a@here.org=550 5.9.4 helo}},{{d@here.org=550 5.9.4 helo}}}}
             smtpd_client_restrictions = check_recipient_access inline:{{{{a@here.org=550 5.9.5 client}},c@here.org=OK}}
             {more}"
        ))
    };
    let rules = lists("");
    check(
        "from outside",
        |address| rules.rcpt(address),
        &[
            ("a@here.org", "550 5.9.5"),
            ("b@here.org", "550 5.9.2"),
            ("c@here.org", "250 2.1.5"),
            ("d@here.org", "550 5.9.4"),
            ("x@else.org", "554 5.7.1"),
        ],
    );
    check(
        "from inside",
        |address| rules.rcpt_from("192.0.2.11", address),
        &[("x@else.org", "550 5.9.1"), ("y@else.org", "250 2.1.5")],
    );
    let rules = lists("smtpd_relay_before_recipient_restrictions = no");
    check(
        "recipient restrictions first",
        |address| rules.rcpt(address),
        &[("b@here.org", "550 5.9.1"), ("x@else.org", "550 5.9.1")],
    );
    // Without a delay, the first three lists know no recipient.
    let rules = lists("smtpd_delay_reject = no");
    check(
        "no delay",
        |address| rules.rcpt(address),
        &[
            ("a@here.org", "250 2.1.5"),
            ("d@here.org", "250 2.1.5"),
            ("b@here.org", "550 5.9.2"),
        ],
    );
    let rules = Rules::new(
        "smtpd_delay_reject = no
         smtpd_sender_restrictions = reject_unlisted_recipient, check_client_access inline:{203.0.113.1=REJECT}
         local_recipient_maps = inline:{a=1}",
    );
    assert_eq!(rules.rcpt("a@here.org"), "554 5.7.1");
    assert_eq!(rules.rcpt_from("192.0.2.11", "a@here.org"), "250 2.1.5");
    assert_eq!(rules.rcpt_from("192.0.2.11", "b@here.org"), "550 5.1.1");
}

/// RESTRICTION_CLASS_README, and postconf(5) of each code.
#[test]
fn classes_and_codes() {
    let rules = Rules::new(
        "access_map_reject_code = 553
         reject_code = 556
         defer_code = 452
         relay_domains_reject_code = 555
         smtpd_restriction_classes = cl, out, nest
         cl = check_recipient_access inline:{c@here.org=REJECT}, permit
         nest = cl
         out = reject
         smtpd_recipient_restrictions = check_recipient_access inline:{a@here.org=cl, c@here.org=nest, d@here.org=REJECT, e@here.org=out}, check_recipient_access inline:{{f@here.org=defer_if_permit, permit}}",
    );
    check(
        "classes",
        |address| rules.rcpt(address),
        &[
            ("a@here.org", "250 2.1.5"),
            ("c@here.org", "553 5.7.1"),
            ("d@here.org", "553 5.7.1"),
            ("e@here.org", "556 5.7.1"),
            ("x@else.org", "555 5.7.1"),
        ],
    );
    // A code that does not refuse is a mistake of the configuration.
    let rules = Rules::new(
        "relay_domains_reject_code = 454\nunknown_local_recipient_reject_code = 250\nlocal_recipient_maps = inline:{a=1}\nsmtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination",
    );
    check(
        "codes that do not refuse",
        |address| rules.rcpt(address),
        &[
            ("x@else.org", "450 4.7.1"),
            ("b@here.org", "450 4.7.1"),
            ("a@here.org", "250 2.1.5"),
        ],
    );
    for (list, address, expected) in [
        ("defer", "a@here.org", "450 4.3.2"),
        ("reject", "a@here.org", "554 5.7.1"),
        ("permit, reject", "a@here.org", "250 2.1.5"),
        ("permit_auth_destination, reject", "a@here.org", "250 2.1.5"),
        ("defer_unauth_destination", "a@here.org", "250 2.1.5"),
        ("reject_non_fqdn_recipient", "a@short", "504 5.5.2"),
        ("reject_non_fqdn_recipient", "a@here.org", "250 2.1.5"),
        ("reject_unknown_recipient_domain", "a@here.org", "250 2.1.5"),
        // A table that fails is a mistake of the configuration.
        ("check_recipient_access fail:x", "a@here.org", "451 4.3.5"),
        (
            "check_recipient_access fail:x, reject",
            "a@here.org",
            "451 4.3.5",
        ),
        (
            "warn_if_reject check_recipient_access fail:x",
            "a@here.org",
            "250 2.1.5",
        ),
        ("check_policy_service inet:h:1", "a@here.org", "?"),
        (
            "reject, check_policy_service inet:h:1",
            "a@here.org",
            "554 5.7.1",
        ),
        (
            "reject_rbl_client b.example, check_sender_access fail:x",
            "a@here.org",
            "250 2.1.5",
        ),
    ] {
        let rules = Rules::new(&format!(
            "mydestination = here.org, short\nsmtpd_recipient_restrictions = {list}"
        ));
        assert_eq!(rules.rcpt(address), expected, "{list}");
    }
    let rules = Rules::new(
        "smtpd_relay_restrictions = permit_mynetworks, defer_unauth_destination\nsmtpd_recipient_restrictions = reject_unknown_recipient_domain",
    );
    assert_eq!(rules.rcpt("x@else.org"), "454 4.7.1");
    assert_eq!(rules.rcpt_from("192.0.2.11", "x@else.org"), "?");
}

/// access(5), "HOST ADDRESS PATTERNS": what is refused by the address of a client is not known of a client without one.
#[test]
fn clients_whose_address_is_not_known() {
    let directory = Directory::default();
    for (main_cf, expected) in [
        ("", "250"),
        (
            "smtpd_client_restrictions = check_client_access cidr:{{192.0.2.0/24 REJECT}}",
            "?",
        ),
        (
            "smtpd_recipient_restrictions = check_client_access inline:{a=OK}",
            "?",
        ),
    ] {
        let rules = Rules::new(main_cf);
        let now = Circumstances::default();
        let answer = rules
            .0
            .rcpt(0, "x@here.org", SmtpClient::Unknown, &directory, &now);
        let code = answer.map_or("?".to_owned(), |answer| answer.reply.code.to_string());
        assert_eq!(code, expected, "{main_cf}");
    }
}
