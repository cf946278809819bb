//! Address classes, and the recipients that smtpd(8) knows in each: ADDRESS_CLASS_README, LOCAL_RECIPIENT_README.

use super::{Rules, check};

/// ADDRESS_CLASS_README: one domain in several lists.
#[test]
fn the_first_class_that_has_a_domain_counts() {
    let rules = Rules::new(
        "mydestination = b1.org
         virtual_alias_domains = b1.org b2.org
         virtual_mailbox_domains = b1.org b2.org b3.org
         relay_domains = b1.org b2.org b3.org b4.org
         local_transport = smtp:local
         virtual_transport = smtp:virtual
         relay_transport = smtp:relay
         default_transport = smtp:default",
    );
    check(
        "classes",
        |address| rules.route(address),
        &[
            ("a@b1.org", "smtp:local"),
            (
                "a@b2.org",
                "error:5.1.1 User unknown in virtual alias table",
            ),
            ("a@b3.org", "smtp:virtual"),
            ("a@b4.org", "smtp:relay"),
            ("a@b5.org", "smtp:default"),
            ("a@sub.b4.org", "smtp:default"),
        ],
    );
}

/// postconf(5): `parent_domain_matches_subdomains`, `mydestination`, `relay_domains`: names, files, tables, exceptions.
#[test]
fn lists_of_domains() {
    let files = [("/etc/postfix/domains", "# names\nfile.org, two.org\n")];
    for (main_cf, cases) in [
        (
            "relay_domains = rel.org .dot.org !not.all.org all.org /etc/postfix/domains inline:{tab.org=1}",
            &[
                ("a@rel.org", "relay:rel.org"),
                ("a@REL.org", "relay:REL.org"),
                ("a@x.rel.org", "smtp:x.rel.org"),
                ("a@x.dot.org", "relay:x.dot.org"),
                ("a@dot.org", "smtp:dot.org"),
                ("a@not.all.org", "smtp:not.all.org"),
                ("a@file.org", "relay:file.org"),
                ("a@two.org", "relay:two.org"),
                ("a@tab.org", "relay:tab.org"),
                ("a@x.tab.org", "smtp:x.tab.org"),
            ][..],
        ),
        (
            "relay_domains = !not.rel.org rel.org inline:{tab.org=1}\nparent_domain_matches_subdomains = relay_domains",
            &[
                ("a@rel.org", "relay:rel.org"),
                ("a@x.rel.org", "relay:x.rel.org"),
                ("a@xrel.org", "smtp:xrel.org"),
                ("a@not.rel.org", "smtp:not.rel.org"),
                ("a@x.not.rel.org", "smtp:x.not.rel.org"),
                ("a@x.y.tab.org", "relay:x.y.tab.org"),
            ],
        ),
        // mydestination never matches subdomains.
        (
            "mydestination = here.org\nlocal_transport = smtp:local\nparent_domain_matches_subdomains = mydestination",
            &[
                ("a@here.org", "smtp:local"),
                ("a@x.here.org", "smtp:x.here.org"),
            ],
        ),
        ("mydestination = fail:x", &[("a@here.org", "?")]),
    ] {
        let rules = Rules::with_files(main_cf, &files);
        check(main_cf, |address| rules.route(address), cases);
    }
}

