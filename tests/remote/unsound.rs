//! What Postfix cannot run or answer with, and that no text of main.cf shows: users, directories, and indexes of another text.

use super::host::Host;
use super::leftovers;
use super::memory::{MANIFEST, murder};

fn manifest(settings: &str) -> String {
    format!("{MANIFEST}    settings: {{{settings}}}\n")
}

/// A converged host.
fn host() -> Host {
    let host = Host::running();
    host.write("/root/murder.yaml", MANIFEST);
    let (said, code) = murder(&host, "apply --yes --local murder.yaml");
    assert_eq!(code, "0", "{said}");
    host
}

#[test]
fn users_and_directories_that_are_missing_are_known_before_anything_changes() {
    let host = host();
    let before = host.run("sha256sum /etc/postfix/main.cf; cat /var/spool/postfix/pid/master.pid");
    for (settings, words) in [
        ("mail_owner: nosuch", "mail_owner"),
        ("setgid_group: nosuch", "setgid_group"),
        ("default_privs: nosuch", "default_privs"),
        ("data_directory: /nowhere/data", "data_directory"),
    ] {
        host.write("/root/murder.yaml", &manifest(settings));
        let (said, code) = murder(
            &host,
            "apply --yes --adopt --allow-fault --local murder.yaml",
        );
        assert!(code == "3" && said.contains(words), "{settings}: {said}");
        assert!(!said.contains(": done"), "{settings}: {said}");
        let after =
            host.run("sha256sum /etc/postfix/main.cf; cat /var/spool/postfix/pid/master.pid");
        assert_eq!(after, before, "{settings}: {said}");
        assert_eq!(leftovers(&host), [""; 0], "{settings}");
    }
}

#[test]
fn what_was_missing_before_is_said_and_nothing_is_done_over_it() {
    for (spoil, words) in [
        ("postconf -e default_privs=nosuch", "nosuch"),
        ("postconf -e mail_owner=nosuch", "nosuch"),
        ("mv /var/lib/postfix /var/lib/elsewhere", "/var/lib/postfix"),
    ] {
        let host = host();
        host.run(spoil);
        host.write("/root/murder.yaml", &manifest("bounce_queue_lifetime: 3d"));
        let (said, code) = murder(&host, "apply --yes --local murder.yaml");
        assert!(code != "0" && said.contains(words), "{spoil}: {said}");
        assert!(!said.contains(": done"), "{spoil}: {said}");
    }
}

#[test]
fn an_index_that_is_newer_and_of_another_text_is_said() {
    let host = host();
    let file = |text: &str, more: &str| {
        format!(
            "{MANIFEST}    settings: {{transport_maps: \"hash:/etc/postfix/routes\"{more}}}\n    files: {{/etc/postfix/routes: {{content: \"{text}\", table: true}}}}\n"
        )
    };
    let apply = |manifest: &str| {
        host.write("/root/murder.yaml", manifest);
        let (said, code) = murder(&host, "apply --yes --local murder.yaml");
        assert_eq!(code, "0", "{said}");
        said
    };
    let text = "# routes\\nA.example relay:[one.example]\\nb.example\\n  relay:[two.example]\\n";
    let said = apply(&file(text, ""));
    assert!(!said.contains("fault remains"), "{said}");
    // The same entries, built by hand: no fault.
    host.run("sleep 1; postmap /etc/postfix/routes");
    let said = apply(&file(text, ", bounce_queue_lifetime: 3d"));
    assert!(!said.contains("fault remains"), "{said}");
    // The index of another table.
    host.run("cd /root; echo 'c.example relay:[three.example]' >other; postmap hash:/root/other; cat other.db >/etc/postfix/routes.db");
    let said = apply(&file(text, ", bounce_queue_lifetime: 4d"));
    assert!(
        said.contains("fault remains")
            && said.contains("the index of /etc/postfix/routes has other entries than its text")
            && said.contains("postmap hash:/etc/postfix/routes"),
        "{said}"
    );
    assert_eq!(leftovers(&host), [""; 0]);
    host.run("postmap hash:/etc/postfix/routes");
    let said = apply(&file(text, ", bounce_queue_lifetime: 5d"));
    assert!(!said.contains("fault remains"), "{said}");
    // A text that changes gets a new index anyway.
    host.run("cat /root/other.db >/etc/postfix/routes.db");
    let said = apply(&file(
        "d.example relay:[four.example]\\n",
        ", bounce_queue_lifetime: 5d",
    ));
    assert!(!said.contains("fault remains"), "{said}");
    assert_eq!(
        host.run("postmap -q d.example hash:/etc/postfix/routes"),
        "relay:[four.example]\n"
    );
}
