//! `murder trace`: where mail goes, by manifest and directory, through the program itself.

use std::fs;

use serde_json::Value;

use super::routes::{MANIFEST, RouteFolder, text};

/// Each kind of entry, from each entry point. Real Postfix and Cyrus did the same in tests/lab/routing.rs.
#[test]
fn each_kind_of_address_ends_where_it_must() {
    let lab = RouteFolder::new(MANIFEST);
    let inside: &[&str] = &["--at", "smtp.example.org"];
    let backend: &[&str] = &["--at", "backend1.example.org", "--client", "192.0.2.5"];
    let submitted: &[&str] = &["--submit", "backend1.example.org"];
    for (entry, address, expected) in [
        (&[][..], "john@example.org", "250 delivered backend1"),
        (&[], "JOHN@Example.ORG", "250 delivered backend1"),
        (&[], "jane.doe+x@example.org", "250 delivered backend2"),
        (
            &[],
            "staff@example.org",
            "250 delivered backend1, delivered backend2",
        ),
        (
            &[],
            "all@example.org",
            "250 delivered backend1, delivered backend2",
        ),
        (
            &[],
            "engineers@example.org",
            "250 delivered backend1, delivered backend2",
        ),
        (&[], "shared@example.org", "250 delivered backend2"),
        (&[], "memo@example.org", "250 delivered backend2"),
        (&[], "news@example.org", "250 delivered backend1"),
        (&[], "max@example.org", "250 delivered backend2"),
        (&[], "postmaster@example.org", "250 delivered smtp"),
        (&[], "nosuch@example.org", "550 refused mx"),
        (&[], "friend@outside.example", "454 refused mx"),
        (&[], "-x@example.org", "501 refused mx"),
        (inside, "zoe@example.org", "450 refused smtp"),
        (inside, "zoe.new@example.org", "250 deferred smtp"),
        (inside, "twin@example.org", "451 refused smtp"),
        (inside, "nosuch@example.org", "550 refused smtp"),
        (inside, "case@example.org", "250 delivered backend1"),
        (inside, "short@example.org", "250 bounced smtp"),
        (inside, "gone@example.org", "250 bounced smtp"),
        (inside, "front@example.org", "250 deferred smtp"),
        (inside, "itself@example.org", "250 loop smtp"),
        (inside, "self@example.org", "451 refused smtp"),
        (
            inside,
            "john%outside.example@example.org",
            "454 refused smtp",
        ),
        (backend, "john@example.org", "250 delivered backend1"),
        (backend, "jane@example.org", "450 refused backend1"),
        (submitted, "john@example.org", "- delivered backend1"),
        (submitted, "jane@example.org", "- delivered backend2"),
        (submitted, "zoe@example.org", "- deferred backend1"),
        (submitted, "nosuch@example.org", "- bounced backend1"),
        (
            submitted,
            "root@backend1.example.org",
            "- delivered backend1",
        ),
        (submitted, "friend@outside.example", "- delivered mx"),
        (submitted, "-x@example.org", "- bounced backend1"),
    ] {
        let found = lab.short(&[entry, &["--", address]].concat());
        assert_eq!(found, expected, "{address} {entry:?}");
    }
}

