//! Restrictions that change what others decide: postconf(5), `smtpd_recipient_restrictions`.

use super::{Rules, check};

/// postconf(5), `smtpd_recipient_restrictions`: `warn_if_reject`, `defer_if_permit`, `defer_if_reject`.
#[test]
fn restrictions_that_change_others() {
    let rcpt = "smtpd_recipient_restrictions =";
    for (main_cf, cases) in [
        (
            format!(
                "{rcpt} defer_if_permit, check_recipient_access inline:{{a@here.org=OK, b@here.org=REJECT}}"
            ),
            &[
                ("a@here.org", "450 4.7.0"),
                ("b@here.org", "554 5.7.1"),
                ("c@here.org", "450 4.7.0"),
                ("x@else.org", "554 5.7.1"),
            ][..],
        ),
        (
            format!(
                "{rcpt} defer_if_reject, check_recipient_access inline:{{a@here.org=OK, b@here.org=REJECT}}"
            ),
            &[
                ("a@here.org", "250 2.1.5"),
                ("b@here.org", "450 4.7.0"),
                ("c@here.org", "250 2.1.5"),
                ("x@else.org", "554 5.7.1"),
            ],
        ),
        // From one list to the next: within RCPT only.
        (
            format!(
                "smtpd_relay_restrictions = defer_if_reject, reject_unauth_destination\n{rcpt} check_recipient_access inline:{{b@here.org=REJECT}}"
            ),
            &[("b@here.org", "450 4.7.0"), ("a@here.org", "250 2.1.5")],
        ),
        (
            format!(
                "smtpd_client_restrictions = defer_if_reject\n{rcpt} check_recipient_access inline:{{b@here.org=REJECT}}"
            ),
            &[("b@here.org", "554 5.7.1"), ("a@here.org", "250 2.1.5")],
        ),
        (
            format!(
                "smtpd_client_restrictions = defer_if_permit\nlocal_recipient_maps = inline:{{a=1}}\n{rcpt} check_recipient_access inline:{{b@here.org=REJECT}}, permit"
            ),
            &[
                ("b@here.org", "554 5.7.1"),
                ("a@here.org", "450 4.7.0"),
                ("unlisted@here.org", "450 4.7.0"),
                ("x@else.org", "554 5.7.1"),
            ],
        ),
        (
            format!("local_recipient_maps = inline:{{a=1}}\n{rcpt} defer_if_reject"),
            &[
                ("unlisted@here.org", "450 4.7.0"),
                ("a@here.org", "250 2.1.5"),
            ],
        ),
        // A warning refuses nothing, and does not replace the check at the end.
        (
            format!(
                "local_recipient_maps = inline:{{b=1, c=1}}\n{rcpt} warn_if_reject check_recipient_access inline:{{b@here.org=REJECT}}, warn_if_reject reject_unlisted_recipient, check_recipient_access inline:{{c@here.org=REJECT}}"
            ),
            &[
                ("b@here.org", "250 2.1.5"),
                ("c@here.org", "554 5.7.1"),
                ("d@here.org", "550 5.1.1"),
            ],
        ),
        // It holds for all of a class, and ends with it.
        (
            format!(
                "smtpd_restriction_classes = cl\ncl = check_recipient_access inline:{{b@here.org=REJECT}}, check_recipient_access inline:{{b@here.org=OK, c@here.org=REJECT}}\n{rcpt} warn_if_reject cl, check_recipient_access inline:{{{{b@here.org=550 5.9.9 x}},{{c@here.org=550 5.9.8 x}}}}"
            ),
            &[("b@here.org", "250 2.1.5"), ("c@here.org", "550 5.9.8")],
        ),
        (
            format!("{rcpt} warn_if_reject defer_if_permit, warn_if_reject reject"),
            &[("a@here.org", "250 2.1.5")],
        ),
        (
            format!("{rcpt} warn_if_reject defer_if_reject, reject"),
            &[("a@here.org", "450 4.7.0")],
        ),
        // Where both hold, nothing after them in the list can change it, and the next list is evaluated for one restriction.
        (
            format!(
                "{rcpt} check_recipient_access inline:{{{{a@here.org=DEFER_IF_PERMIT 4.1.9 p}},{{b@here.org=DEFER_IF_PERMIT 4.1.9 p}}}}, check_recipient_access inline:{{{{a@here.org=DEFER_IF_REJECT 4.2.9 r}}}}, reject"
            ),
            &[("a@here.org", "450 4.1.9"), ("b@here.org", "554 5.7.1")],
        ),
        (
            format!(
                "smtpd_relay_restrictions = defer_if_permit, defer_if_reject, reject_unauth_destination\n{rcpt} check_recipient_access inline:{{{{b@here.org=450 4.9.9 x}}}}, reject"
            ),
            &[
                ("a@here.org", "450 4.7.0"),
                ("b@here.org", "450 4.9.9"),
                ("x@else.org", "450 4.7.0"),
            ],
        ),
    ] {
        let rules = Rules::new(&main_cf);
        check(&main_cf, |address| rules.rcpt(address), cases);
    }
}
