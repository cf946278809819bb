//! Failures that were seen in the field: the broken configuration is refuted with its finding, and the corrected one has none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::routes::{MANIFEST, RouteFolder, text};
use super::verify::{CLEAN, found, table, with};

/// The file of a filter that lets mail wait which Cyrus answers with a code.
fn status_filter(code: &str) -> String {
    let code = code.replace('.', "\\\\.");
    format!(
        "files: {{/etc/postfix/filter: {{content: \"/^5({code} .*)$/ 4$1\\n\"}}}}, \
         settings: {{lmtp_delivery_status_filter: 'regexp:/etc/postfix/filter'}}"
    )
}

/// A mailbox that has moved, while its entry still has the old backend: Cyrus answers 550 5.1.1 over LMTP.
#[test]
fn mail_for_a_mailbox_that_moved_waits() {
    let by_default = status_filter(".1.1").replace(
        "lmtp_delivery_status_filter: ",
        "lmtp_delivery_status_filter: '$default_delivery_status_filter', default_delivery_status_filter: ",
    );
    for (more, expected) in [
        (
            "settings: {lmtp_delivery_status_filter: ''}".to_owned(),
            vec!["bounces-in-move: backend1"],
        ),
        // A filter of another code.
        (status_filter(".2.1"), vec!["bounces-in-move: backend1"]),
        (status_filter(".1.1"), vec![]),
        (by_default, vec![]),
        (
            "settings: {lmtp_delivery_status_filter: '', soft_bounce: 'yes'}".to_owned(),
            vec![],
        ),
    ] {
        assert_eq!(found(&with("backend1", &more), CLEAN), expected, "{more}");
    }
    // The internal MTA gives mail to servers without Postfix itself.
    let servers = MANIFEST.replace(
        "postuser: folder",
        "postuser: folder, servers: {imap1.example.org: {}}",
    );
    let entry = "dn: uid=eve,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: eve@example.org\nmailHost: imap1.example.org\n";
    let ldif = format!("{CLEAN}\n{entry}");
    assert_eq!(found(&servers, &ldif), Vec::<String>::new());
    let smtp = "smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]";
    let broken = servers.replace(smtp, &format!("{smtp}, vars: {{defer_unknown: false}}"));
    assert_eq!(found(&broken, &ldif), ["bounces-in-move: smtp"]);
}

/// `expansion_limit = 1` makes an ambiguous answer a temporary error; without it, the next hop is not a destination.
#[test]
fn two_mailhosts_never_make_a_route() {
    let entry = "dn: uid=two,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: two@example.org\n\
                 mailHost: backend1.example.org\nmailHost: backend2.example.org\n";
    let ldif = format!("{CLEAN}\n{entry}");
    let mailhosts = table(
        "many",
        "query_filter = (mail=%s)\\nresult_attribute = mailHost\\nresult_format = smtp:[%s]:25",
    );
    let prepended =
        "settings: {transport_maps: {prepend: ['proxy:ldap:/etc/postfix/ldap/many.cf']}}";
    let broken = with("smtp", &format!("files: {{{mailhosts}}}, {prepended}"));
    let limited = with(
        "smtp",
        &format!(
            "files: {{{}}}, {prepended}",
            mailhosts.replace("(mail=%s)", "(mail=%s)\\nexpansion_limit = 1")
        ),
    );
    let at_smtp = [
        "two@example.org",
        "--at",
        "smtp.example.org",
        "--client",
        "192.0.2.6",
    ];
    for (manifest, expected) in [
        (broken.as_str(), "250 deferred smtp"),
        (&limited, "451 refused smtp"),
        (MANIFEST, "451 refused smtp"),
    ] {
        assert_eq!(RouteFolder::with(manifest, &ldif).short(&at_smtp), expected);
        assert_eq!(found(manifest, &ldif), ["many-mailhosts: uid=two"]);
    }
}

/// A mailHost whose name nobody knows bounces at once, unless the client's filter lets it wait.
#[test]
fn mail_for_a_dead_mailhost_can_wait() {
    let entry = "dn: uid=old,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: old@example.org\nmailHost: gone.example.org\n";
    let ldif = format!("{CLEAN}\n{entry}");
    let filter = "files: {/etc/postfix/filter: {content: \"/^5(\\\\.4\\\\.4 .*)$/ 4$1\\n\"}}, \
                  settings: {smtp_delivery_status_filter: 'regexp:/etc/postfix/filter'}";
    for (manifest, expected) in [
        (MANIFEST.to_owned(), "250 bounced smtp"),
        (with("smtp", filter), "250 deferred smtp"),
    ] {
        assert_eq!(
            RouteFolder::with(&manifest, &ldif).short(&["old@example.org"]),
            expected
        );
        assert_eq!(found(&manifest, &ldif), ["unknown-mailhost: uid=old"]);
    }
    // The name of a server that is not managed here is written into the manifest.
    let known = format!("{MANIFEST}external: [gone.example.org]\n");
    assert_eq!(found(&known, &ldif), Vec::<String>::new());
    let short = ldif.replace("gone.example.org", "backend2");
    assert_eq!(found(MANIFEST, &short), ["short-mailhost: uid=old"]);
    assert_eq!(
        found(
            MANIFEST,
            &short.replace("mailHost: backend2\n", "mailHost: backend2.example.org\n")
        ),
        Vec::<String>::new()
    );
}

