//! Where trivial-rewrite(8) sends a recipient: transport(5), and postconf(5) of the transports of each class.

use super::{Rules, check};

/// transport(5), "TABLE SEARCH ORDER" and "RESULT FORMAT".
#[test]
fn keys_and_results_of_transports() {
    let text = "u+e@here.org smtp:1\nu@here.org smtp:2\nv@here.org smtp:3\nhere.org smtp:4\n.b.rel.org smtp:5\nb.rel.org smtp:6\n.rel.org smtp:7\n\
                n@here.org smtp:\no@here.org :[nx]\np@here.org :\nq@here.org error:\nr@here.org retry:\ns@here.org error:5.2.1 no\nt@here.org nosuch:x\n\
                * smtp:star\nnn@rel.org :\n\"a b\"@here.org smtp:quoted\ncc@here.org smtp:a:b:c\nw smtp:never\n@rel.org smtp:never\n";
    let rules = Rules::with_files(
        "relay_domains = rel.org\nrelayhost = [hub.org]\nlocal_transport = relay:local\ntransport_maps = texthash:/t",
        &[("/t", text)],
    );
    check(
        "transports",
        |address| rules.route(address),
        &[
            ("u+e@here.org", "smtp:1"),
            ("u+f@here.org", "smtp:2"),
            ("U@HERE.org", "smtp:2"),
            ("v+e@here.org", "smtp:3"),
            ("w@here.org", "smtp:4"),
            ("w@a.b.rel.org", "smtp:5"),
            ("w@x.a.b.rel.org", "smtp:5"),
            ("w@b.rel.org", "smtp:6"),
            ("w@c.rel.org", "smtp:7"),
            // `.rel.org` is not `rel.org`, and `@rel.org` is no key.
            ("w@rel.org", "smtp:star"),
            ("w@x.y.z", "smtp:star"),
            ("n@here.org", "smtp:here.org"),
            ("o@here.org", "relay:[nx]"),
            ("p@here.org", "relay:local"),
            ("q@here.org", "error:Address is undeliverable"),
            ("r@here.org", "retry:Address is undeliverable"),
            ("s@here.org", "error:5.2.1 no"),
            ("t@here.org", "nosuch:x"),
            ("nn@rel.org", "relay:[hub.org]"),
            ("a b@here.org", "smtp:quoted"),
            ("cc@here.org", "smtp:a:b:c"),
        ],
    );
    assert_eq!(rules.rcpt("r@here.org"), "450 4.1.1");
    assert_eq!(rules.rcpt("q@here.org"), "550 5.1.1");
}

/// postconf(5), `parent_domain_matches_subdomains`; transport(5), "REGULAR EXPRESSION TABLES": the whole address, and `*`.
#[test]
fn styles_of_transport_tables() {
    for (main_cf, cases) in [
        (
            "parent_domain_matches_subdomains = transport_maps\ntransport_maps = inline:{rel.org=smtp:1, .rel2.org=smtp:2}",
            &[
                ("w@a.b.rel.org", "smtp:1"),
                ("w@rel.org", "smtp:1"),
                ("w@x.rel2.org", "smtp:x.rel2.org"),
            ][..],
        ),
        (
            "transport_maps = regexp:{{/^w@/ smtp:[w]},{/^\\*$$/ smtp:[star]}}",
            &[
                ("w@rel.org", "smtp:[w]"),
                ("star@else.org", "smtp:[star]"),
                ("w+x@here.org", "smtp:[star]"),
            ],
        ),
        // Keys are the outer loop, tables the inner one.
        (
            "transport_maps = inline:{here.org=smtp:1}, inline:{a@here.org=smtp:2}",
            &[("a@here.org", "smtp:2"), ("b@here.org", "smtp:1")],
        ),
        (
            "transport_maps = inline:{here.org=smtp:1}, static:smtp:2",
            &[("a@here.org", "smtp:2")],
        ),
        // A null entry changes nothing.
        (
            "relayhost = [hub.org]:2525\nrelay_domains = rel.org\nlocal_transport = relay:local\ntransport_maps = inline:{*=:}",
            &[
                ("w@rel.org", "relay:[hub.org]:2525"),
                ("w@here.org", "relay:local"),
                ("w@else.org", "smtp:[hub.org]:2525"),
            ],
        ),
        ("transport_maps = fail:x", &[("a@here.org", "?")]),
    ] {
        let rules = Rules::new(main_cf);
        check(main_cf, |address| rules.route(address), cases);
    }
}

