//! Faults of the whole configuration: what a plan refuses, and what it only remarks.

use super::*;

/// The refusals for faults, and the texts of the remarks.
pub(super) fn judged(bench: &Bench) -> (Vec<String>, Vec<String>) {
    let seen = bench.verdict();
    let refusals = match &seen.verdict {
        Verdict::Changes(plan) => plan.refusals.clone(),
        _ => Vec::new(),
    };
    let faults = refusals
        .into_iter()
        .filter(|refusal| refusal.kind == RefusalKind::Fault)
        .map(|refusal| refusal.summary)
        .collect();
    let remarks = seen.remarks.into_iter().map(|remark| remark.text).collect();
    (faults, remarks)
}

/// A host with these lines in main.cf, and the entries of master.cf after the essential ones.
pub(super) fn host(main_cf: &str, services: &str) -> Bench {
    let mut bench = Bench::new(main_cf);
    let local = "local unix - n n - - local\nrelay unix - - y - - smtp\nsmtp unix - - y - - smtp\n";
    let lines = format!("{MASTER}{local}{services}");
    bench.postfix_live().master_cf = MasterCf::parse(lines.as_bytes()).into();
    bench
}

#[track_caller]
pub(super) fn one_with(found: &[String], words: &[&str]) {
    assert_eq!(found.len(), 1, "{words:?}: {found:?}");
    for word in words {
        assert!(found[0].contains(word), "{word}: {found:?}");
    }
}

#[test]
fn a_transport_that_master_cf_lacks_is_refused_where_the_plan_brings_it() {
    let names = |bench: Bench, words: &[&str]| one_with(&judged(&bench).0, words);
    let filter = "scan:[127.0.0.1]:10024";
    names(
        host("", "").want("content_filter", filter),
        &["`scan/unix`", "`content_filter`", "command"],
    );
    names(
        host("site_filter = scan:x\n", "").want("content_filter", "$site_filter"),
        &["`scan/unix`"],
    );
    names(
        host("", "").want("transport_maps", "inline:{ a=scan:b, c=smtp:d }"),
        &["`scan/unix`", "`inline:{"],
    );
    let maps = "proxy:ldap:/etc/postfix/t.cf";
    let described = file(Body::plain("result_format = scan:[%s]:25\n"));
    names(
        host("", PROXYMAP)
            .want("transport_maps", maps)
            .want_file("/etc/postfix/t.cf", described),
        &["`scan/unix`", "`proxy:ldap:/etc/postfix/t.cf`"],
    );
    let access = file(Body::plain("example.org FILTER scan:x\n"));
    names(
        host("", "")
            .want(
                "smtpd_client_restrictions",
                "check_client_access hash:/etc/postfix/a",
            )
            .want_file("/etc/postfix/a", access),
        &["`scan/unix`", "`hash:/etc/postfix/a`"],
    );
    // A service goes that is in use.
    let mut gone = host("relay_domains = example.org\n", "");
    let relay = crate::name::ServiceName::new("relay/unix").unwrap();
    gone.desired
        .postfix_mut()
        .values
        .insert(Thing::Service(relay), Want::Absent);
    names(
        gone,
        &["`relay/unix`", "`relay_transport`", "command: smtp"],
    );
}

#[test]
fn a_transport_that_somebodys_table_names_must_stay() {
    let gone = |main_cf: &str| {
        let mut bench = host(main_cf, "scan unix - - n - 2 smtp\n");
        let scan = crate::name::ServiceName::new("scan/unix").unwrap();
        let values = &mut bench.desired.postfix_mut().values;
        values.insert(Thing::Service(scan), Want::Absent);
        bench
    };
    for (main_cf, table, text) in [
        (
            "transport_maps = hash:/etc/postfix/theirs\n",
            "hash:/etc/postfix/theirs",
            "old.example scan:[192.0.2.1]\n",
        ),
        (
            "header_checks = regexp:/etc/postfix/checks\n",
            "regexp:/etc/postfix/checks",
            "/^X-Scan/ FILTER scan:[192.0.2.1]\n",
        ),
        (
            "smtpd_relay_restrictions = reject_unauth_destination\n\
             smtpd_sender_restrictions = check_sender_access cidr:/etc/postfix/nets\n",
            "cidr:/etc/postfix/nets",
            "192.0.2.0/24 FILTER scan:[192.0.2.1]\n",
        ),
    ] {
        let mut bench = gone(main_cf);
        let asked = bench.lacking().unwrap_or_default();
        assert!(asked.read.contains(table), "{main_cf}: {asked:?}");
        let text = crate::state::LiveTable::Text(text.to_owned());
        bench.live.tables.insert(table.to_owned(), text.clone());
        one_with(&judged(&bench).0, &["`scan/unix`", table]);
        // Nothing is asked where the plan cannot be what makes the fault.
        let quiet = || {
            host(main_cf, "scan unix - - n - 2 smtp\n")
                .want("biff", "no")
                .ledger(ledger(&[]))
        };
        assert!(quiet().lacking().unwrap_or_default().read.is_empty());
        // The first plan for a host says what was wrong before it.
        let mut first = host(main_cf, "").want("biff", "no");
        let asked = first.lacking().unwrap_or_default();
        assert!(asked.read.contains(table), "{main_cf}: {asked:?}");
        first.live.tables.insert(table.to_owned(), text);
        let (faults, remarks) = judged(&first);
        assert_eq!(faults, [""; 0]);
        one_with(&remarks, &["`scan/unix`", table]);
    }
    // So does a table that only the options of a service name.
    let option = host(
        "",
        "587 inet n - y - - smtpd\n  -o smtpd_client_restrictions=check_client_access,cidr:/etc/nets\n",
    );
    let asked = option.want("biff", "no").lacking().unwrap_or_default();
    assert!(asked.read.contains("cidr:/etc/nets"), "{asked:?}");
}

