//! `verify.in_plan` on a host with a real Postfix, while the directory cannot be read.

use std::fs;

use super::host::Host;

const MANIFEST: &str = "version: 1\nmurder: lab\ndomains: [example.org]\nverify: {in_plan: true}\n\
    ldap: {uris: ['ldap://127.0.0.1:1'], base: 'dc=example,dc=org', tls: {mode: none}}\nhosts:\n  \
    mx.example.org: {roles: [internet-mta], addresses: [127.0.0.1], vars: {recipient_check: table, recipients: [ann@example.org]}}\n  \
    smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n";

#[test]
fn nothing_is_applied_while_the_directory_cannot_say_what_it_means_for_mail() {
    let host = Host::running();
    let program = host.root().join("usr/local/bin/murder");
    fs::copy(env!("CARGO_BIN_EXE_murder"), program).unwrap();
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