/// `mailHost` is what imapd.conf has as `servername`, which need not be the name of the machine.
#[test]
fn mailhost_is_the_servername_of_cyrus() {
    let own = with("backend1", "mailhost: imap1.example.org");
    let named = CLEAN.replace(
        "mailHost: backend1.example.org",
        "mailHost: imap1.example.org",
    );
    assert_eq!(found(&own, &named), Vec::<String>::new());
    assert_eq!(
        RouteFolder::with(&own, &named).short(&["ann@example.org"]),
        "250 delivered backend1"
    );
    // The machine's name, where Cyrus has another one; and Cyrus's name, where the manifest lacks it.
    let folder = RouteFolder::with(&own, CLEAN);
    assert_eq!(
        found(&own, CLEAN),
        ["unknown-mailhost: cn=memo", "unknown-mailhost: uid=ann"]
    );
    let told = text(&folder.run(&["verify", "m.yaml", "--ldif", "d.ldif"]).stdout);
    assert!(
        told.contains("a host whose Cyrus is called `imap1.example.org`")
            && told.contains("mailHost: imap1.example.org"),
        "{told}"
    );
    assert_eq!(
        found(MANIFEST, &named),
        ["unknown-mailhost: cn=memo", "unknown-mailhost: uid=ann"]
    );
}

/// What an old recipe has in it: an index type that the host lacks, LDAP in the clear, and a password in the file.
#[test]
fn the_habits_of_an_old_recipe_are_named() {
    let facts = "facts: {postfix_version: 3.9.1, index_type: lmdb, table_types: [lmdb, ldap, proxy, regexp, static, inline, unix, pipemap, unionmap]}";
    let check = |manifest: &str| {
        let folder = RouteFolder::with(manifest, "");
        let password = folder.0.path().join("pw");
        fs::write(&password, "secret\n").unwrap();
        fs::set_permissions(password, fs::Permissions::from_mode(0o600)).unwrap();
        let output = folder.run(&["check", "m.yaml"]);
        text(&output.stdout) + &text(&output.stderr)
    };
    let hash = with(
        "backend1",
        &format!("{facts}, settings: {{transport_maps: {{append: ['hash:/etc/postfix/own']}}}}"),
    );
    assert!(
        check(&hash).contains("this host has no table type `hash`"),
        "{}",
        check(&hash)
    );
    assert!(
        check(&with("backend1", facts)).contains("no problems"),
        "{}",
        check(&with("backend1", facts))
    );

    let login = |ldap: &str| {
        let plain = "ldap: {uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', tls: {mode: none}}";
        assert!(MANIFEST.contains(plain));
        MANIFEST.replace(plain, ldap)
    };
    let old = check(&login(
        "ldap: {uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', bind_dn: 'cn=postfix,dc=example,dc=org', bind_pw: Welcome2KolabSystems}",
    ));
    assert!(
        old.contains("unencrypted")
            && old.contains("`ldap.bind_pw` is written in the manifest")
            && !old.contains("Welcome2"),
        "{old}"
    );
    let new = check(&login(
        "ldap: {uris: ['ldaps://ldap.example.org'], base: 'dc=example,dc=org', bind_dn: 'cn=postfix,dc=example,dc=org', bind_pw: {file: pw}}",
    ));
    assert!(new.contains("no problems"), "{new}");
}

/// Transports and domains that are one word off: unknown people that wait, subdomains that the edge takes, mail servers of the own domain.
#[test]
fn classes_that_are_one_word_off() {
    let relay = |transport: &str| {
        with(
            "smtp",
            &format!(
                "settings: {{relay_transport: '{transport}', relay_recipient_maps: '', transport_maps: 'proxy:ldap:/etc/postfix/ldap/transport_maps.cf'}}"
            ),
        )
    };
    let inside = ["--at", "smtp.example.org", "--client", "192.0.2.6"];
    let unknown = [&["nosuch@example.org"][..], &inside].concat();
    let subdomain = vec!["x@sub.example.org"];
    let submitted = vec!["bob@example.org", "--submit", "backend1.example.org"];
    let broad = with(
        "mx",
        "settings: {parent_domain_matches_subdomains: 'relay_domains', relay_recipient_maps: ''}",
    );
    let by_dns = with("backend1", "settings: {local_transport: 'relay'}");
    for (manifest, arguments, expected, findings) in [
        (
            relay("retry:4.2.1 later"),
            &unknown,
            "450 refused smtp",
            vec![],
        ),
        (
            relay("error:5.1.1 nobody"),
            &unknown,
            "550 refused smtp",
            vec![],
        ),
        (MANIFEST.to_owned(), &unknown, "550 refused smtp", vec![]),
        (
            broad,
            &subdomain,
            "250 delivered mx",
            vec!["unknown-accepted: mx"],
        ),
        (MANIFEST.to_owned(), &subdomain, "454 refused mx", vec![]),
        (
            by_dns,
            &submitted,
            "- not modelled backend1",
            vec!["not-modelled: uid=ann uid=bob cn=staff cn=dyn backend1"],
        ),
        (
            MANIFEST.to_owned(),
            &submitted,
            "- delivered backend2",
            vec![],
        ),
    ] {
        let folder = RouteFolder::with(&manifest, CLEAN);
        assert_eq!(folder.short(arguments), expected, "{manifest}");
        assert_eq!(found(&manifest, CLEAN), findings, "{manifest}");
    }
}