#[test]
fn a_transport_that_master_cf_lacked_before_is_remarked() {
    let before = host("content_filter = scan:x\n", "").want("biff", "no");
    let (faults, remarks) = judged(&before);
    assert_eq!(faults, [""; 0]);
    one_with(&remarks, &["`scan/unix`", "mail transport unavailable"]);
    // An option of a service, too.
    let option = host(
        "",
        "10025 inet n - y - - smtpd\n  -o content_filter=scan:x\n",
    );
    one_with(
        &judged(&option).1,
        &["`master.cf:10025/inet:content_filter`"],
    );
}

#[test]
fn a_transport_that_nothing_uses_is_no_fault() {
    for bench in [
        // Containers often have no virtual(8).
        host("compatibility_level = 3.6\n", "").want("biff", "no"),
        host("", "scan unix - - n - 2 smtp\n").want("content_filter", "scan:x"),
        host("relayhost = [a]:25\n", "").want("transport_maps", "inline:{ a=:[b], c=relay:d }"),
        host("defer_transports = uucp\n", ""),
    ] {
        assert_eq!(judged(&bench), (Vec::new(), Vec::new()));
    }
}

#[test]
fn a_domain_in_an_earlier_class_is_refused_in_any_spelling() {
    for (main_cf, winner) in [
        (
            "virtual_alias_domains = example.org\n",
            "`virtual_alias_domains`",
        ),
        (
            "virtual_alias_domains = EXAMPLE.org\n",
            "`virtual_alias_domains`",
        ),
        (
            "site = example.org\nvirtual_alias_domains = a.b, $site\n",
            "`virtual_alias_domains`",
        ),
        (
            "myhostname = mx.example.org\nvirtual_mailbox_domains = $mydomain\n",
            "`virtual_mailbox_domains`",
        ),
        (
            "virtual_alias_domains = static:all\n",
            "`virtual_alias_domains`",
        ),
        (
            "virtual_alias_maps = inline:{ example.org=x }\n",
            "`virtual_alias_domains`",
        ),
        (
            "virtual_alias_domains = hash:/etc/postfix/vd\n",
            "`virtual_alias_domains`",
        ),
        (
            "virtual_alias_domains = /etc/postfix/vd\n",
            "`virtual_alias_domains`",
        ),
        ("mydestination = example.org\n", "`mydestination`"),
    ] {
        let mut bench = host(main_cf, "").want("relay_domains", "example.net, Example.org");
        for table in ["hash:/etc/postfix/vd", "/etc/postfix/vd"] {
            let text = crate::state::LiveTable::Text("example.org\n".to_owned());
            bench.live.tables.insert(table.to_owned(), text);
        }
        one_with(
            &judged(&bench).0,
            &["`example.org`", winner, "`relay_domains`"],
        );
    }
}

#[test]
fn a_domain_in_one_class_is_no_fault() {
    for main_cf in [
        // trivial-rewrite(8) of 3.7 takes neither for the domain.
        "virtual_alias_domains = example.org.\n",
        "virtual_alias_domains = .example.org\n",
        "virtual_alias_domains = !example.org, static:all\n",
        "virtual_alias_domains = example.com\n",
        "compatibility_level = 3.6\nrelay_domains = example.org\n",
    ] {
        let bench = host(main_cf, "").want("relay_domains", "example.org");
        assert_eq!(judged(&bench).0, [""; 0], "{main_cf}");
    }
    // The managed class is the one that Postfix uses.
    let first =
        host("virtual_alias_domains = example.org\n", "").want("mydestination", "example.org");
    assert_eq!(judged(&first).0, [""; 0]);
}

#[test]
fn a_table_that_was_not_read_is_not_judged() {
    let bench =
        host("virtual_alias_domains = ldap:/etc/x.cf\n", "").want("relay_domains", "example.org");
    let (faults, remarks) = judged(&bench);
    assert_eq!(faults, [""; 0]);
    one_with(
        &remarks,
        &["not judged", "`ldap:/etc/x.cf`", "`example.org`"],
    );
}

