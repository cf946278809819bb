//! What smtp(8) and lmtp(8) do with a recipient: generic(5), and postconf(5) of the filters of delivery statuses.

use super::Rules;
use crate::directory::Directory;

/// The recipient that the client of a transport gives to the next host.
fn given(rules: &Rules, transport: &str, recipient: &str) -> String {
    let client = &rules.0.hosts[0].agents.clients[transport];
    client
        .rewritten(recipient, &Directory::default())
        .unwrap_or("?".to_owned())
}

/// generic(5), "TABLE SEARCH ORDER" and "RESULT FORMAT"; postconf(5), `propagate_unmatched_extensions`.
#[test]
fn generic_addresses() {
    let maps = "smtp_generic_maps = inline:{a@here.org=b@there.org, b@there.org=never@x, ext@here.org=t@there.org, u=v@there.org, @cat.org=@dog.org, @one.org=one@there.org, w=bare}";
    let propagates = format!("{maps}\npropagate_unmatched_extensions = generic");
    for (main_cf, transport, recipient, expected) in [
        // Once only.
        (maps, "smtp", "a@here.org", "b@there.org"),
        (maps, "relay", "a@here.org", "b@there.org"),
        (maps, "lmtp", "a@here.org", "a@here.org"),
        (maps, "smtp", "ext+x@here.org", "t@there.org"),
        (maps, "smtp", "u@here.org", "v@there.org"),
        (maps, "smtp", "u@else.org", "u@else.org"),
        (maps, "smtp", "x+y@cat.org", "x+y@dog.org"),
        (maps, "smtp", "x@one.org", "one@there.org"),
        (&propagates, "smtp", "ext+x@here.org", "t+x@there.org"),
        (&propagates, "smtp", "x+y@cat.org", "x+y@dog.org"),
        (&propagates, "smtp", "x+y@one.org", "one@there.org"),
        (
            "lmtp_generic_maps = inline:{a@here.org=b@there.org}",
            "lmtp",
            "a@here.org",
            "b@there.org",
        ),
        (
            "lmtp_generic_maps = inline:{a@here.org=b@there.org}",
            "smtp",
            "a@here.org",
            "a@here.org",
        ),
        ("smtp_generic_maps = fail:x", "smtp", "a@here.org", "?"),
    ] {
        let rules = Rules::new(main_cf);
        assert_eq!(
            given(&rules, transport, recipient),
            expected,
            "{main_cf} {transport} {recipient}"
        );
    }
}

/// postconf(5): `default_delivery_status_filter`, `smtp_delivery_status_filter`, `lmtp_delivery_status_filter`.
#[test]
fn filters_of_delivery_statuses() {
    let filter =
        "regexp:{{/^5(.4.4 .*)$$/ 4$$1}, {/^4(.2.2 .*)$$/ 5$$1}, {/^5.1.1 (.*)$$/ 5.1.6 gone}}";
    for (main_cf, transport, status, expected) in [
        (
            format!("smtp_delivery_status_filter = {filter}"),
            "smtp",
            "5.4.4 not found",
            "4.4.4 not found",
        ),
        (
            format!("smtp_delivery_status_filter = {filter}"),
            "smtp",
            "4.2.2 full",
            "5.2.2 full",
        ),
        (
            format!("smtp_delivery_status_filter = {filter}"),
            "smtp",
            "5.1.1 unknown",
            "5.1.6 gone",
        ),
        (
            format!("smtp_delivery_status_filter = {filter}"),
            "smtp",
            "5.7.1 no",
            "5.7.1 no",
        ),
        (
            format!("smtp_delivery_status_filter = {filter}"),
            "lmtp",
            "5.4.4 not found",
            "5.4.4 not found",
        ),
        (
            format!("default_delivery_status_filter = {filter}"),
            "lmtp",
            "5.4.4 not found",
            "4.4.4 not found",
        ),
        (
            format!("default_delivery_status_filter = {filter}\nlmtp_delivery_status_filter ="),
            "lmtp",
            "5.4.4 not found",
            "5.4.4 not found",
        ),
    ] {
        let rules = Rules::new(&main_cf);
        let client = &rules.0.hosts[0].agents.clients[transport];
        let filtered = client.filtered(status, &Directory::default());
        assert_eq!(
            filtered.as_deref(),
            Ok(expected),
            "{main_cf} {transport} {status}"
        );
    }
}