/// Configurations of the field that lose mail or let it loop, and what the trace says of them.
#[test]
fn broken_configurations_are_seen() {
    // An internal MTA without recipient tables sends the unknown to the edge, which sends it back.
    let looping = MANIFEST.replace(
        "{roles: [internal-mta], addresses: [192.0.2.5]}",
        "{roles: [internal-mta], addresses: [192.0.2.5], vars: {trust_edge: true}, settings: {relay_domains: '', \
         transport_maps: 'proxy:ldap:/etc/postfix/ldap/transport_maps.cf', virtual_alias_maps: '', \
         relay_recipient_maps: ''}}",
    );
    let lab = RouteFolder::new(&looping.replace(
        "{roles: [internet-mta], addresses: [192.0.2.6]}",
        "{roles: [internet-mta], addresses: [192.0.2.6], settings: {relay_recipient_maps: ''}}",
    ));
    let inside = ["--at", "smtp.example.org", "--client", "192.0.2.11"];
    assert_eq!(
        lab.short(&[&inside[..], &["nosuch@example.org"]].concat()),
        "250 loop smtp"
    );
    assert_eq!(
        lab.short(&[&inside[..], &["john@example.org"]].concat()),
        "250 delivered backend1"
    );
    // `soft_bounce` lets wait what else bounces, whichever program ends it; and a table without an answer comes before a
    // recipient that is none.
    let smtp = "{roles: [internal-mta], addresses: [192.0.2.5]";
    let soft = MANIFEST.replace(smtp, &format!("{smtp}, settings: {{soft_bounce: 'yes'}}"));
    let broken = MANIFEST.replace(
        smtp,
        &format!(
            "{smtp}, settings: {{transport_maps: {{prepend: ['proxy:ldap:/etc/postfix/ldap/bad.cf']}}}}, files: {{/etc/postfix/ldap/bad.cf: \
             {{content: \"version = 3\\nsearch_base = dc=example,dc=org\\nquery_filter = (mail=%s\\nresult_attribute = mail\\n\"}}}}"
        ),
    );
    let submitted = ["--submit", "smtp.example.org", "--"];
    for (manifest, address, arrived, sent) in [
        (
            MANIFEST,
            "itself@example.org",
            "250 loop smtp",
            "- loop smtp",
        ),
        (
            &soft,
            "itself@example.org",
            "250 deferred smtp",
            "- deferred smtp",
        ),
        (
            &soft,
            "gone@example.org",
            "250 deferred smtp",
            "- deferred smtp",
        ),
        (
            &soft,
            "-x@example.org",
            "401 refused smtp",
            "- deferred smtp",
        ),
        (
            &broken,
            "-x@example.org",
            "451 refused smtp",
            "- deferred smtp",
        ),
    ] {
        let lab = RouteFolder::new(manifest);
        assert_eq!(
            lab.short(&[&inside[..], &["--", address]].concat()),
            arrived
        );
        assert_eq!(lab.short(&[&submitted[..], &[address]].concat()), sent);
    }
    // An edge that knows no recipients takes what the internal MTA refuses: its bounce goes to a stranger.
    let open = MANIFEST.replace(
        "[192.0.2.6]}",
        "[192.0.2.6], vars: {recipient_check: none}}",
    );
    assert_eq!(
        RouteFolder::new(&open).short(&["nosuch@example.org"]),
        "250 bounced mx"
    );
    // The edge asks the internal MTA.
    let verify = MANIFEST.replace(
        "[192.0.2.6]}",
        "[192.0.2.6], vars: {recipient_check: verify}}",
    );
    let lab = RouteFolder::new(&verify);
    assert_eq!(lab.short(&["nosuch@example.org"]), "550 refused mx");
    assert_eq!(lab.short(&["john@example.org"]), "250 delivered backend1");
}

#[test]
fn the_contract_of_the_json_holds() {
    let lab = RouteFolder::new(MANIFEST);
    let trace = lab.json(&["memo@example.org"]).remove(0);
    let keys: Vec<&String> = trace.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "address",
            "entry",
            "reply",
            "verdict",
            "ends",
            "hops",
            "not_modelled"
        ]
    );
    assert_eq!(trace["entry"]["at"], "mx.example.org");
    assert_eq!(
        trace["reply"],
        serde_json::json!({"code": 250, "enhanced": "2.1.5"})
    );
    let end = &trace["ends"][0];
    assert_eq!(end["recipient"], "folder+shared/memo@example.org");
    assert_eq!(end["via"], "lmtp:unix:/run/cyrus/socket/lmtp");
    let decided = &trace["hops"][0]["routes"][0]["decided"];
    assert_eq!(
        (&decided["file"], &decided["line"]),
        (&"/etc/postfix/transport".into(), &2.into())
    );
    assert!(
        decided["manifest"]
            .as_str()
            .unwrap()
            .starts_with("modules/internet-mta/module.yaml:")
    );
    // Without a directory nothing is guessed.
    let output = lab.trace(&["--no-directory", "--format", "json", "john@example.org"]);
    let trace: Value = serde_json::from_str(text(&output.stdout).trim()).unwrap();
    assert_eq!(trace["verdict"], "not modelled");
    assert_ne!(trace["not_modelled"].as_array().unwrap().len(), 0);
}

