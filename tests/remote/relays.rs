//! Open relays, and listeners that accept unknown recipients: a plan says what the real Postfix then answers to strangers.

use super::host::Host;

const MANIFEST: &str = "version: 1\nmurder: lab\ndomains: [example.org]\n\
    ldap: {uris: ['ldap://127.0.0.1:1'], base: 'dc=example,dc=org', tls: {mode: none}}\nhosts:\n  \
    mx.example.org: {roles: [internet-mta], addresses: [127.0.0.1], vars: {recipient_check: table, recipients: [ann@example.org]}}\n  \
    smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n";

/// The codes for a recipient elsewhere, a known one, and an unknown one.
fn codes(host: &Host) -> String {
    host.run("postfix reload 2>/dev/null; sleep 1");
    let dialogue = "import smtplib; s=smtplib.SMTP('127.0.0.1',25,timeout=5); s.helo('x'); s.docmd('MAIL FROM:<>'); \
                    print(*[s.docmd('RCPT TO:<%s>'%a)[0] for a in ('x@elsewhere.example','ann@example.org','eve@example.org')])";
    host.run(&format!("python3 -c \"{dialogue}\" 2>&1 | tail -1"))
        .trim()
        .to_owned()
}

#[test]
fn strangers_get_what_the_plan_says() {
    let host = Host::running();
    host.install_program();
    let run = |manifest: &str, verb: &str| {
        host.write("/root/m.yaml", manifest);
        host.run(&format!("cd /root; /usr/local/bin/murder {verb} m.yaml --host mx.example.org --local --adopt --allow-restart --allow-unverified 2>&1; echo $?"))
    };
    // The loopback interface is a stranger here.
    host.run("postconf -e mynetworks=192.0.2.77");
    let manifest = MANIFEST.replace(
        "addresses: [127.0.0.1],",
        "addresses: [127.0.0.1], leave: ['main.cf:mynetworks'],",
    );
    let applied = run(&manifest, "apply --yes");
    assert!(applied.ends_with("\n0\n"), "{applied}");
    assert_eq!(codes(&host), "454 250 550");
    let converged = run(&manifest, "plan");
    assert!(!converged.contains("relay:"), "{converged}");
    for (setting, expected, words) in [
        (
            "mynetworks=0.0.0.0/1,128.0.0.0/1",
            "250 250 550",
            "the host is an open relay: `permit_mynetworks` in `smtpd_relay_restrictions` (`mynetworks` has `0.0.0.0/1`)",
        ),
        (
            "smtpd_relay_restrictions=check_helo_access static:OK, reject_unauth_destination",
            "250 250 550",
            "the host is an open relay: `check_helo_access static:OK`",
        ),
        (
            "smtpd_relay_restrictions=check_helo_access static:DUNNO, permit_auth_destination, reject_unauth_destination",
            "554 250 550",
            "",
        ),
        (
            "receive_override_options=no_unknown_recipient_checks",
            "454 250 250",
            "accepts recipients that `relay_recipient_maps` lacks",
        ),
        (
            "smtpd_reject_unlisted_recipient=no",
            "454 250 250",
            "accepts recipients that `relay_recipient_maps` lacks",
        ),
        // master(8) waits a minute before it starts smtpd(8) again: the last one.
        (
            "smtpd_relay_restrictions=permit, reject_unauth_destination",
            "fatal",
            "stops relaying for `smtp/inet`",
        ),
    ] {
        let name = setting.split('=').next().unwrap();
        host.run(&format!(
            "cp -p /etc/postfix/main.cf /root/; postconf -e '{setting}'"
        ));
        let said = run(&manifest, "plan");
        match words {
            "" => assert!(!said.contains("open relay"), "{setting}: {said}"),
            words => assert!(said.contains(words), "{setting}: {said}"),
        }
        // What the role counts on is refused; the rest is as the host has it.
        let is_refused = said.contains("refused without --allow-fault");
        assert_eq!(is_refused, words.contains("relay_recipient_maps"), "{said}");
        let codes = codes(&host);
        assert!(
            codes == expected
                || expected == "fatal" && (codes.contains("rror") || codes.contains("timed out")),
            "{setting}: {codes}"
        );
        host.run("cp -p /root/main.cf /etc/postfix/");
        // A manifest that brings it needs consent; nothing is changed before.
        if words.contains("open relay") {
            let value = setting.split_once('=').unwrap().1;
            let brings = manifest
                .replace(", leave: ['main.cf:mynetworks']", "")
                .replace(
                    "addresses: [127.0.0.1],",
                    &format!("addresses: [127.0.0.1], settings: {{{name}: '{value}'}},"),
                );
            let before = host.run("sha256sum /etc/postfix/main.cf");
            let said = run(&brings, "apply --yes");
            assert!(
                said.contains("refused without --allow-fault") && said.contains(words),
                "{said}"
            );
            assert!(said.ends_with("\n1\n"), "{said}");
            assert_eq!(host.run("sha256sum /etc/postfix/main.cf"), before);
        }
    }
}
