//! Letting go of a host, and taking it over again: what it keeps, and what of it is secret.

use super::host::Host;
use super::memory::{MANIFEST, murder};

const FIRST: &str = "Welcome2KolabSystems";
const SECOND: &str = "Another1Altogether";

fn files() -> String {
    let secret = "secrets: {pw: {file: /root/pw}}, group: postfix";
    format!(
        "{MANIFEST}    files:\n      /etc/postfix/own.cf: {{content: \"# Managed by murder: so it is\\nbind_pw = {{{{ secret.pw }}}}\\n\", {secret}}}\n      /etc/postfix/plain.cf: {{content: \"bind_pw = {{{{ secret.pw }}}}\\n\", {secret}}}\n"
    )
}

/// Every file that holds a text, with owner and mode.
fn holders(host: &Host, text: &str) -> String {
    host.run(&format!(
        "grep -rlF {text} /etc /var /run /tmp 2>/dev/null | sort | xargs -r stat -c '%n %U:%G %a'"
    ))
}

#[test]
fn a_host_that_is_taken_over_again_keeps_no_copy_of_what_it_has() {
    let host = Host::running();
    let apply = "apply --yes --local murder.yaml";
    let run = |arguments: &str| {
        let (said, code) = murder(&host, arguments);
        assert_eq!(code, "0", "{arguments}: {said}");
        said
    };
    host.run(&format!("echo {FIRST} >/root/pw; chmod 600 /root/pw"));
    host.write("/root/murder.yaml", &files());
    run(apply);
    let files_alone =
        "/etc/postfix/own.cf root:postfix 640\n/etc/postfix/plain.cf root:postfix 640\n";
    assert_eq!(holders(&host, FIRST), files_alone);

    // What goes is said before it goes.
    let said = run("release host.example.org all murder.yaml --local --yes");
    assert!(
        said.contains("its history of 1 generation") && said.contains("no `rollback`"),
        "{said}"
    );
    assert_eq!(host.run("ls /var/lib/murder"), "lock\n");
    assert_eq!(holders(&host, FIRST), files_alone);
    let (said, code) = murder(
        &host,
        "release host.example.org /etc/postfix/own.cf murder.yaml --local --yes",
    );
    assert!(
        code == "1" && said.contains("is not managed on host.example.org"),
        "{said}"
    );

    // Taken over as it is: nothing is about to be lost, and nothing is copied.
    let said = run(apply);
    assert!(said.contains("= take over "), "{said}");
    assert!(said.contains(" /etc/postfix/own.cf"), "{said}");
    assert_eq!(holders(&host, FIRST), files_alone);

    // What somebody may have written is copied when it is about to change, for root alone; our own is not.
    host.run(&format!("echo {SECOND} >/root/pw"));
    run(apply);
    let copies = holders(&host, FIRST);
    let copies: Vec<&str> = copies.lines().collect();
    assert!(
        copies.len() == 1
            && copies[0].starts_with("/var/lib/murder/adopted/")
            && copies[0].ends_with(" root:root 600"),
        "{copies:?}"
    );
    assert_eq!(holders(&host, SECOND), files_alone);

    // Nobody names them any more: ours goes, the other gets its text back, and the copy goes.
    host.write("/root/murder.yaml", MANIFEST);
    run(apply);
    assert_eq!(holders(&host, SECOND), "");
    assert_eq!(
        holders(&host, FIRST),
        "/etc/postfix/plain.cf root:postfix 640\n"
    );
    assert_eq!(host.run("ls /etc/postfix/own.cf 2>/dev/null"), "");

    // A host that retires loses its history too, and its plan says so.
    host.write(
        "/root/murder.yaml",
        &format!("{MANIFEST}    state: retired\n"),
    );
    let said = run("plan --local murder.yaml");
    assert!(said.contains("its history, and"), "{said}");
}
