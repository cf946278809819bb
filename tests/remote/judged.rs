//! `verify.in_plan` on a host with a real Postfix, while the directory cannot be read.

use super::host::Host;

const MANIFEST: &str = "version: 1\nmurder: lab\ndomains: [example.org]\nverify: {in_plan: true}\n\
    ldap: {uris: ['ldap://127.0.0.1:1'], base: 'dc=example,dc=org', tls: {mode: none}}\nhosts:\n  \
    mx.example.org: {roles: [internet-mta], addresses: [127.0.0.1], vars: {recipient_check: table, recipients: [ann@example.org]}}\n  \
    smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n";

#[test]
fn nothing_is_applied_while_the_directory_cannot_say_what_it_means_for_mail() {
    let host = Host::running();
    host.install_program();
    host.write("/root/m.yaml", MANIFEST);
    let run = |verb: &str, flags: &str| {
        host.run(&format!(
            "cd /root; /usr/local/bin/murder {verb} m.yaml --host mx.example.org --local --adopt --allow-restart --allow-unverified --allow-fault {flags} 2>&1; echo $?"
        ))
    };
    let before = host.run("sha256sum /etc/postfix/main.cf");
    for said in [run("plan", ""), run("apply", "--yes")] {
        for words in [
            "cannot be reached",
            "refused without --allow-bounce: the directory could not be read (`verify.in_plan`), so it is not known whether mail bounces",
            "mail: not judged: the directory could not be read",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(said.ends_with("\n1\n"), "{said}");
    }
    assert_eq!(host.run("sha256sum /etc/postfix/main.cf"), before);
    // A flag that asks for the directory gets an error, and no plan.
    let said = run("plan", "--directory");
    assert!(
        said.ends_with("\n1\n") && !said.contains("mail: not judged"),
        "{said}"
    );
    let said = run("plan", "--out p.json");
    assert!(said.ends_with("\n1\n"), "{said}");
    let said = host.run("cd /root; /usr/local/bin/murder apply p.json --local --yes --adopt --allow-restart --allow-unverified --allow-fault 2>&1; echo $?");
    assert!(
        said.contains("refused without --allow-bounce") && said.ends_with("\n1\n"),
        "{said}"
    );
    let said = run("apply", "--yes --no-directory");
    assert!(
        said.ends_with("\n0\n") && !said.contains("not judged"),
        "{said}"
    );
}

/// What the plan says of one host before and after it, and what the real Postfix there answers.
#[test]
fn the_real_host_answers_before_and_after_as_the_plan_says() {
    let host = Host::running();
    host.install_program();
    let entry = |name: &str| {
        format!(
            "dn: uid={name},dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: {name}@example.org\nmailHost: backend1.example.org\n\n"
        )
    };
    host.write("/root/d.ldif", &["ann", "bob", "eve"].map(entry).concat());
    let manifest = |recipients: &str, more: &str| {
        let of = MANIFEST.replace("[ann@example.org]", recipients);
        let of = of.replace("verify: {in_plan: true}\n", "")
            + "  backend1.example.org: {roles: [backend], addresses: [192.0.2.11]}\n";
        of.replace(
            "addresses: [127.0.0.1],",
            &format!("addresses: [127.0.0.1], {more}"),
        )
    };
    let run = |text: &str, verb: &str| {
        host.write("/root/m.yaml", text);
        host.run(&format!("cd /root; /usr/local/bin/murder {verb} m.yaml --host mx.example.org --local --adopt --allow-restart --allow-unverified --allow-fault --ldif d.ldif --show-addresses 2>&1"))
    };
    // The answers to RCPT, as `ann 250, bob 550 …`.
    let answers = || {
        let asked = ["ann", "bob", "eve"].map(|name| {
            let dialogue = format!("import smtplib; s=smtplib.SMTP('127.0.0.1',25); s.helo('x'); s.docmd('MAIL FROM:<>'); print(s.docmd('RCPT TO:<{name}@example.org>')[0])");
            format!("{name} {}", host.run(&format!("python3 -c \"{dialogue}\"")).trim())
        });
        asked.join(", ")
    };
    let both = manifest("[ann@example.org, bob@example.org]", "");
    let said = run(&both, "apply --yes --allow-bounce");
    assert_eq!(answers(), "ann 250, bob 250, eve 550", "{said}");
    let fewer = manifest("[ann@example.org, eve@example.org]", "");
    let said = run(&fewer, "plan");
    assert!(
        said.contains(
            "1 address is now refused for good (5.1.1 at mx.example.org): bob@example.org"
        ),
        "{said}"
    );
    assert_eq!(answers(), "ann 250, bob 250, eve 550");
    let said = run(&fewer, "apply --yes --allow-bounce");
    assert_eq!(answers(), "ann 250, bob 550, eve 250", "{said}");
    // Nobody is let in any more, and a plan for the other recipients says what is so already.
    let closed = manifest(
        "[ann@example.org, eve@example.org]",
        "settings: {smtpd_recipient_restrictions: reject},",
    );
    let said = run(&closed, "plan");
    assert!(said.contains("2 addresses are now refused for good (5.7.1 at mx.example.org): ann@example.org, eve@example.org"), "{said}");
    run(&closed, "apply --yes --allow-bounce");
    assert_eq!(answers(), "ann 554, bob 554, eve 554");
    let said = run(&fewer, "plan");
    assert!(
        said.contains("2 addresses are delivered that were not"),
        "{said}"
    );
}

/// A host with the Postfix that Debian's package and its installer left, a manifest that makes it the internet MTA, and people whose
/// mail is delivered, bounces and loops.
fn with_a_new_edge() -> Host {
    let host = Host::running();
    host.install_program();
    let entry = |(name, at): (&str, &str)| {
        format!(
            "dn: uid={name},dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: {name}@example.org\nmailHost: {at}.example.org\n\n"
        )
    };
    let people = [("ann", "backend1"), ("gone", "backend9"), ("loop", "smtp")];
    host.write("/root/d.ldif", &people.map(entry).concat());
    let text = MANIFEST.replace("verify: {in_plan: true}\n", "");
    let text = text.replace(
        "vars: {recipient_check: table, recipients: [ann@example.org]}",
        "vars: {recipient_check: none}",
    ) + "  backend1.example.org: {roles: [backend], addresses: [192.0.2.11]}\n";
    host.write("/root/m.yaml", &text);
    host
}

/// The program on the host; with the exit code in the last line.
fn judged(host: &Host, verb: &str) -> String {
    host.run(&format!("cd /root; /usr/local/bin/murder {verb} m.yaml --host mx.example.org --local --adopt --allow-restart --allow-unverified --allow-fault --ldif d.ldif 2>&1; echo $?"))
}

/// A host that nobody gave a job is compared with the hosts that do something.
#[test]
fn a_real_host_without_a_job_is_not_blamed_for_what_bounces_everywhere() {
    let host = with_a_new_edge();
    let run = |verb: &str| judged(&host, verb);
    let rcpt = |name: &str| {
        let dialogue = format!(
            "import smtplib; s=smtplib.SMTP('127.0.0.1',25,source_address=('127.0.0.2',0)); s.helo('x'); s.docmd('MAIL FROM:<>'); print(s.docmd('RCPT TO:<{name}@example.org>')[0])"
        );
        host.run(&format!("python3 -c \"{dialogue}\""))
            .trim()
            .to_owned()
    };
    // No module sets `inet_interfaces`: what an installer wrote there stays.
    for (more, ways) in [
        ("", "from the Internet, from another host, by sendmail"),
        (
            "postconf -e relayhost=[smtp.example.org] inet_interfaces=loopback-only mynetworks=10.0.0.0/8",
            "by sendmail",
        ),
    ] {
        host.run(more);
        let said = run("plan");
        let enters = format!("mail can now enter at `mx.example.org` ({ways})");
        assert!(said.contains(&enters), "{said}");
        assert!(
            said.ends_with("\n0\n") && !said.contains("now bounce") && !said.contains("now loop"),
            "{said}"
        );
    }
    // It does nothing for the domain: Postfix says so. One setting that does is its job.
    host.run("postconf -e 'relay_domains = example.org' 'transport_maps = inline:{gone@example.org=discard:}' mynetworks=127.0.0.0/8 && postfix stop; postfix start");
    assert_eq!(rcpt("gone"), "250");
    let said = run("plan");
    assert!(
        said.contains(
            "1 address now bounces (5.4.4 at smtp.example.org via relay:[backend9.example.org]:25)"
        ) && said.ends_with("\n1\n"),
        "{said}"
    );
}

/// All processes of the host end in the middle of its first apply: it has no job yet, whatever main.cf says by then.
#[test]
fn a_real_host_whose_first_apply_did_not_end_is_not_blamed_either() {
    let host = with_a_new_edge();
    host.run("mv /usr/sbin/postfix /usr/sbin/postfix.real");
    host.write(
        "/usr/sbin/postfix",
        "#!/bin/sh\ncase \"$*\" in *reload*|*stop*|*start*) kill -9 -1; exit 1;; esac\nexec /usr/sbin/postfix.real \"$@\"\n",
    );
    host.run("chmod 755 /usr/sbin/postfix");
    let said = judged(&host, "apply --yes");
    assert!(!said.contains("1 done"), "{said}");
    host.run("mv /usr/sbin/postfix.real /usr/sbin/postfix; rm -f /var/spool/postfix/pid/master.pid; postfix start");
    let found = host.run("postconf -n relay_domains; ls /var/lib/murder/journal.json; ls /var/lib/murder/ledger.json");
    assert_eq!(
        found,
        "relay_domains = example.org\n/var/lib/murder/journal.json\n"
    );
    let said = judged(&host, "plan");
    // The configuration was written already: the rest of the apply changes no route.
    assert!(
        said.contains("no address moves, and none is worse off at the end"),
        "{said}"
    );
    assert!(
        said.ends_with("\n0\n") && !said.contains("now bounce") && !said.contains("now loop"),
        "{said}"
    );
    let said = judged(&host, "apply --yes");
    assert!(said.contains("1 done") && said.ends_with("\n0\n"), "{said}");
}
