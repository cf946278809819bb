//! Who reaches a host, which options hide what the role needs, and what follows a changed parameter.

use super::faults::{host, judged, one_with};
use super::*;

/// A host whose role other hosts must reach on port 25.
pub(super) fn reached(main_cf: &str, smtp: &str) -> Bench {
    let mut bench = host(main_cf, "");
    let lines = String::from_utf8(bench.postfix_live().master_cf.bytes().to_vec()).unwrap();
    let lines = lines.replace("smtp inet n - y - - smtpd\n", smtp);
    bench.postfix_live().master_cf = MasterCf::parse(lines.as_bytes()).into();
    let listens = &mut bench.desired.postfix_mut().listens;
    listens.ports.insert("smtp".to_owned());
    listens.addresses.push("192.0.2.5".to_owned());
    bench.want("relay_domains", "example.org")
}

const SMTP: &str = "smtp inet n - y - - smtpd\n";

#[test]
fn a_listener_that_no_other_host_reaches_is_refused_on_first_contact() {
    for (main_cf, smtp, word) in [
        (
            "inet_interfaces = localhost\n",
            SMTP,
            "`inet_interfaces = localhost`",
        ),
        ("inet_interfaces = loopback-only\n", SMTP, "loopback-only"),
        (
            "inet_interfaces = 127.0.0.1, [::1]\n",
            "25 inet n - y - - smtpd\n",
            "127.0.0.1",
        ),
        (
            "",
            "127.0.0.1:smtp inet n - y - - smtpd\n",
            "`127.0.0.1:smtp/inet`",
        ),
        (
            "",
            "[::1]:25 inet n - y - 1 postscreen\n",
            "`[::1]:25/inet`",
        ),
        ("", "", "no service of master.cf listens"),
        ("inet_protocols = ipv6\n", SMTP, "192.0.2.5"),
        (
            "master_service_disable = inet\n",
            SMTP,
            "no service of master.cf listens",
        ),
    ] {
        let bench = reached(main_cf, smtp);
        one_with(&judged(&bench).0, &[word, "other host"]);
        // Once an apply has been made with the flag, it is what the host has.
        let known = bench.ledger(ledger(&[]));
        let (faults, remarks) = judged(&known);
        assert_eq!((faults.len(), remarks.len()), (0, 1), "{remarks:?}");
    }
}

#[test]
fn a_listener_that_others_reach_is_no_fault() {
    for (main_cf, smtp) in [
        ("", SMTP),
        ("inet_interfaces = 127.0.0.1, 192.0.2.5\n", SMTP),
        ("inet_interfaces = localhost, $myhostname\n", SMTP),
        ("", "25 inet n - y - - smtpd\n"),
        (
            "inet_interfaces = loopback-only\n",
            "192.0.2.5:25 inet n - y - - smtpd\n",
        ),
        ("", "smtp inet n - y - 1 postscreen\n"),
        ("inet_protocols = ipv4\n", SMTP),
    ] {
        assert_eq!(
            judged(&reached(main_cf, smtp)).0,
            [""; 0],
            "{main_cf}{smtp}"
        );
    }
    let mut client = host("inet_interfaces = loopback-only\n", "").want("biff", "no");
    client.desired.postfix_mut().listens = crate::state::Listens::default();
    assert_eq!(judged(&client).0, [""; 0], "a null client");
}

#[test]
fn an_option_that_hides_a_managed_parameter_is_never_converged() {
    let smtp = "smtp inet n - y - - smtpd\n  -o relay_domains=\n";
    let bench = reached("relay_domains = example.org\n", smtp);
    one_with(
        &judged(&bench).0,
        &[
            "`smtp/inet`",
            "-o relay_domains=",
            "options: {relay_domains: null}",
        ],
    );
    let managed = ledger(&[(
        parameter("relay_domains"),
        Origin::Created,
        Some("example.org"),
    )]);
    let bench = bench.ledger(managed);
    assert!(matches!(bench.verdict().verdict, Verdict::Changes(_)));
    let cleanup = host(
        "virtual_alias_maps = hash:/x\n",
        "cleanup unix n - y - 0 cleanup\n  -o virtual_alias_maps=\n",
    );
    one_with(
        &judged(&cleanup.want("virtual_alias_maps", "hash:/x")).0,
        &["`cleanup/unix`"],
    );
    let screen =
        "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n  -o relay_domains=\n";
    one_with(&judged(&reached("", screen)).0, &["`smtpd/pass`"]);
}

#[test]
fn options_that_hide_nothing_of_the_role_are_no_fault() {
    for smtp in [
        // What comes back from a content filter, and submission.
        "smtp inet n - y - - smtpd\n127.0.0.1:10025 inet n - y - - smtpd\n  -o relay_domains=\nsubmission inet n - y - - smtpd\n  -o relay_domains=\n",
        // The same value, and parameters that smtpd(8) does not read.
        "smtp inet n - y - - smtpd\n  -o relay_domains=example.org -o transport_maps= -o smtpd_tls_wrappermode=no\n",
    ] {
        let bench = reached("", smtp).want("transport_maps", "inline:{ a=lmtp:b }");
        assert_eq!(judged(&bench).0, [""; 0], "{smtp}");
    }
    let mut wanted = reached("", "smtp inet n - y - - smtpd\n  -o relay_domains=\n");
    let option = "master.cf:smtp/inet:relay_domains".parse().unwrap();
    wanted
        .desired
        .postfix_mut()
        .values
        .insert(option, Want::Present(String::new()));
    assert_eq!(judged(&wanted).0, [""; 0], "the manifest wants it");
}

#[test]
fn what_follows_a_changed_parameter_is_named_with_its_values() {
    let said = |bench: Bench, words: &[&str]| one_with(&judged(&bench).1, words);
    let main_cf =
        "local_recipient_maps = ldap:/a.cf\nsmtpd_sender_login_maps = $local_recipient_maps\n";
    said(
        host(main_cf, "").want("local_recipient_maps", "hash:/b"),
        &[
            "`main.cf:smtpd_sender_login_maps`",
            "`$local_recipient_maps`",
            "from `ldap:/a.cf` to `hash:/b`",
        ],
    );
    let option = "587 inet n - y - - smtpd\n  -o smtpd_sender_login_maps=$virtual_alias_maps\n";
    said(
        host("", option).want("virtual_alias_maps", "hash:/b"),
        &[
            "`master.cf:587/inet:smtpd_sender_login_maps`",
            "from nothing to `hash:/b`",
        ],
    );
    said(
        host("myhostname = a.b\nmydomain = b\nmyorigin = x\n", "").want("myhostname", "c.d"),
        &["defaults change", "`smtp_helo_name`: `a.b` → `c.d`"],
    );
    let none = host("x = $relayhost\nsmtpd_banner = $myhostname\n", "").want("biff", "no");
    assert_eq!(judged(&none).1, [""; 0]);
}
