//! Listeners are known by their port.

use super::*;

/// The values that a plan changes on a host whose listener is this entry, where the manifest sets parts of `smtp/inet`.
fn changes(entries: &str, parts: &[(&str, &str)]) -> Vec<String> {
    let mut bench = Bench::new("");
    let lines = format!("{entries}{}", &MASTER[MASTER.find("lmtp").unwrap()..]);
    bench.postfix_live().master_cf = MasterCf::parse(lines.as_bytes()).into();
    for (part, value) in parts {
        let thing: Thing = format!("master.cf:smtp/inet{part}").parse().unwrap();
        let want = Want::Present((*value).to_owned());
        bench.desired.postfix_mut().values.insert(thing, want);
    }
    let steps = bench.plan().steps.into_iter();
    let things = steps.filter_map(|step| match step {
        Step::Value { thing, .. } => Some(thing.to_string()),
        _ => None,
    });
    things.collect()
}

#[test]
fn a_listener_is_meant_by_its_port() {
    let limit = ":smtpd_client_connection_count_limit";
    let of = |name: &str| format!("master.cf:{name}{limit}");
    for (entries, expected) in [
        ("smtp inet n - y - - smtpd\n", vec![of("smtp/inet")]),
        (
            "25 inet n - y - - smtpd\n  -o smtpd_milters=inet:127.0.0.1:1\n",
            vec![of("25/inet")],
        ),
        (
            "0.0.0.0:25 inet n - y - - smtpd\n[::]:smtp inet n - y - - smtpd\n",
            vec![of("0.0.0.0:25/inet"), of("[::]:smtp/inet")],
        ),
        (
            "smtp inet n - y - - smtpd\n10.0.0.1:25 inet n - y - - smtpd\n",
            vec![of("smtp/inet")],
        ),
        (
            "25 inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n",
            vec![of("smtpd/pass")],
        ),
        (
            "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n",
            vec![of("smtpd/pass")],
        ),
    ] {
        assert_eq!(changes(entries, &[(limit, "20")]), expected, "{entries}");
    }
}

#[test]
fn what_is_of_postscreen_stays_with_postscreen() {
    let screen = "25 inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n";
    assert_eq!(
        changes(
            screen,
            &[(":postscreen_greet_wait", "2s"), ("/process_limit", "9")]
        ),
        [
            "master.cf:smtpd/pass/process_limit",
            "master.cf:25/inet:postscreen_greet_wait"
        ]
    );
    // A command that the manifest sets is the listener's own.
    assert_eq!(
        changes(screen, &[(":smtpd_banner", "x"), ("/command", "smtpd")]),
        [
            "master.cf:25/inet/command",
            "master.cf:25/inet:smtpd_banner"
        ]
    );
}

#[test]
fn other_ports_and_addresses_are_other_listeners() {
    let other = "587 inet n - y - - smtpd\n";
    let made = changes(other, &[("/command", "smtpd")]);
    assert_eq!(made, ["master.cf:smtp/inet"]);
}
