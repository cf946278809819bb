//! Hosts through which strangers relay, and listeners that take recipients without asking the tables of the role.

use super::faults::{host, judged, one_with};
use super::reach::reached;

const GUARDED: &str = "permit_mynetworks, reject_unauth_destination";

#[test]
fn an_open_relay_is_refused_where_the_plan_makes_it_and_remarked_where_it_was_one() {
    let client = "smtpd_client_restrictions = permit_sasl_authenticated";
    for (before, name, value, word) in [
        ("", "mynetworks", "127.0.0.0/8, 0.0.0.0/0", "`0.0.0.0/0`"),
        ("", "mynetworks", "!192.0.2.1 [2000::]/3", "`[2000::]/3`"),
        ("site = 0.0.0.0/1\n", "mynetworks", "$site", "`0.0.0.0/1`"),
        ("", "mynetworks", "static:all", "`static:all`"),
        ("", "relay_domains", "static:all", "`relay_domains`"),
        (
            "",
            "smtpd_relay_restrictions",
            "check_helo_access static:OK, reject_unauth_destination",
            "`check_helo_access static:OK`",
        ),
        (
            "smtpd_tls_ask_ccert = yes\n",
            "smtpd_relay_restrictions",
            "permit_tls_all_clientcerts, reject_unauth_destination",
            "`permit_tls_all_clientcerts`",
        ),
        // The guard of the other list keeps smtpd(8) alive, and is behind a class that permits.
        (
            "smtpd_restriction_classes = all\nall = permit\nsmtpd_relay_restrictions =\n",
            "smtpd_recipient_restrictions",
            "all, reject_unauth_destination",
            "`permit` in `smtpd_recipient_restrictions`",
        ),
    ] {
        let guarded = format!("smtpd_relay_restrictions = {GUARDED}\n");
        let lists = match before.contains("smtpd_relay") || name.contains("smtpd_relay") {
            true => before.to_owned(),
            false => format!("{guarded}{before}"),
        };
        let bench = host(&format!("{lists}{client}\n"), "").want(name, value);
        let (faults, _) = judged(&bench);
        one_with(&faults, &["open relay", word, "`smtp/inet`"]);
        let old = host(&format!("{lists}{name} = {value}\n"), "").want("biff", "no");
        let (faults, remarks) = judged(&old);
        assert_eq!(faults, [""; 0], "{name}");
        one_with(&remarks, &["open relay", word]);
        // Who may connect at all is settled before.
        let shut = host(&format!("{lists}{before}{client}, reject\n"), "");
        assert_eq!(judged(&shut.want(name, value)).0, [""; 0], "{name}");
    }
}

#[test]
fn a_host_that_stops_strangers_anywhere_is_no_open_relay() {
    for (main_cf, services) in [
        ("mynetworks = 10.0.0.0/8\n", ""),
        // The other list stops them.
        (
            "mynetworks = 0.0.0.0/0\nsmtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n\
             smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination\n",
            "",
        ),
        // Postfix ignores these where they would outdo `reject_unauth_destination`.
        (
            "smtpd_relay_restrictions = permit_dnswl_client list.example, permit_mx_backup, reject_unauth_destination\n",
            "",
        ),
        (
            "smtpd_relay_restrictions = check_client_access static:DUNNO, permit_auth_destination, reject\n",
            "",
        ),
        (
            "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination, permit\n",
            "",
        ),
        (
            "smtpd_relay_restrictions = permit_tls_all_clientcerts, reject\n",
            "",
        ),
        // No other host reaches it.
        (
            "",
            "127.0.0.1:10025 inet n - n - - smtpd\n  -o mynetworks=0.0.0.0/0\n",
        ),
        // Whoever has a table of clients lists in it who may connect.
        (
            "mynetworks = 0.0.0.0/0\nsmtpd_client_restrictions = check_client_access cidr:/etc/postfix/clients\n\
             smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n",
            "",
        ),
    ] {
        let bench = host(main_cf, services).want("biff", "no");
        let (faults, remarks) = judged(&bench);
        assert_eq!(faults, [""; 0], "{main_cf}");
        assert!(
            !remarks.iter().any(|text| text.contains("relay")),
            "{main_cf}: {remarks:?}"
        );
    }
}

#[test]
fn lists_without_a_guard_are_refused_where_the_plan_brings_them() {
    let dead = ["stops relaying", "fatal error", "`smtp/inet`"];
    for list in ["permit, reject_unauth_destination", "permit_mynetworks", ""] {
        let lists = "smtpd_relay_restrictions = reject_unauth_destination\n";
        let brought = host(lists, "").want("smtpd_relay_restrictions", list);
        one_with(&judged(&brought).0, &dead);
        let there = format!("smtpd_relay_restrictions = {list}\n");
        let (faults, remarks) = judged(&host(&there, "").want("biff", "no"));
        assert_eq!(faults, [""; 0]);
        one_with(&remarks, &dead);
    }
    let options = "submission inet n - y - - smtpd\n  -o smtpd_relay_restrictions=permit_sasl_authenticated\n  \
                   -o smtpd_recipient_restrictions=\n";
    let (_, remarks) = judged(&host("", options).want("biff", "no"));
    one_with(&remarks, &["stops relaying", "`submission/inet`"]);
}

