//! `drift --as-manifest`: what was changed on hosts, as a manifest that keeps it.

use super::drift::{CODE, HOST, by_hand, on_host};
use super::{Bench, MANIFEST};

const TABLE: &str = "/etc/postfix/access_clients";

/// A manifest with a file and entries of master.cf beside its settings.
fn manifest() -> String {
    MANIFEST.replace(
        "settings: {smtpd_banner",
        &format!(
            "files: {{{TABLE}: {{content: \"192.0.2.1 OK\\n\"}}}}, services: {{relay/unix: {{process_limit: 10, options: {{syslog_name: postfix/out}}}}}}, settings: {{smtpd_banner"
        ),
    )
}

/// Prints the manifest, lays it over, and demands that nothing is left to do on the host.
#[track_caller]
fn keep(bench: &Bench) -> String {
    let output = bench.run("drift", &["--as-manifest"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let file = bench.home.path().join("kept.yaml");
    std::fs::write(&file, &text).unwrap();
    let overlay = ["--overlay", file.to_str().unwrap(), "--detailed-exitcode"];
    let said = bench.expect(0, "plan", &overlay);
    assert!(said.contains("3 hosts converged"), "{text}\n{said}");
    text
}

#[test]
fn what_was_changed_on_hosts_is_printed_as_a_manifest_that_keeps_it() {
    let bench = Bench::new(&manifest());
    bench.expect(0, "apply", &["--yes"]);
    assert_eq!(bench.expect(0, "drift", &["--as-manifest"]), "");
    // Each kind of thing: set otherwise, taken away, and added to an entry.
    by_hand(&bench);
    bench.edit(
        HOST,
        "etc/postfix/main.cf",
        "smtpd_banner = $myhostname ESMTP\n",
        "",
    );
    bench.edit(
        HOST,
        TABLE.trim_start_matches('/'),
        "192.0.2.1 OK",
        "192.0.2.1 OK\n192.0.2.2 REJECT \"why: #not\"",
    );
    let second = "backend2.example.org";
    bench.edit(
        second,
        "etc/postfix/master.cf",
        "syslog_name=postfix/out",
        "syslog_name=postfix/by-hand",
    );
    std::fs::remove_file(bench.root(second).join(TABLE.trim_start_matches('/'))).unwrap();
    bench.expect(2, "drift", &[]);
    let text = keep(&bench);
    assert!(
        text.contains(&format!("{CODE}: \"550\"")) || text.contains(&format!("{CODE}: 550")),
        "{text}"
    );
    assert!(text.contains("smtpd_banner: null"), "{text}");
    assert!(
        text.contains("layer: the host itself; it is written in")
            && text.contains("murder.yaml, line"),
        "{text}"
    );
    assert!(
        text.contains("is stronger than the value of the host's range"),
        "{text}"
    );
    assert!(text.contains(&format!("{TABLE}: null")), "{text}");
}

#[test]
fn what_is_held_is_printed_too_and_a_pending_change_is_not() {
    let bench = Bench::new(&manifest());
    bench.expect(0, "apply", &["--yes"]);
    by_hand(&bench);
    on_host(&bench, 0, &["hold", HOST, CODE, "--for=72h", "--reason=x"]);
    assert_eq!(bench.expect(0, "drift", &[]), "");
    let text = keep(&bench);
    assert!(
        text.contains(CODE) && !text.contains("smtpd_banner"),
        "{text}"
    );
    bench.manifest(&manifest().replace("ESMTP", "ESMTP ready"));
    let text = bench.expect(0, "drift", &["--as-manifest"]);
    assert!(
        text.contains(CODE) && !text.contains("smtpd_banner"),
        "{text}"
    );
    // It does not notify, and does not write metrics.
    bench.expect(1, "drift", &["--as-manifest", "--metrics", "/tmp/x.prom"]);
}

#[test]
fn a_value_that_may_be_secret_is_not_printed() {
    let bench = Bench::new(&manifest());
    bench.expect(0, "apply", &["--yes"]);
    let mut files = std::collections::BTreeMap::new();
    super::walk(&bench.home.path().join("sandbox"), &mut files);
    let table = files
        .into_keys()
        .find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(super::SECRET)));
    let table = table.unwrap();
    let text = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, text.replace(super::SECRET, "n0tPrinted")).unwrap();
    let said = bench.expect(0, "drift", &["--as-manifest"]);
    assert!(!said.contains("n0tPrinted"), "{said}");
    assert!(said.contains("its value is not printed"), "{said}");
}