#[test]
fn a_class_that_is_a_list_of_tables_by_default_is_judged_too() {
    for (main_cf, class) in [
        (
            "virtual_alias_maps = hash:/etc/theirs\n",
            "`virtual_alias_domains`",
        ),
        (
            "virtual_maps = hash:/etc/theirs\n",
            "`virtual_alias_domains`",
        ),
        (
            "virtual_mailbox_maps = hash:/etc/theirs\n",
            "`virtual_mailbox_domains`",
        ),
    ] {
        let mut bench = host(main_cf, "").want("relay_domains", "example.org");
        let asked = bench.lacking().unwrap_or_default().asked;
        assert!(
            asked["hash:/etc/theirs"].contains("example.org"),
            "{asked:?}"
        );
        one_with(&judged(&bench).1, &["not judged", class]);
        let answers = [("example.org".to_owned(), Some("anything".to_owned()))];
        bench.live.tables.insert(
            "hash:/etc/theirs".to_owned(),
            crate::state::LiveTable::Answers(answers.into()),
        );
        one_with(&judged(&bench).0, &[class, "`example.org`"]);
    }
    // The role's own tables have addresses as keys.
    let maps = "proxy:ldap:/etc/postfix/aliases.cf, regexp:/etc/postfix/more";
    let own = host("", PROXYMAP)
        .want("relay_domains", "example.org")
        .want("virtual_alias_maps", maps)
        .want_file("/etc/postfix/aliases.cf", file(Body::plain("domain = x\n")))
        .want_file("/etc/postfix/more", file(Body::plain("/^a@b$/ c@d\n")));
    assert!(own.lacking().unwrap_or_default().asked.is_empty());
    let (faults, remarks) = judged(&own);
    assert_eq!(faults, [""; 0]);
    assert!(
        !remarks.iter().any(|text| text.contains("not judged")),
        "{remarks:?}"
    );
}

#[test]
fn a_domain_that_was_in_two_classes_before_is_remarked() {
    let main_cf = "virtual_alias_domains = example.org\nrelay_domains = example.org\n";
    let (faults, remarks) = judged(&host(main_cf, "").want("relay_domains", "example.org"));
    assert_eq!(faults, [""; 0]);
    one_with(&remarks, &["`virtual_alias_domains` has `example.org`"]);
}

const PROXYMAP: &str = "proxymap unix - - n - - proxymap\n";

#[test]
fn tables_that_proxymap_may_not_open_are_refused() {
    let tables = "proxy:ldap:/etc/postfix/t.cf";
    for (main_cf, services, words) in [
        (
            "proxy_read_maps = $canonical_maps\n",
            PROXYMAP,
            &[
                "`proxy_read_maps`",
                "`proxy:ldap:/etc/postfix/t.cf`",
                "trivial-rewrite(8)",
            ][..],
        ),
        (
            "",
            "proxymap unix - - n - - proxymap\n  -o proxy_read_maps=$canonical_maps\n",
            &["`proxy_read_maps`"],
        ),
        ("", "", &["`proxymap/unix`", "command: proxymap"]),
        (
            "",
            "proxymap unix - - y - - proxymap\n",
            &["`proxymap/unix`", "chroot"],
        ),
    ] {
        let main_cf = format!("local_recipient_maps =\n{main_cf}");
        let bench = host(&main_cf, services).want("transport_maps", tables);
        one_with(&judged(&bench).0, words);
    }
    for (main_cf, services) in [
        ("", PROXYMAP),
        (
            "proxy_read_maps = proxy:unix:passwd.byname $transport_maps\n",
            PROXYMAP,
        ),
        ("proxy_read_maps = proxy:ldap:/etc/postfix/t.cf\n", PROXYMAP),
        (
            "proxymap_service_name = px\n",
            "px unix - - n - - proxymap\n",
        ),
    ] {
        let main_cf = format!("local_recipient_maps =\n{main_cf}");
        let bench = host(&main_cf, services).want("transport_maps", tables);
        assert_eq!(judged(&bench), (Vec::new(), Vec::new()), "{main_cf}");
    }
}

#[test]
fn a_cache_that_proxymap_may_not_write_is_refused() {
    let verify = "verify unix - - y - 1 verify\nproxywrite unix - - n - 1 proxymap\n";
    let services = format!("{PROXYMAP}{verify}");
    let cache =
        |main_cf: &str| host(main_cf, &services).want("address_verify_map", "proxy:btree:/x");
    one_with(
        &judged(&cache("proxy_write_maps = $smtp_sasl_auth_cache_name\n")).0,
        &["`proxy_write_maps`", "verify(8)"],
    );
    assert_eq!(judged(&cache("")).0, [""; 0]);
}