#[test]
fn a_listener_that_accepts_unknown_recipients_is_judged_as_an_option_that_hides_their_table() {
    let option = |option: &str| format!("smtp inet n - y - - smtpd\n  -o {option}\n");
    let plain = option("biff=no");
    let unknown = "receive_override_options=no_header_body_checks,no_unknown_recipient_checks";
    let screened = "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n  -o ";
    let list = |words: &str| format!("smtpd_relay_restrictions = {words}\n");
    for (main_cf, smtp, words) in [
        (
            String::new(),
            option(unknown),
            ["`smtp/inet`", "options: {receive_override_options: null}"],
        ),
        (
            String::new(),
            format!("{screened}{unknown}\n"),
            ["`smtpd/pass`", "options: {receive_override_options: null}"],
        ),
        (
            "receive_override_options = no_unknown_recipient_checks\n".to_owned(),
            plain.clone(),
            ["main.cf", "settings: {receive_override_options: null}"],
        ),
        (
            String::new(),
            option("smtpd_reject_unlisted_recipient=no"),
            ["`smtp/inet`", "smtpd_reject_unlisted_recipient: null"],
        ),
        (
            list("warn_if_reject reject_unlisted_recipient, reject_unauth_destination"),
            option("smtpd_reject_unlisted_recipient=no"),
            ["`smtp/inet`", "bounces"],
        ),
        (
            "off = no\nsmtpd_reject_unlisted_recipient = $off\n".to_owned(),
            plain.clone(),
            ["main.cf", "`relay_recipient_maps`"],
        ),
    ] {
        let bench = reached(&main_cf, &smtp).want("relay_recipient_maps", "inline:{a@b=x}");
        one_with(&judged(&bench).0, &words);
    }
    // It is asked for once where the manifest itself sets it, and it is no fault where nothing counts on the tables.
    let off = ("smtpd_reject_unlisted_recipient", "no");
    let wanted = reached("", &plain).want("relay_recipient_maps", "inline:{a@b=x}");
    assert_eq!(judged(&wanted.want(off.0, off.1)).0.len(), 1);
    let there = reached("smtpd_reject_unlisted_recipient = no\n", &plain);
    let there = there
        .want(off.0, off.1)
        .want("relay_recipient_maps", "inline:{a@b=x}");
    // The table is new, and what accepts all others with it.
    assert_eq!(judged(&there).0.len(), 1);
    for (main_cf, smtp, maps) in [
        (String::new(), option(unknown), ""),
        (
            list("reject_unlisted_recipient, reject_unauth_destination"),
            option("smtpd_reject_unlisted_recipient=no"),
            "inline:{a@b=x}",
        ),
        (
            String::new(),
            format!("{plain}127.0.0.1:10025 inet n - n - - smtpd\n  -o {unknown}\n"),
            "inline:{a@b=x}",
        ),
    ] {
        let bench = reached(&main_cf, &smtp).want("relay_recipient_maps", maps);
        assert_eq!(judged(&bench).0, [""; 0], "{smtp}");
    }
}

#[test]
fn a_listener_that_leaves_addresses_needs_a_filter_behind_it() {
    let smtp = "smtp inet n - y - - smtpd\n  -o receive_override_options=no_address_mappings\n";
    let maps = |main_cf: &str, services: &str| {
        reached(main_cf, services).want("virtual_alias_maps", "inline:{a@b=x}")
    };
    one_with(
        &judged(&maps("", smtp)).0,
        &["`smtp/inet`", "`virtual_alias_maps`"],
    );
    let scan = format!("{smtp}scan unix - - n - 2 smtp\n");
    assert_eq!(
        judged(&maps("content_filter = scan:[127.0.0.1]:10024\n", &scan)).0,
        [""; 0]
    );
    let checked = "smtpd_sender_restrictions = check_sender_access regexp:/etc/postfix/filter\nsmtpd_relay_restrictions = reject\n";
    assert_eq!(judged(&maps(checked, smtp)).0, [""; 0]);
}

#[test]
fn an_empty_list_of_local_recipients_is_remarked_where_the_role_knows_its_recipients() {
    let empty = "local_recipient_maps =\nmydestination = mx.example.org\n";
    let bench = |main_cf: &str| {
        reached(main_cf, "smtp inet n - y - - smtpd\n")
            .want("relay_recipient_maps", "inline:{a@b=x}")
    };
    let said = |main_cf: &str| {
        let (faults, remarks) = judged(&bench(main_cf));
        assert_eq!(faults, [""; 0], "{main_cf}");
        remarks
            .into_iter()
            .filter(|text| text.contains("is empty"))
            .collect::<Vec<_>>()
    };
    one_with(&said(empty), &["`local_recipient_maps`", "bounces"]);
    for other in [
        "local_recipient_maps =\nmydestination =\n",
        "mydestination = mx.example.org\n",
        "local_recipient_maps =\nmydestination = mx.example.org\nlocal_transport = error:no\n",
        "local_recipient_maps =\nmydestination = mx.example.org\nluser_relay = joe\n",
    ] {
        assert_eq!(said(other), [""; 0]);
    }
}