#[test]
fn people_and_pictures_have_the_same_route() {
    let lab = RouteFolder::new(MANIFEST);
    let shown = |arguments: &[&str]| {
        let output = lab.trace(&[&["--ldif", "d.ldif"], arguments].concat());
        text(&output.stdout)
    };
    let told = shown(&["john.doe@example.org"]);
    for part in [
        "john.doe@example.org: delivered at backend1.example.org (lmtp:unix:/run/cyrus/socket/lmtp)\n",
        "transport_maps transport:2 (modules/internet-mta/module.yaml:",
        "john.doe@example.org → john@example.org   virtual_alias_maps ldap/virtual_alias_maps.cf uid=john (",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    fs::write(
        lab.0.path().join("list"),
        "\u{feff}john@example.org\r\n\r\n# a comment\r\n#\r\nnosuch@example.org\r\n",
    )
    .unwrap();
    let listed = shown(&["--addresses", "list"]);
    assert!(
        listed.starts_with("john@example.org: delivered")
            && listed.contains("nosuch@example.org: refused at mx.example.org (550 5.1.1)\n"),
        "{listed}"
    );
    for (format, begin, part) in [
        (
            "dot",
            "digraph mail {\n",
            "n0 -> n1 [label=\"staff@example.org\"];",
        ),
        (
            "mermaid",
            "flowchart LR\n",
            "n2 -->|\"jane@example.org\"| n4",
        ),
        ("svg", "<svg ", ">backend2.example.org<"),
    ] {
        let picture = shown(&["--format", format, "staff@example.org"]);
        assert!(
            picture.starts_with(begin) && picture.contains(part),
            "{format}: {picture}"
        );
    }
    // An address as a header has it.
    let copied = shown(&["John Doe <john@example.org>", "<john@example.org>"]);
    assert_eq!(
        copied.matches("\njohn@example.org: delivered").count()
            + usize::from(copied.starts_with("john@example.org: delivered")),
        2,
        "{copied}"
    );
    let nobody = lab.trace(&["<>"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(text(&nobody.stderr).contains("`<>` is no address of a recipient"));
    let wrong = lab.trace(&["--at", "backend3.example.org", "john@example.org"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("is not a host of this murder"));
    fs::write(lab.0.path().join("d.ldif"), "dn: a=1\nchangetype: delete\n").unwrap();
    let wrong = lab.trace(&["--ldif", "d.ldif", "john@example.org"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("line 2: the record changes an entry"));
    fs::write(
        lab.0.path().join("d.ldif"),
        "dn: a=1\na: 1\n\n# search result\nsearch: 2\nresult: 0 Success\n",
    )
    .unwrap();
    let wrong = lab.trace(&["--ldif", "d.ldif", "john@example.org"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        text(&wrong.stderr).contains(
            "line 5: `search:` is a line of ldapsearch(1) about itself; run it with `-LLL`"
        )
    );
}

/// postconf(5), `always_bcc`, `recipient_bcc_maps`, `masquerade_domains`, `smtp_generic_maps`; local(8), `.forward`.
#[test]
fn copies_masquerading_and_forward_files_are_told() {
    let at_smtp = |more: &str| {
        let smtp = "[192.0.2.5]}";
        MANIFEST.replace(smtp, &format!("[192.0.2.5], {more}}}"))
    };
    let copies = at_smtp(
        "settings: {always_bcc: archive@outside.example, recipient_bcc_maps: 'inline:{john@example.org=boss@example.org}'}",
    );
    let lab = RouteFolder::new(&copies);
    let trace = lab.json(&["john.doe@example.org"]).remove(0);
    assert_eq!(trace["verdict"], "delivered");
    assert_eq!(trace["ends"].as_array().map(Vec::len), Some(1));
    // The table is asked for the address before its aliases are expanded.
    let of = |trace: &Value| {
        let copies = trace["hops"][1]["copies"].as_array().unwrap().clone();
        let names = copies
            .iter()
            .map(|copy| copy["recipient"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(of(&trace), ["archive@outside.example"]);
    let trace = lab.json(&["john@example.org"]).remove(0);
    assert_eq!(of(&trace), ["boss@example.org", "archive@outside.example"]);
    let told = text(&lab.trace(&["--ldif", "d.ldif", "john@example.org"]).stdout);
    assert!(
        told.contains("       a copy to archive@outside.example   always_bcc (m.yaml:"),
        "{told}"
    );

    // Only the host knows whether an account forwards its mail, and each form says it once.
    let own = ["--submit", "smtp.example.org", "root@smtp.example.org"];
    let assumed = "mailbox of root, if it has no file `.forward`";
    let told = text(
        &lab.trace(&[&["--ldif", "d.ldif"], &own[..]].concat())
            .stdout,
    );
    let line = format!(
        "root@smtp.example.org: delivered at smtp.example.org (local:smtp.example.org): {assumed}\n"
    );
    assert!(
        told.starts_with(&line) && told.matches("forward").count() == 1,
        "{told}"
    );
    let trace = lab.json(&own).remove(0);
    assert_eq!(trace["ends"][0]["reason"], assumed);
    assert_eq!(trace.to_string().matches("forward").count(), 1, "{trace}");

    let masquerade = at_smtp(
        "settings: {relay_domains: {append: [sub.example.org]}, relay_recipient_maps: '', masquerade_domains: example.org, masquerade_classes: envelope_recipient}",
    );
    let at = ["--at", "smtp.example.org", "john@sub.example.org"];
    assert_eq!(
        RouteFolder::new(&masquerade).short(&at),
        "250 delivered backend1"
    );
    let headers = masquerade.replace("masquerade_classes: envelope_recipient", "biff: 'no'");
    assert_eq!(RouteFolder::new(&headers).short(&at), "250 delivered mx");

    // Who gets that copy depends on the sender; the way of the mail itself does not.
    let lab = RouteFolder::new(&at_smtp(
        "settings: {sender_bcc_maps: 'inline:{a@example.org=b@example.org}'}",
    ));
    assert_eq!(lab.short(&["john@example.org"]), "250 delivered backend1");
    let told = text(&lab.trace(&["--ldif", "d.ldif", "john@example.org"]).stdout);
    let line = "       a copy: not modelled, because its recipient depends on the sender   sender_bcc_maps (m.yaml:";
    assert!(told.contains(line), "{told}");

    for (more, expected) in [
        ("settings: {biff: 'no'}", "- delivered smtp"),
        (
            "settings: {forward_path: '/var/forward/$user'}",
            "- not modelled smtp",
        ),
    ] {
        let lab = RouteFolder::new(&at_smtp(more));
        let submit = ["--submit", "smtp.example.org", "root@smtp.example.org"];
        assert_eq!(lab.short(&submit), expected, "{more}");
    }
}

/// smtp(8), lmtp(8), postconf(5): `smtp_fallback_relay`, `relayhost`, `soft_bounce`; virtual(8). tests/lab/compare.py asks a real Postfix.
#[test]
fn next_hops_that_fail_end_as_smtp_ends_them() {
    let to = |transport: &str| {
        format!(
            "settings: {{transport_maps: {{prepend: ['inline:{{{{john@example.org={transport}}}}}']}}}}"
        )
    };
    let long = format!("lmtp:unix:/run/{}", "x".repeat(110));
    let of_relay = "services: {relay/unix: {options: {smtp_fallback_relay: ''}}}";
    let fallback = "settings: {smtp_fallback_relay: '[out.outside.example]'}";
    for (more, address, action, reason) in [
        (
            "settings: {biff: 'no'}".to_owned(),
            "gone",
            "bounced",
            "5.4.4 Host or domain name not found",
        ),
        (
            fallback.to_owned(),
            "gone",
            "delivered",
            "`out.outside.example` takes it",
        ),
        (
            format!("{fallback}, {of_relay}"),
            "gone",
            "bounced",
            "5.4.4 Host or domain name not found",
        ),
        (
            "settings: {smtp_fallback_relay: '[smtp.example.org]'}".to_owned(),
            "gone",
            "deferred",
            "4.3.5 mail for the host loops",
        ),
        (
            "settings: {relayhost: '[smtp.example.org]:25'}".to_owned(),
            "itself",
            "deferred",
            "4.3.5 mail for the host loops",
        ),
        (
            "settings: {relayhost: '[smtp.example.org]'}".to_owned(),
            "itself",
            "loop",
            "5.4.6 mail for the host loops",
        ),
        (
            "services: {relay/unix: {options: {soft_bounce: 'yes'}}}".to_owned(),
            "gone",
            "deferred",
            "4.4.4 Host or domain name not found",
        ),
        (
            "services: {smtp/unix: {options: {soft_bounce: 'yes'}}}".to_owned(),
            "gone",
            "bounced",
            "5.4.4 Host or domain name not found",
        ),
        (
            to("virtual:"),
            "john",
            "deferred",
            "4.3.0 virtual(8) does not start",
        ),
        (
            to("relay:[smtp.example.org]:2525"),
            "john",
            "not modelled",
            "what listens on port 2525",
        ),
        (
            to("relay:[smtp.example.org]:smtp"),
            "john",
            "loop",
            "5.4.6 mail for the host loops",
        ),
        (
            to("smtp:[out.outside.example"),
            "john",
            "deferred",
            "4.3.0 unknown mail transport error",
        ),
        (
            to("smtp:[out.outside.example]:0"),
            "john",
            "deferred",
            "4.3.0 unknown mail transport error",
        ),
        (
            to(&long),
            "john",
            "deferred",
            "4.3.5 Server configuration error",
        ),
        (
            to("lmtp:unix:/run/a,unix:/run/b"),
            "john",
            "deferred",
            "4.4.1 connect to",
        ),
        (
            to("nosuch:x"),
            "john",
            "deferred",
            "4.3.0 mail transport unavailable",
        ),
    ] {
        let lab =
            RouteFolder::new(&MANIFEST.replace("[192.0.2.5]}", &format!("[192.0.2.5], {more}}}")));
        let address = format!("{address}@example.org");
        let trace = lab
            .json(&["--submit", "smtp.example.org", &address])
            .remove(0);
        let end = &trace["ends"][0];
        assert_eq!(end["action"], action, "{more}: {end}");
        let said = end["reason"].as_str().unwrap();
        assert!(said.starts_with(reason), "{more}: {said}");
    }
}

/// `smart_host` may be a name before several internal MTAs, which is no host: mail for it goes to one of them.
#[test]
fn a_name_before_several_internal_mtas_stands_for_them() {
    let two = MANIFEST
        .replace("domains:", "smart_host: out.example.org\nexternal: [out.example.org]\ndomains:")
        .replace(
            "  backend1.example.org:",
            "  smtp2.example.org: {roles: [internal-mta], addresses: [192.0.2.7]}\n  backend1.example.org:",
        );
    let lab = RouteFolder::new(&two);
    assert_eq!(lab.short(&["john@example.org"]), "250 delivered backend1");
    // A backend gives mail for another one's people to that name.
    let other = ["--submit", "backend2.example.org", "john@example.org"];
    let trace = lab.json(&other).remove(0);
    let hosts: Vec<&str> = trace["hops"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hop| hop["host"].as_str().unwrap())
        .collect();
    assert_eq!(
        hosts,
        [
            "backend2.example.org",
            "smtp.example.org",
            "backend1.example.org"
        ]
    );
    // One of the two is enough, and without both mail waits.
    let verify = |without: &[&str]| {
        let words = ["verify", "m.yaml", "--ldif", "d.ldif", "--format", "json"];
        let output = lab.run(&[&words[..], &["--without"], without].concat());
        let report: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
        let effect = &report["what_if"][0];
        (
            effect["deferred"].as_u64().unwrap(),
            effect["bounced"].as_u64().unwrap(),
        )
    };
    assert_eq!(verify(&["smtp.example.org"]), (0, 0));
    let (deferred, bounced) = verify(&["smtp.example.org", "smtp2.example.org"]);
    assert!(deferred > 0 && bounced == 0, "{deferred} {bounced}");
}

/// Nothing but the host itself reaches an smtpd(8) on loopback addresses: mail waits at the host before it.
#[test]
fn a_host_that_listens_on_loopback_addresses_takes_no_mail_from_others() {
    let people = "dn: uid=ann,ou=People,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: ann@example.org\nmailHost: backend1.example.org\n";
    let settings = |text: &str| format!("settings: {{inet_interfaces: '{text}'}}");
    let service = "services: {smtp/inet: null, '127.0.0.1:smtp/inet': {command: smtpd}}";
    for (more, is_shut) in [
        (settings("loopback-only"), true),
        (settings("localhost"), true),
        (settings("127.0.0.1, ::1"), true),
        (service.to_owned(), true),
        (settings("all"), false),
        (settings("127.0.0.1, 192.0.2.11"), false),
    ] {
        let line = "addresses: [192.0.2.11]";
        let manifest = MANIFEST.replace(line, &format!("{line}, {more}"));
        let folder = RouteFolder::with(&manifest, people);
        let trace = &folder.json(&["ann@example.org"])[0];
        let end = &trace["ends"][0];
        let found = (
            end["host"].as_str().unwrap(),
            end["action"].as_str().unwrap(),
        );
        let reason = end["reason"].as_str().unwrap();
        match is_shut {
            true => {
                assert_eq!(found, ("smtp.example.org", "deferred"), "{more}: {trace:#}");
                let why = "4.4.1 connect to `backend1.example.org`: Connection refused";
                assert!(reason.starts_with(why), "{reason}");
            }
            false => assert_eq!(found, ("backend1.example.org", "delivered"), "{more}"),
        }
    }
}
