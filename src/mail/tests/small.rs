//! Single rules: postconf(5), `smtpd_command_filter`, `sleep`; access(5) without `check_recipient_access`; virtual(5), `@domain`; aliases(5), case.

use super::{Rules, check};

/// postconf(5), `smtpd_command_filter`: the command is replaced before a list is asked.
#[test]
fn a_command_is_replaced_first() {
    let rules = Rules::new(
        "smtpd_command_filter = inline:{{RCPT TO:<a@here.org>=RCPT TO:<>}}
         smtpd_recipient_restrictions = reject",
    );
    let cases = [("a@here.org", "501 5.1.3"), ("b@here.org", "554 5.7.1")];
    check("filter", |address| rules.rcpt(address), &cases);
}

/// RFC 5321, 4.5.1: postmaster without a domain, in any case.
#[test]
fn postmaster_is_always_taken() {
    let rules = Rules::new("smtpd_recipient_restrictions = reject");
    let cases = [("postmaster", "250 2.1.5"), ("PostMaster", "250 2.1.5")];
    check("postmaster", |address| rules.rcpt(address), &cases);
}

/// postconf(5), `smtpd_recipient_restrictions`: `sleep` has an argument, and a bare table is one for recipients.
#[test]
fn words_of_lists() {
    let rules =
        Rules::new("smtpd_recipient_restrictions = sleep 1, inline:{a@here.org=REJECT}, permit");
    let cases = [("a@here.org", "554 5.7.1"), ("b@here.org", "250 2.1.5")];
    check("words", |address| rules.rcpt(address), &cases);
}

/// virtual(5): `@domain` keeps the user, and its extension once.
#[test]
fn a_domain_keeps_the_user() {
    let rules = Rules::new("virtual_alias_maps = inline:{a@here.org=@there.org}");
    let cases = [
        ("a@here.org", "a@there.org"),
        ("a+x@here.org", "a+x@there.org"),
    ];
    check("domain", |address| rules.recipients(address), &cases);
}

/// aliases(5): names are looked up in lower case.
#[test]
fn aliases_have_no_case() {
    let rules = Rules::new("alias_maps = inline:{team=x@other.org}");
    assert!(
        rules.ends("TEAM@here.org")[0].starts_with("x@other.org"),
        "{:?}",
        rules.ends("TEAM@here.org")
    );
}