/// postconf(5): `local_transport`, `virtual_transport`, `relay_transport`, `default_transport`, `relayhost`.
#[test]
fn transports_of_classes() {
    const CLASSES: &str = "relay_domains = rel.org\nvirtual_mailbox_domains = vm.org\n";
    for (main_cf, cases) in [
        (
            "relayhost = [hub.org]:2525\nrelay_transport = relay:[own]\nlocal_transport = relay\nvirtual_transport = lmtp:inet:[c]:24",
            &[
                ("w@a.b.rel.org", "smtp:[hub.org]:2525"),
                ("w@rel.org", "relay:[own]"),
                ("w@vm.org", "lmtp:inet:[c]:24"),
                ("w@here.org", "relay:here.org"),
                ("w@else.org", "smtp:[hub.org]:2525"),
            ][..],
        ),
        // `relayhost` is for the classes of other hosts, where the transport has no next hop.
        (
            "relayhost = [hub]\ndefault_transport = smtp:[dt]\nrelay_transport = relay\nlocal_transport = error:5.1.1 none",
            &[
                ("w@rel.org", "relay:[hub]"),
                ("w@else.org", "smtp:[dt]"),
                ("w@here.org", "error:5.1.1 none"),
                ("w@vm.org", "virtual:vm.org"),
            ],
        ),
        (
            "relayhost =",
            &[
                ("w@rel.org", "relay:rel.org"),
                ("w@else.org", "smtp:else.org"),
                ("w@here.org", "local:host.here.org"),
            ],
        ),
    ] {
        let rules = Rules::new(&format!("{CLASSES}{main_cf}"));
        check(main_cf, |address| rules.route(address), cases);
    }
}

/// postconf(5): `sender_dependent_default_transport_maps`, `sender_dependent_relayhost_maps`: not modelled where they decide.
#[test]
fn tables_of_senders_decide_where_nothing_else_does() {
    for (main_cf, cases) in [
        (
            "sender_dependent_relayhost_maps = inline:{s@x.org=[sdr]}",
            &[
                ("w@rel.org", "?"),
                ("w@else.org", "?"),
                ("w@here.org", "smtp:here"),
                ("own@else.org", "smtp:[own]"),
                ("null@else.org", "?"),
                ("next@else.org", "smtp:[next]"),
                ("name@else.org", "relay:else.org"),
            ][..],
        ),
        (
            "sender_dependent_default_transport_maps = inline:{s@x.org=smtp:[sdd]}",
            &[
                ("w@rel.org", "relay:rel.org"),
                ("w@else.org", "?"),
                ("w@here.org", "smtp:here"),
                ("own@else.org", "smtp:[own]"),
                // The transport is the sender's.
                ("next@else.org", "?"),
                ("moved@else.org", "error:5.1.6 User has moved to x"),
            ],
        ),
        (
            "sender_dependent_relayhost_maps = inline:{s@x.org=[sdr]}\nrelay_transport = relay:[rt]",
            &[("w@rel.org", "relay:[rt]")],
        ),
    ] {
        let rules = Rules::new(&format!(
            "relay_domains = rel.org\nlocal_transport = smtp:here\nrelocated_maps = inline:{{moved@else.org=x}}
             transport_maps = inline:{{own@else.org=smtp:[own], null@else.org=:, next@else.org=:[next], name@else.org=relay:}}\n{main_cf}"
        ));
        check(main_cf, |address| rules.route(address), cases);
    }
}

/// postconf(5): `resolve_dequoted_address`, `swap_bangpath`, `allow_percent_hack`: operators in the local part.
#[test]
fn routing_operators() {
    for (main_cf, cases) in [
        (
            "relay_domains = rel.org",
            &[
                ("u%else.org@here.org", "smtp:else.org"),
                ("else.org!u@here.org", "smtp:else.org"),
                ("u@else.org@here.org", "smtp:else.org"),
                ("u%rel.org@here.org", "relay:rel.org"),
                ("u%else.org@rel.org", "relay:rel.org"),
                ("u%here.org@here.org", "local:here.org"),
                ("@here.org", "local:here.org"),
            ][..],
        ),
        (
            "allow_percent_hack = no\nswap_bangpath = no\nresolve_dequoted_address = no",
            &[
                ("u%else.org@here.org", "local:here.org"),
                ("else.org!u@here.org", "local:here.org"),
                ("u@else.org@here.org", "local:here.org"),
            ],
        ),
    ] {
        let rules = Rules::new(&format!("local_transport = local\n{main_cf}"));
        check(main_cf, |address| rules.route(address), cases);
    }
    // An outsider may not use them to relay.
    let rules = Rules::new("relay_domains = rel.org");
    check(
        "outsiders",
        |address| rules.rcpt(address),
        &[
            ("u%else.org@rel.org", "554 5.7.1"),
            ("u%else.org@here.org", "554 5.7.1"),
            ("else.org!u@rel.org", "554 5.7.1"),
            ("u@rel.org", "250 2.1.5"),
            ("u%rel.org@here.org", "250 2.1.5"),
        ],
    );
    let rules = Rules::new(
        "relay_domains = rel.org\nallow_untrusted_routing = yes\nsmtpd_recipient_restrictions = check_recipient_access inline:{here.org=OK}, permit_auth_destination, reject",
    );
    check(
        "outsiders who may",
        |address| rules.rcpt(address),
        &[
            ("u%else.org@rel.org", "250 2.1.5"),
            ("u%else.org@here.org", "554 5.7.1"),
            ("u%here.org@rel.org", "250 2.1.5"),
            ("u@else.org", "554 5.7.1"),
        ],
    );
}
