//! Hosts in maintenance: listed, not contacted, and no reason for an exit code.

use super::drift::{CODE, HOST, by_hand, json};
use super::{Bench, MANIFEST};

const ENTRY: &str = "backend[1:2].example.org: {";

/// The manifest with one backend in maintenance.
fn until(moment: &str) -> String {
    let own = format!(
        "backend1.example.org: {{maintenance: {{until: {moment}, reason: new disks}}}}\n  {ENTRY}"
    );
    MANIFEST.replace(ENTRY, &own)
}

#[test]
fn a_host_in_maintenance_is_listed_and_not_contacted() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    // What the host is like plays no part.
    by_hand(&bench);
    bench.expect(2, "drift", &[]);
    bench.manifest(&until("2999-12-01"));
    assert_eq!(bench.expect(0, "drift", &[]), "");
    let seen = json(&bench, 0, "drift", &[]);
    let host = &seen["hosts"][HOST];
    assert_eq!(host["verdict"], "maintenance");
    assert_eq!(host["condition"], "maintenance");
    assert_eq!(host["until"], "2999-12-01T00:00:00Z");
    assert_eq!(host["reason"], "new disks");
    assert_eq!(host["overdue"], false);
    assert_eq!(seen["summary"]["maintenance"], 1);
    let said = bench.expect(0, "plan", &["--detailed-exitcode"]);
    let line = "in maintenance until 2999-12-01T00:00:00Z (new disks): not contacted";
    assert!(said.contains(line), "{said}");
    assert!(
        said.contains("nothing to do: 2 hosts converged, 1 in maintenance"),
        "{said}"
    );

    // An apply changes the others, and says so.
    bench.manifest(&until("2999-12-01").replace("ESMTP", "ESMTP ready"));
    let before = bench.read(HOST, "etc/postfix/main.cf");
    let said = bench.expect(0, "apply", &["--yes"]);
    assert!(
        said.contains("1 done, 1 in maintenance, 1 with nothing to do"),
        "{said}"
    );
    assert_eq!(bench.read(HOST, "etc/postfix/main.cf"), before);
    let banner = bench.read("backend2.example.org", "etc/postfix/main.cf");
    assert!(banner.contains("ESMTP ready"), "{banner}");

    // A saved plan carries it, shows it, and does not contact the host either.
    bench.manifest(&until("2999-12-01").replace("ESMTP", "ESMTP steady"));
    let file = bench.home.path().join("plan.json").display().to_string();
    bench.expect(0, "plan", &["--out", &file]);
    crate::saved::assert_valid(std::path::Path::new(&file));
    let shown = std::process::Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["show", &file])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains(line));
    let history = bench.expect(0, "history", &[]);
    assert!(
        history.contains("backend1.example.org: in maintenance"),
        "{history}"
    );
}

#[test]
fn an_overdue_maintenance_warns_and_still_contacts_nobody() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    by_hand(&bench);
    bench.manifest(&until("2020-02-29T10:00Z"));
    for verb in ["plan", "drift", "apply"] {
        let more: &[&str] = if verb == "apply" { &["--yes"] } else { &[] };
        let said = bench.expect(0, verb, more);
        let warning = "warning: the maintenance of `backend1.example.org` is overdue: it was due to end at 2020-02-29T10:00:00Z";
        assert!(said.contains(warning), "{verb}: {said}");
    }
    assert!(
        bench
            .read(HOST, "etc/postfix/main.cf")
            .contains(&format!("{CODE} = 550"))
    );
    let file = bench.home.path().join("murder.prom");
    let words = ["--metrics", file.to_str().unwrap(), "--format", "json"];
    bench.expect(0, "drift", &words);
    let text = std::fs::read_to_string(&file).unwrap();
    let murder = "murder=\"example.org\"";
    for line in [
        format!("murder_hosts{{{murder},verdict=\"maintenance\"}} 1"),
        format!(
            "murder_host_maintenance_until_timestamp_seconds{{{murder},host=\"{HOST}\"}} 1582970400"
        ),
    ] {
        assert!(text.contains(&line), "{line}\n{text}");
    }
    let reachable = format!("murder_host_reachable{{{murder},host=\"{HOST}\"}}");
    assert!(!text.contains(&reachable), "{text}");
    let success = format!("murder_last_success_timestamp_seconds{{{murder}}} 0");
    assert!(!text.contains(&success), "{text}");
}

#[test]
fn a_maintenance_needs_a_moment_and_a_reason() {
    for (entry, word) in [
        ("{reason: disks}", "`until`"),
        ("{until: 2026-12-01}", "`reason`"),
        (
            "{until: tomorrow, reason: disks}",
            "it is no day or time of the calendar",
        ),
        (
            "{until: 2026-02-30, reason: disks}",
            "it is no day or time of the calendar",
        ),
        ("{until: 2026-12-01, reason: disks, by: me}", "`by`"),
        ("tomorrow", "maintenance"),
    ] {
        let own = format!("backend1.example.org: {{maintenance: {entry}}}\n  {ENTRY}");
        let bench = Bench::new(&MANIFEST.replace(ENTRY, &own));
        let said = bench.expect(1, "plan", &[]);
        assert!(said.contains(word), "{entry}: {said}");
    }
    // It is of a host, not of all of them.
    let text = format!("{MANIFEST}\ndefaults: {{maintenance: {{until: 2026-12-01, reason: x}}}}\n");
    let said = Bench::new(&text).expect(1, "plan", &[]);
    assert!(said.contains("`maintenance`"), "{said}");
}
