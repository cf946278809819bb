//! Hosts that vanish from the manifest: orphaned until they are retired, or forgotten.

use super::drift::{HOST, json, on_host};
use super::{Bench, MANIFEST};

const GONE: &str = "backend2.example.org";
const WORDS: &str = "backend2.example.org is orphaned";

/// The manifest without the second backend.
fn without() -> String {
    MANIFEST.replace("backend[1:2]", "backend1").replace(
        "backend2.example.org, folder",
        "backend1.example.org, folder",
    )
}

#[test]
fn a_host_that_vanishes_is_orphaned_until_it_is_forgotten() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&without());
    let said = bench.expect(0, "plan", &[]);
    assert!(
        said.contains(WORDS) && said.contains("the ledgers of 2 hosts name it"),
        "{said}"
    );
    assert!(
        said.contains("`murder forget backend2.example.org --gone`"),
        "{said}"
    );
    // As a name that is no host of ours it is known.
    bench.manifest(&without().replace("hosts:", "external: [backend2.example.org]\nhosts:"));
    let said = bench.expect(0, "plan", &[]);
    assert!(!said.contains(WORDS), "{said}");
    // An apply of the others changes nothing of it.
    bench.manifest(&without());
    bench.expect(0, "apply", &["--yes", "--allow-delete"]);
    for _ in 0..2 {
        let said = bench.expect(2, "plan", &["--detailed-exitcode"]);
        assert!(
            said.contains(WORDS) && said.contains("2 hosts converged, 1 orphaned"),
            "{said}"
        );
        let said = bench.expect(2, "drift", &[]);
        assert!(
            said.contains(WORDS) && said.contains("2 hosts: 2 converged, 1 orphaned"),
            "{said}"
        );
        bench.expect(0, "apply", &["--yes"]);
    }
    let said = bench.expect(0, "plan", &["--format", "markdown"]);
    assert!(said.contains(WORDS), "{said}");
    let seen = json(&bench, 2, "drift", &[]);
    assert_eq!(seen["summary"]["orphaned"], 1);
    assert_eq!(seen["hosts"][HOST]["orphans"][0], GONE);

    // A saved plan remembers it too, and so does a host that applies it.
    bench.manifest(&without().replace("ESMTP", "ESMTP ready"));
    let file = bench.home.path().join("plan.json").display().to_string();
    let planned = bench.expect(0, "plan", &["--out", &file]);
    assert!(planned.contains(WORDS), "{planned}");
    let shown = std::process::Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["show", &file])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains(WORDS));

    // Only one that is not in the manifest, by its whole name, and with the word.
    let forget = |code, words: &[&str]| on_host(&bench, code, &[&["forget"], words].concat());
    let said = forget(1, &[HOST, "--gone"]);
    assert!(said.contains("is in the manifest"), "{said}");
    let said = forget(1, &["backend3.example.org", "--gone"]);
    assert!(
        said.contains("no host remembers `backend3.example.org`"),
        "{said}"
    );
    forget(1, &["not a name", "--gone"]);
    let said = forget(1, &[GONE]);
    assert!(said.contains("--gone"), "{said}");
    assert!(bench.expect(2, "drift", &[]).contains(WORDS));
    let said = forget(0, &[GONE, "--gone"]);
    assert!(
        said.contains("backend2.example.org: taken out of 2 ledgers"),
        "{said}"
    );
    assert_eq!(bench.expect(0, "drift", &[]), "");
    let said = bench.expect(0, "plan", &[]);
    assert!(!said.contains(WORDS), "{said}");
    let said = forget(1, &[GONE, "--gone"]);
    assert!(said.contains("no host remembers"), "{said}");
}

#[test]
fn a_host_that_is_retired_is_not_missed_afterwards() {
    let with_edge = MANIFEST.replace(
        "hosts:",
        "hosts:\n  mx.example.org: {roles: [internet-mta]}",
    );
    let bench = Bench::new(&with_edge);
    bench.expect(0, "apply", &["--yes"]);
    // The others have nothing to change when the edge goes, so no apply of theirs rewrites their ledgers.
    let retired = with_edge.replace(
        "{roles: [internet-mta]}",
        "{roles: [internet-mta], state: retired}",
    );
    bench.manifest(&retired);
    let said = bench.expect(0, "plan", &[]);
    assert!(!said.contains("orphaned"), "{said}");
    bench.expect(0, "apply", &["--yes", "--allow-delete"]);
    bench.manifest(MANIFEST);
    assert_eq!(bench.expect(0, "drift", &[]), "");
}

#[test]
fn an_apply_of_a_saved_plan_says_which_retired_host_is_still_named() {
    let with_edge = MANIFEST.replace(
        "hosts:",
        "hosts:\n  mx.example.org: {roles: [internet-mta]}",
    );
    let bench = Bench::new(&with_edge);
    bench.expect(0, "apply", &["--yes"]);
    let retired = with_edge.replace(
        "{roles: [internet-mta]}",
        "{roles: [internet-mta], state: retired}",
    );
    bench.manifest(&retired);
    let file = bench.home.path().join("plan.json").display().to_string();
    bench.expect(0, "plan", &["--out", &file]);
    let sandbox = bench.home.path().join("sandbox");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["apply", &file, "--yes", "--allow-delete", "--sandbox"])
        .arg(&sandbox)
        .env("SANDBOX_BIND_PW", super::SECRET)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for words in [
        "warning: mx.example.org is retired, and ledgers of hosts",
        "murder forget mx.example.org --gone",
    ] {
        assert!(said.contains(words), "{said}");
    }
    // The plan without it names what remains; the apply of the manifest clears it.
    bench.manifest(MANIFEST);
    let said = bench.expect(2, "plan", &["--detailed-exitcode"]);
    assert!(said.contains("mx.example.org is orphaned"), "{said}");
    bench.manifest(&retired);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(MANIFEST);
    assert_eq!(bench.expect(0, "drift", &[]), "");
}

#[test]
fn a_forget_that_does_not_reach_every_host_says_so() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let resting = without().replace(
        "roles: [backend]",
        "maintenance: {until: 2999-01-01, reason: disks}, roles: [backend]",
    );
    bench.manifest(&resting);
    let said = on_host(&bench, 0, &["forget", GONE, "--gone"]);
    assert!(said.contains("taken out of 1 ledger"), "{said}");
    assert!(
        said.contains("backend1.example.org is in maintenance and was not contacted"),
        "{said}"
    );
    bench.manifest(&without());
    let said = bench.expect(2, "plan", &["--detailed-exitcode"]);
    assert!(
        said.contains("the ledger of backend1.example.org names it"),
        "{said}"
    );
    // A host that cannot be read keeps the others from nothing.
    let ledger = bench.root(HOST).join("var/lib/murder/ledger.json");
    std::fs::write(&ledger, "{").unwrap();
    on_host(&bench, 3, &["forget", GONE, "--gone"]);
}
