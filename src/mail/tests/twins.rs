//! Hosts are twins if the model reads the same of both.

use super::Rules;

fn digest(main_cf: &str, files: &[(&str, &str)]) -> String {
    let rules = Rules::with_files(main_cf, files);
    rules.0.hosts.first().unwrap().anonymous.clone()
}

#[test]
fn parameters_that_decide_about_no_route_make_no_difference() {
    let plain = digest("", &[]);
    for main_cf in [
        "smtpd_banner = $myhostname ESMTP",
        "biff = no",
        "message_size_limit = 1\nmaximal_queue_lifetime = 1d",
        "smtpd_tls_cert_file = /etc/x.pem",
    ] {
        assert_eq!(digest(main_cf, &[]), plain, "{main_cf}");
    }
}

#[test]
fn parameters_that_decide_about_routes_make_a_difference() {
    let mut seen = vec![digest("", &[])];
    for main_cf in [
        "recipient_delimiter = -",
        "relayhost = [a.example.org]",
        "relayhost = $smtpd_banner\nsmtpd_banner = [b.example.org]",
        "mynetworks = 127.0.0.0/8",
        "soft_bounce = yes",
        "local_recipient_maps = inline:{{a=b}}",
        "local_recipient_maps = inline:{{a=c}}",
        "virtual_alias_maps = inline:{{a=b}}",
        "virtual_alias_expansion_limit = 7",
        "transport_maps = static:error",
        "default_transport = relay",
        "smtpd_recipient_restrictions = check_recipient_access static:reject",
        "unknown_local_recipient_reject_code = 450",
        "lmtp_delivery_status_filter = regexp:/etc/postfix/f",
        "local_transport = lmtp:unix:/x",
        "relay_domains = cidr:/etc/postfix/f",
    ] {
        let own = digest(main_cf, &[]);
        assert!(!seen.contains(&own), "{main_cf}");
        seen.push(own);
    }
}

#[test]
fn texts_of_tables_make_a_difference_and_the_order_of_keys_none() {
    let of = |kind: &str, text| {
        let main_cf = format!("transport_maps = {kind}:/etc/postfix/t");
        digest(&main_cf, &[("/etc/postfix/t", text)])
    };
    for kind in ["hash", "regexp", "pcre"] {
        assert_ne!(of(kind, "/a/ x:\n"), of(kind, "/a/ y:\n"), "{kind}");
        assert_ne!(of(kind, "/a/ x:\n"), of(kind, "/b/ x:\n"), "{kind}");
    }
    // An `i` after the expression turns the default of regexp_table(5) round.
    assert_ne!(of("regexp", "/a/ x:\n"), of("regexp", "/a/i x:\n"));
    assert_ne!(
        of("cidr", "192.0.2.1 x:\n"),
        of("cidr", "192.0.2.0/24 x:\n")
    );
    let many: String = (0..50).map(|number| format!("k{number} x:\n")).collect();
    assert_eq!(of("hash", &many), of("hash", &many));
}
