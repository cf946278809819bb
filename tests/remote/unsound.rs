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

fn with_routes(text: &str, more: &str) -> String {
    format!(
        "{MANIFEST}    settings: {{transport_maps: \"hash:/etc/postfix/routes\"{more}}}\n    files: {{/etc/postfix/routes: {{content: \"{text}\", table: true}}}}\n"
    )
}

fn apply(host: &Host, manifest: &str) -> String {
    host.write("/root/murder.yaml", manifest);
    let (said, code) = murder(host, "apply --yes --local murder.yaml");
    assert_eq!(code, "0", "{said}");
    said
}

const ROUTES: &str =
    "# routes\\nA.example relay:[one.example]\\nb.example\\n  relay:[two.example]\\n";
const OTHER: &str = "cd /root; echo 'c.example relay:[three.example]' >other; postmap hash:/root/other; cat other.db >/etc/postfix/routes.db";

#[test]
fn an_index_of_another_text_that_is_newer_than_the_last_apply_is_built_again() {
    let host = host();
    apply(&host, &with_routes(ROUTES, ""));
    let pending = || {
        let (said, code) = murder(&host, "plan --detailed-exitcode --local murder.yaml");
        (code == "2", said)
    };
    // The same entries, built by hand: nothing to do.
    host.run("sleep 1; postmap /etc/postfix/routes");
    let (is_pending, said) = pending();
    assert!(!is_pending, "{said}");
    for spoil in [
        OTHER,
        // Postfix cannot open it at all.
        "echo nonsense >/etc/postfix/routes.db",
        "postmap btree:/root/other; cat /root/other.db >/etc/postfix/routes.db",
        // Entries that the text no longer has.
        "cd /root; { echo 'z.example relay:[old.example]'; cat /etc/postfix/routes; } >other; postmap hash:other; cat other.db >/etc/postfix/routes.db",
        // What a backup puts back keeps its time.
        "cd /root; echo 'c.example relay:[three.example]' >other; postmap hash:/root/other; touch -r /etc/postfix/routes other.db; cp -p other.db /etc/postfix/routes.db",
        &format!("{OTHER}; touch -r /var/lib/murder/ledger.json /etc/postfix/routes.db"),
    ] {
        host.run(&format!("sleep 2; {spoil}"));
        let (is_pending, said) = pending();
        assert!(
            is_pending && said.contains("it has other entries than its source"),
            "{spoil}: {said}"
        );
        apply(&host, &with_routes(ROUTES, ""));
        assert_eq!(
            host.run("postmap -s hash:/etc/postfix/routes | sort"),
            "a.example\trelay:[one.example]\nb.example\trelay:[two.example]\n",
            "{spoil}"
        );
        assert!(!pending().0, "{spoil}");
    }
}

#[test]
fn an_index_of_another_text_is_known_before_the_first_apply() {
    let host = host();
    let text = ROUTES.replace("\\n", "\n");
    for (spoil, is_other) in [
        ("", false),
        (
            "echo 'c.example relay:[three.example]' >other; postmap hash:/root/other; cat other.db >/etc/postfix/routes.db; touch -d '2020-01-02' /etc/postfix/routes.db",
            true,
        ),
    ] {
        host.write("/etc/postfix/routes", &text);
        host.run(&format!("touch -d '2020-01-01' /etc/postfix/routes; cd /root; postmap /etc/postfix/routes; {spoil}"));
        host.write("/root/murder.yaml", &with_routes(ROUTES, ""));
        let (said, _) = murder(&host, "plan --local murder.yaml");
        assert_eq!(
            said.contains("other entries than its source"),
            is_other,
            "{said}"
        );
    }
    let said = apply(&host, &with_routes(ROUTES, ""));
    assert!(!said.contains("fault remains"), "{said}");
    assert_eq!(
        host.run("postmap -q b.example hash:/etc/postfix/routes"),
        "relay:[two.example]\n"
    );
}

#[test]
fn an_index_of_another_text_that_no_time_gives_away_is_said_by_an_apply() {
    let host = host();
    apply(&host, &with_routes(ROUTES, ""));
    host.run(&format!(
        "{OTHER}; sleep 1; touch /var/lib/murder/ledger.json"
    ));
    let said = apply(&host, &with_routes(ROUTES, ", bounce_queue_lifetime: 4d"));
    assert!(
        said.contains("fault remains")
            && said.contains("the index of /etc/postfix/routes has other entries than its text")
            && said.contains("postmap hash:/etc/postfix/routes"),
        "{said}"
    );
    assert_eq!(leftovers(&host), [""; 0]);
    // A text that changes gets a new index anyway.
    let text = "d.example relay:[four.example]\\n";
    let said = apply(&host, &with_routes(text, ", bounce_queue_lifetime: 5d"));
    assert!(!said.contains("fault remains"), "{said}");
    assert_eq!(
        host.run("postmap -q d.example hash:/etc/postfix/routes"),
        "relay:[four.example]\n"
    );
}

#[test]
fn the_index_of_an_alias_file_is_compared_too() {
    let host = host();
    let manifest = |more: &str| {
        format!(
            "{MANIFEST}    settings: {{alias_maps: \"hash:/etc/postfix/our_aliases\"{more}}}\n    files: {{/etc/postfix/our_aliases: {{content: \"# ours\\npostmaster: root\\nRoot:\\tadmin (him),\\n  \\\"two words\\\"@example.org\\n\\n\\\"a b\\\":joe\\n\"}}}}\n"
        )
    };
    let said = apply(&host, &manifest(""));
    assert!(!said.contains("fault remains"), "{said}");
    host.run("sleep 1; postalias /etc/postfix/our_aliases");
    let said = apply(&host, &manifest(", bounce_queue_lifetime: 3d"));
    assert!(!said.contains("fault remains"), "{said}");
    let plan = || murder(&host, "plan --detailed-exitcode --local murder.yaml");
    // The same entries, built by hand: nothing to do.
    host.run("sleep 1; postalias /etc/postfix/our_aliases");
    let (said, code) = plan();
    assert_eq!(code, "0", "{said}");
    let other = "cd /root; echo 'root: nobody' >other; postalias hash:/root/other; cat other.db >/etc/postfix/our_aliases.db";
    for spoil in [
        other,
        "cd /root; { echo 'more: root'; cat /etc/postfix/our_aliases; } >other; postalias hash:other; cat other.db >/etc/postfix/our_aliases.db",
        "cd /root; sed 's/admin/nobody/' /etc/postfix/our_aliases >other; postalias hash:other; cat other.db >/etc/postfix/our_aliases.db",
        "echo nonsense >/etc/postfix/our_aliases.db",
    ] {
        host.run(&format!("sleep 1; {spoil}"));
        let (said, code) = plan();
        assert!(
            code == "2" && said.contains("it has other entries than its source"),
            "{spoil}: {said}"
        );
        let said = apply(&host, &manifest(", bounce_queue_lifetime: 3d"));
        assert!(!said.contains("fault remains"), "{spoil}: {said}");
        assert!(
            host.run("postalias -q root hash:/etc/postfix/our_aliases")
                .contains("admin")
        );
        assert_eq!(plan().1, "0", "{spoil}");
    }
    host.run(&format!(
        "{other}; sleep 1; touch /var/lib/murder/ledger.json"
    ));
    let said = apply(&host, &manifest(", bounce_queue_lifetime: 4d"));
    assert!(
        said.contains("fault remains") && said.contains("postalias hash:/etc/postfix/our_aliases"),
        "{said}"
    );
}