/// smtpd(8), `reject_unlisted_recipient`, and postconf(5) of each table and code.
#[test]
fn recipients_of_each_class() {
    const CLASSES: &str = "virtual_alias_domains = va.org
         virtual_alias_maps = inline:{x@va.org=x@here.org}
         virtual_mailbox_domains = vm.org
         relay_domains = rel.org\n";
    for (main_cf, cases) in [
        (
            "virtual_mailbox_maps = inline:{x@vm.org=1}\nrelay_recipient_maps = inline:{x@rel.org=1}\nlocal_recipient_maps = inline:{u=1, v@here.org=1}",
            &[
                ("x@va.org", "250 2.1.5"),
                ("x+e@va.org", "250 2.1.5"),
                ("y@va.org", "550 5.1.1"),
                ("postmaster@va.org", "550 5.1.1"),
                ("x@vm.org", "250 2.1.5"),
                ("x+e@vm.org", "250 2.1.5"),
                ("y@vm.org", "550 5.1.1"),
                ("postmaster@vm.org", "550 5.1.1"),
                ("x@rel.org", "250 2.1.5"),
                ("y@rel.org", "550 5.1.1"),
                ("postmaster@rel.org", "550 5.1.1"),
                ("u@here.org", "250 2.1.5"),
                ("u+e@here.org", "250 2.1.5"),
                ("U@HERE.org", "250 2.1.5"),
                ("v@here.org", "250 2.1.5"),
                ("w@here.org", "550 5.1.1"),
                ("abuse@here.org", "550 5.1.1"),
                ("postmaster@here.org", "250 2.1.5"),
                ("mailer-daemon@here.org", "250 2.1.5"),
                ("double-bounce@here.org", "250 2.1.5"),
                // The relay check comes first.
                ("x@sub.rel.org", "554 5.7.1"),
            ][..],
        ),
        // Empty tables check nothing.
        (
            "virtual_mailbox_maps =\nrelay_recipient_maps =\nlocal_recipient_maps =",
            &[
                ("y@vm.org", "250 2.1.5"),
                ("y@rel.org", "250 2.1.5"),
                ("w@here.org", "250 2.1.5"),
            ],
        ),
        (
            "unknown_relay_recipient_reject_code = 551\nunknown_local_recipient_reject_code = 450\nunknown_virtual_mailbox_reject_code = 552\nunknown_virtual_alias_reject_code = 450
             relay_recipient_maps = inline:{a@rel.org=1}\nlocal_recipient_maps = inline:{a=1}\nvirtual_mailbox_maps = inline:{a@vm.org=1}",
            &[
                ("b@rel.org", "551 5.1.1"),
                ("b@here.org", "450 4.1.1"),
                ("b@vm.org", "552 5.1.1"),
                ("b@va.org", "450 4.1.1"),
            ],
        ),
        // Tables that rewrite make an address valid, whatever their classes; those of senders do not.
        (
            "relay_recipient_maps = inline:{zz@rel.org=1}
             recipient_canonical_maps = inline:{a@rel.org=x@here.org}
             recipient_canonical_classes = header_recipient
             canonical_maps = inline:{b@rel.org=x@here.org}
             virtual_alias_maps = inline:{c@rel.org=x@here.org}
             sender_canonical_maps = inline:{d@rel.org=x@here.org}
             transport_maps = inline:{{e@rel.org=error:5.2.1 off}, f@rel.org=retry:, {c@rel.org=error:5.2.1 off}}",
            &[
                ("a@rel.org", "250 2.1.5"),
                ("b@rel.org", "250 2.1.5"),
                ("c@rel.org", "250 2.1.5"),
                ("d@rel.org", "550 5.1.1"),
                ("e@rel.org", "550 5.2.1"),
                ("f@rel.org", "450 4.1.1"),
            ],
        ),
        // A transport that is an error comes before the table of the class.
        (
            "relay_transport = error:5.3.2 rel\nlocal_transport = retry:4.3.2 loc\nvirtual_transport = error:vm\nrelay_recipient_maps = inline:{a@rel.org=1}",
            &[
                ("a@rel.org", "550 5.3.2"),
                ("a@here.org", "450 4.3.2"),
                ("a@vm.org", "550 5.1.1"),
                ("a@va.org", "550 5.1.1"),
                ("a@else.org", "554 5.7.1"),
            ],
        ),
        (
            "relay_recipient_maps = fail:x",
            &[("a@rel.org", "451 4.3.0"), ("a@here.org", "250 2.1.5"), ("x@va.org", "250 2.1.5")],
        ),
        (
            "smtpd_reject_unlisted_recipient = no\nrelay_recipient_maps = inline:{a@rel.org=1}\nsmtpd_recipient_restrictions = check_recipient_access inline:{c@rel.org=reject_unlisted_recipient}",
            &[("b@rel.org", "250 2.1.5"), ("c@rel.org", "550 5.1.1")],
        ),
        (
            "receive_override_options = no_unknown_recipient_checks\nrelay_recipient_maps = inline:{a@rel.org=1}\nsmtpd_recipient_restrictions = reject_unlisted_recipient",
            &[("b@rel.org", "250 2.1.5"), ("y@va.org", "250 2.1.5")],
        ),
        // relocated(5).
        (
            "relocated_maps = inline:{{moved@here.org=new@t.org}, {@gone.org=nowhere}}",
            &[
                ("moved@here.org", "550 5.1.6"),
                ("moved+x@here.org", "550 5.1.6"),
                ("x@gone.org", "554 5.7.1"),
                ("x@here.org", "250 2.1.5"),
            ],
        ),
    ] {
        let rules = Rules::new(&format!("{CLASSES}{main_cf}"));
        check(main_cf, |address| rules.rcpt(address), cases);
    }
    let rules = Rules::new(&format!(
        "{CLASSES}default_transport = error:5.7.1 nothing out"
    ));
    assert_eq!(rules.rcpt_from("192.0.2.11", "a@else.org"), "550 5.7.1");
}
