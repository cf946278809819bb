//! Every day with it: what `drift` says of a manifest that is ahead and of a host that was changed.

use super::{Bench, MANIFEST};

const HOST: &str = "backend1.example.org";
const CODE: &str = "unknown_local_recipient_reject_code";

/// Changes a parameter on a host by hand.
fn by_hand(bench: &Bench) {
    let (from, to) = (format!("{CODE} = 450"), format!("{CODE} = 550"));
    bench.edit(HOST, "etc/postfix/main.cf", &from, &to);
}

fn json(bench: &Bench, code: i32, verb: &str, more: &[&str]) -> serde_json::Value {
    let output = bench.run(verb, &[more, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_manifest_that_is_ahead_is_pending_and_alerts_nobody() {
    let bench = Bench::new(MANIFEST);
    assert_eq!(bench.expect(0, "drift", &[]), "", "nothing is applied yet");
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace("ESMTP", "ESMTP ready"));
    assert_eq!(bench.expect(0, "drift", &[]), "");
    let said = bench.expect(2, "drift", &["--pending"]);
    assert!(said.contains("3 hosts: 2 pending, 1 converged"), "{said}");
    let seen = json(&bench, 0, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "pending");
    assert_eq!(seen["summary"]["pending"], 2);
    assert_eq!(seen["summary"]["drifted"], 0);

    by_hand(&bench);
    let said = bench.expect(2, "drift", &[]);
    assert!(
        said.contains("3 hosts: 1 drifted, 1 pending, 1 converged"),
        "{said}"
    );
    assert!(!said.contains("backend2"), "{said}");
    let seen = json(&bench, 2, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "drifted");
    assert_eq!(
        seen["hosts"]["backend2.example.org"]["condition"],
        "pending"
    );
    let plan = json(&bench, 0, "plan", &[]);
    assert_eq!(plan["summary"]["drifted"], 1);
    let said = bench.expect(0, "plan", &[]);
    assert!(said.contains("1 drifted"), "{said}");
}

#[test]
fn a_thing_that_leaves_the_manifest_is_pending_and_drifted_only_where_it_was_changed() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace(", settings: {smtpd_banner: \"$myhostname ESMTP\"}", ""));
    assert_eq!(bench.expect(0, "drift", &[]), "");
    bench.edit(HOST, "etc/postfix/main.cf", "ESMTP", "by hand");
    let seen = json(&bench, 2, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "drifted");
    assert_eq!(
        seen["hosts"]["backend2.example.org"]["condition"],
        "pending"
    );
}