/// transport(5), error(8), discard(8), pipe(8): what becomes of mail that goes no further.
#[test]
fn ends_of_transports() {
    for (transport, expected) in [
        ("error:5.2.1 no", "a@here.org error:5.2.1 no bounced"),
        // bounce(8) and defer(8) do not use a status of another class.
        ("error:4.2.1 later", "a@here.org error:4.2.1 later bounced"),
        ("retry:5.2.1 no", "a@here.org retry:5.2.1 no deferred"),
        ("error:no", "a@here.org error:no bounced"),
        ("retry:4.2.1 later", "a@here.org retry:4.2.1 later deferred"),
        ("retry:later", "a@here.org retry:later deferred"),
        ("discard:gone", "a@here.org discard:gone discarded"),
        ("nosuch:x", "a@here.org nosuch:x deferred"),
        ("maildrop:x", "a@here.org maildrop:x not modelled"),
        ("virtual:x", "a@here.org virtual:x deferred"),
        (
            "lmtp:unix:private/x",
            "a@here.org lmtp:unix:private/x delivered",
        ),
        // From the chroot of Debian's lmtp(8).
        ("lmtp:unix:/run/x", "a@here.org lmtp:unix:/run/x deferred"),
        (
            "lmtp:inet:[far.org]:24",
            "a@here.org lmtp:inet:[far.org]:24 delivered",
        ),
        (
            "smtp:[far.org]:587",
            "a@here.org smtp:[far.org]:587 delivered",
        ),
        (
            "smtp:[host.here.org]",
            "a@here.org smtp:[host.here.org] loop",
        ),
        ("smtp:[far.org]:0", "a@here.org smtp:[far.org]:0 deferred"),
    ] {
        let rules = Rules::new(&format!(
            "transport_maps = inline:{{{{a@here.org={transport}}}}}"
        ));
        let expected = match expected.ends_with("not modelled") {
            true => "a@here.org  not modelled",
            false => expected,
        };
        assert_eq!(rules.ends("a@here.org"), [expected], "{transport}");
    }
    let rules =
        Rules::new("soft_bounce = yes\ntransport_maps = inline:{{a@here.org=error:5.2.1 no}}");
    assert_eq!(
        rules.ends("a@here.org"),
        ["a@here.org error:5.2.1 no deferred"]
    );
}

/// postconf(5): `defer_transports`, `smtp_reply_filter`, `lmtp_reply_filter`.
#[test]
fn transports_that_wait_or_are_filtered() {
    for (main_cf, expected) in [
        (
            "defer_transports = uucp, smtp",
            "a@far.org retry:4.3.2 deferred transport deferred",
        ),
        (
            "defer_transports = relay",
            "a@far.org smtp:far.org delivered",
        ),
        (
            "smtp_reply_filter = regexp:{{/^250/ 450}}",
            "a@far.org  not modelled",
        ),
        (
            "lmtp_reply_filter = regexp:{{/^250/ 450}}",
            "a@far.org smtp:far.org delivered",
        ),
    ] {
        assert_eq!(
            Rules::new(main_cf).ends("a@far.org"),
            [expected],
            "{main_cf}"
        );
    }
}

/// smtp(8), "SMTP DESTINATION SYNTAX" and "loops back to myself"; lmtp(8) looks for no loop.
#[test]
fn next_hops_on_the_host_itself() {
    let elsewhere = "inet_interfaces = 192.0.2.5";
    for (main_cf, nexthop, action) in [
        ("", "smtp:[127.0.0.1]", "loop"),
        ("", "smtp:127.0.0.1", "loop"),
        ("", "smtp:[::1]:25", "loop"),
        ("", "smtp:[127.0.0.1]:10025", "not modelled"),
        ("", "smtp:[localhost]:25", "not modelled"),
        (elsewhere, "smtp:[127.0.0.1]", "not modelled"),
        (
            "inet_interfaces = loopback-only",
            "smtp:[127.0.0.1]",
            "loop",
        ),
        ("", "lmtp:inet:[127.0.0.1]:24", "delivered"),
        ("", "smtp:[198.51.100.1]", "delivered"),
    ] {
        let main_cf = format!("{main_cf}\ntransport_maps = static:{nexthop}");
        let ends = Rules::new(&main_cf).ends("x@far.org");
        assert!(
            ends[0].ends_with(&format!(" {action}")),
            "{main_cf}: {ends:?}"
        );
    }
}
