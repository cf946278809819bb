//! main.cf and master.cf after a change that is taken back: the same bytes as before it.

use super::host::Host;
use super::leftovers;
use super::memory::{MANIFEST, murder};

const FOLDED: &str = "# before\nsmtpd_client_restrictions = permit_mynetworks,\n# why the next one\n   reject_unknown_client_hostname,\n\n   # an indented comment\n\tpermit\n# after\nmaps_rbl_domains=a.example,\n  # kept\n  b.example\nsmtp_sasl_password_maps = inline:{x=Welcome2KolabSystems}\n";

/// A converged host with folded values and comments in both files.
fn host() -> Host {
    let host = Host::running();
    host.write(
        "/root/murder.yaml",
        &manifest("permit_mynetworks, reject_unknown_client_hostname, permit"),
    );
    run(&host, "apply --yes --adopt --local murder.yaml");
    host.run("cd /etc/postfix; sed -i /^smtpd_client_restrictions/d main.cf");
    host.write("/root/folded", FOLDED);
    host.run("cd /etc/postfix; cat /root/folded >>main.cf; printf '# ours\\nown  unix  -  -  n  -  -  smtp\\n  -o smtp_helo_timeout=9s\\n# why\\n  -o smtp_bind_address=127.0.0.1' >>master.cf; chmod 640 main.cf");
    run(&host, "apply --yes --local murder.yaml");
    host
}

fn manifest(restrictions: &str) -> String {
    format!("{MANIFEST}    settings: {{smtpd_client_restrictions: \"{restrictions}\"}}\n")
}

fn run(host: &Host, arguments: &str) {
    let (said, code) = murder(host, arguments);
    assert_eq!(code, "0", "{arguments}: {said}");
}

fn hashes(host: &Host) -> String {
    host.run("cd /etc/postfix; sha256sum main.cf master.cf; stat -c '%n %a %U' main.cf master.cf")
}

/// The kept texts with their modes, and whether each is the text before the change.
fn kept(host: &Host) -> String {
    host.run("cd /var/lib/murder; stat -c '%a %U' before 2>/dev/null; ls before 2>/dev/null; stat -c '%a %U' before/* 2>/dev/null | sort -u")
}

#[test]
fn a_change_that_is_taken_back_gives_the_text_back_to_the_byte() {
    let host = host();
    let before = hashes(&host);
    let changed = format!(
        "{}    services: {{own/unix: {{options: {{smtp_helo_timeout: 8s}}}}}}\n",
        manifest("permit_mynetworks")
    );
    // By a rollback, and by the manifest of before.
    for back in [
        "rollback host.example.org murder.yaml --yes --local --no-hold",
        "apply --yes --local murder.yaml",
    ] {
        host.write("/root/murder.yaml", &changed);
        run(&host, "apply --yes --adopt --local murder.yaml");
        let after = hashes(&host);
        assert_ne!(after, before);
        assert_eq!(
            kept(&host),
            "700 root\npostfix.main.cf\npostfix.main.cf.after\npostfix.master.cf\npostfix.master.cf.after\n600 root\n"
        );
        if back.starts_with("apply") {
            // The option that the host had is not in this manifest, and its value stays the manifest's.
            host.write(
                "/root/murder.yaml",
                &format!(
                    "{}    services: {{own/unix: {{options: {{smtp_helo_timeout: 9s}}}}}}\n",
                    manifest("permit_mynetworks, reject_unknown_client_hostname, permit")
                ),
            );
        }
        run(&host, back);
        assert_eq!(hashes(&host), before, "{back}");
        // And forward again: the text of the change is the last one by now.
        host.write("/root/murder.yaml", &changed);
        run(&host, "apply --yes --adopt --local murder.yaml");
        assert_eq!(hashes(&host), after, "{back}");
        run(
            &host,
            "rollback host.example.org murder.yaml --yes --local --no-hold",
        );
        assert_eq!(hashes(&host), before, "{back}");
        assert_eq!(leftovers(&host), [""; 0]);
    }
}

#[test]
fn a_text_that_is_no_longer_the_last_one_is_not_given_back_and_goes() {
    let host = host();
    host.write("/root/murder.yaml", &manifest("permit_mynetworks"));
    run(&host, "apply --yes --local murder.yaml");
    // master.cf got the end of its last line.
    assert_eq!(
        kept(&host),
        "700 root\npostfix.main.cf\npostfix.main.cf.after\npostfix.master.cf\npostfix.master.cf.after\n600 root\n"
    );
    // Another hand: the values come back, and its change stays.
    host.run("postconf -e soft_bounce=yes");
    run(
        &host,
        "rollback host.example.org murder.yaml --yes --local --no-hold",
    );
    let text = host.read("/etc/postfix/main.cf");
    assert!(text.contains("soft_bounce = yes\n") && text.contains("\nsmtpd_client_restrictions = permit_mynetworks, reject_unknown_client_hostname, permit\n# why"), "{text}");
    assert_eq!(
        kept(&host),
        "700 root\npostfix.main.cf\npostfix.main.cf.after\npostfix.master.cf\npostfix.master.cf.after\n600 root\n"
    );
    // The copy has the host's secrets: it goes with the next apply that finds another text, and with the ledger.
    host.run("echo '# by hand' >>/etc/postfix/main.cf");
    host.write(
        "/root/murder.yaml",
        &format!(
            "{}    files: {{/etc/postfix/note: {{content: \"# Managed by murder: x\\n\"}}}}\n",
            manifest("permit_mynetworks, reject_unknown_client_hostname, permit")
        ),
    );
    run(&host, "apply --yes --local murder.yaml");
    assert_eq!(
        kept(&host),
        "700 root\npostfix.master.cf\npostfix.master.cf.after\n600 root\n"
    );
    host.write("/root/murder.yaml", &manifest("permit"));
    run(&host, "apply --yes --local murder.yaml");
    assert_ne!(kept(&host), "");
    run(
        &host,
        "release host.example.org all murder.yaml --local --yes",
    );
    assert_eq!(host.run("ls /var/lib/murder"), "lock\n");
}
