//! `apply FILE`: what was reviewed is what happens, once.

use super::{Desk, MANIFEST, SECRET, document};

const APPLY: [&str; 5] = ["apply", "plan.json", "--sandbox", "sandbox", "--yes"];

#[test]
fn a_saved_plan_is_applied_without_the_manifest_and_only_once() {
    let desk = Desk::new();
    desk.plan(&["--adopt"]);
    // The pipeline's apply job has the secrets and nothing else of the manifest.
    desk.write("manifest/murder.yaml", "not: a manifest\n");
    let text = desk.expect(0, &APPLY);
    assert!(text.contains("3 hosts: 3 done"), "{text}");
    let text = desk.expect(0, &APPLY);
    assert!(text.contains("3 hosts: 3 already applied"), "{text}");
    desk.write("manifest/murder.yaml", MANIFEST);
    let text = desk.expect(0, &["plan", "manifest", "--sandbox", "sandbox"]);
    assert!(text.contains("nothing to do: 3 hosts converged"), "{text}");
    let ledger = document(&desk.path("sandbox/smtp.example.org/var/lib/murder/ledger.json"));
    let digest = document(&desk.path("plan.json"))["digest"].clone();
    let digest = digest.as_str().unwrap().trim_start_matches("sha256:");
    assert_eq!(ledger["applied"]["plan_digest"], digest);
    // A later generation makes it stale, and is named.
    let later = MANIFEST.replace("ESMTP", "ESMTP later");
    desk.write("manifest/murder.yaml", &later);
    desk.expect(0, &["apply", "manifest", "--sandbox", "sandbox", "--yes"]);
    let text = desk.expect(3, &[&APPLY[..], &["--max-fail", "9"]].concat());
    let named = "the host's generation (0 when the plan was made, 2 now by ";
    assert!(text.contains(named), "{text}");
    assert!(
        text.contains("1 already applied, 2 stale") || text.contains("2 stale, 1 already applied"),
        "{text}"
    );
}

#[test]
fn one_host_that_moved_is_stale_and_the_others_follow_max_fail() {
    for (more, others) in [(&[][..], "not attempted"), (&["--max-fail", "1"], "done")] {
        let desk = Desk::new();
        let moved = "sandbox/backend1.example.org/etc/postfix/main.cf";
        desk.write(moved, "myhostname = backend1.example.org\n");
        desk.plan(&["--adopt"]);
        let text = desk.read(moved) + "smtpd_banner = mine\n";
        desk.write(moved, &text);
        let said = desk.expect(3, &[&APPLY[..], more].concat());
        assert!(
            said.contains("stale: main.cf:smtpd_banner changed after the plan"),
            "{said}"
        );
        assert!(said.contains(others), "{said}");
        assert_eq!(desk.read(moved), text, "nothing was written");
        assert!(
            !desk
                .path("sandbox/backend1.example.org/var/lib/murder/ledger.json")
                .exists()
        );
    }
}

#[test]
fn hosts_may_be_chosen_and_refusals_need_their_flags() {
    let desk = Desk::new();
    let file = "sandbox/backend1.example.org/etc/postfix/folder_recipients";
    desk.write(file, "my own text\n");
    let text = desk.plans(1, &[]);
    assert!(text.contains("refused without --adopt"), "{text}");
    let text = desk.expect(1, &APPLY);
    assert!(text.contains("refused without --adopt"), "{text}");
    let text = desk.expect(0, &[&APPLY[..], &["--exclude", "backend1*"]].concat());
    assert!(text.contains("2 hosts: 2 done"), "{text}");
    desk.expect(1, &[&APPLY[..], &["--host", "nohost*"]].concat());
    desk.expect(1, &[&APPLY[..], &["--site", "west"]].concat());
    let text = desk.expect(0, &[&APPLY[..], &["--adopt"]].concat());
    assert!(
        text.contains("2 already applied, 1 done") || text.contains("1 done, 2 already applied"),
        "{text}"
    );
    assert_ne!(desk.read(file), "my own text\n");
}

#[test]
fn a_secret_that_is_another_one_now_is_stale_and_a_missing_one_is_named() {
    let desk = Desk::new();
    desk.plan(&["--adopt"]);
    desk.expect(0, &APPLY);
    // The hosts have keys now, so the plan knows the secret again.
    let changed = MANIFEST.replace("base: dc=example", "base: ou=People,dc=example");
    desk.write("manifest/murder.yaml", &changed);
    let text = desk.plan(&[]);
    assert!(!text.contains("secret not pinned"), "{text}");
    desk.secret("Another2Password");
    let text = desk.expect(3, &APPLY);
    assert!(text.contains("a secret of it has another value"), "{text}");
    std::fs::remove_file(desk.path("manifest/ldap.secret")).unwrap();
    let text = desk.expect(1, &APPLY);
    assert!(
        text.contains("ldap.secret") && text.contains("`ldap.bind_pw`"),
        "{text}"
    );
    desk.secret(SECRET);
    desk.expect(0, &APPLY);
}

#[test]
fn without_a_key_a_touched_file_with_a_secret_is_stale() {
    let desk = Desk::new();
    let table = "sandbox/backend1.example.org/etc/postfix/ldap/mine.cf";
    let own = "bind_pw = Own2Secret\n";
    desk.write(table, own);
    let path = desk.path("sandbox/backend1.example.org/etc/postfix/ldap");
    // A file of the modules holds the secret too: one that is there already, with another secret.
    desk.plan(&["--adopt"]);
    let plan = document(&desk.path("plan.json"));
    let steps =
        plan["body"]["hosts"]["backend1.example.org"]["verdict"]["changes"]["steps"].clone();
    let secret = steps
        .as_array()
        .unwrap()
        .iter()
        .find(|step| step["change"]["after"]["secret"] == true && step["step"] == "file");
    let name = secret.unwrap()["path"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    std::fs::write(path.join(&name), own).unwrap();
    desk.plan(&["--adopt"]);
    let text = desk.read("plan.json");
    assert!(text.contains("\"untouched\""), "{text}");
    // The same bytes in another file.
    std::fs::write(path.join("new"), own).unwrap();
    std::fs::rename(path.join("new"), path.join(&name)).unwrap();
    let text = desk.expect(3, &APPLY);
    assert!(
        text.contains(&format!("stale: /etc/postfix/ldap/{name}")),
        "{text}"
    );
    desk.plan(&["--adopt"]);
    desk.expect(0, &APPLY);
}

#[test]
fn what_the_pipeline_expects_of_the_plan_is_checked_before_any_host() {
    let desk = Desk::new();
    desk.plan(&["--adopt"]);
    let digest = document(&desk.path("plan.json"))["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let wrong = format!("sha256:{:064}", 0);
    let text = desk.expect(1, &[&APPLY[..], &["--expect-digest", &wrong]].concat());
    assert!(text.contains("not the expected"), "{text}");
    let text = desk.expect(1, &[&APPLY[..], &["--expect-revision", "abc"]].concat());
    assert!(text.contains("an unknown revision"), "{text}");
    let text = desk.expect(
        1,
        &[
            "apply",
            "manifest",
            "--sandbox",
            "sandbox",
            "--yes",
            "--trust-plan",
        ],
    );
    assert!(
        text.contains("`--trust-plan` is for a saved plan"),
        "{text}"
    );
    desk.expect(0, &[&APPLY[..], &["--expect-digest", &digest]].concat());
}

#[test]
fn an_address_that_this_client_does_not_know_needs_trust() {
    let desk = Desk::new();
    desk.plan(&["--adopt"]);
    let home = desk.path("home");
    let apply = |more: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(["apply", "plan.json", "--yes", "--host", "smtp*"])
            .args(more)
            .current_dir(desk.path("."))
            .env("HOME", &home)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), text)
    };
    let (code, text) = apply(&[]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("the plan connects to `smtp.example.org`"),
        "{text}"
    );
    assert!(text.contains("--trust-plan"), "{text}");
    desk.write(
        "home/.ssh/config",
        "Host smtp.example.org\n  ConnectTimeout 1\n",
    );
    let (_, text) = apply(&[]);
    assert!(!text.contains("the plan connects to"), "{text}");
}

#[test]
fn a_signature_of_an_allowed_signer_is_demanded() {
    let desk = Desk::new();
    desk.plan(&["--adopt"]);
    let keygen = |arguments: &[&str]| {
        let output = std::process::Command::new("ssh-keygen")
            .args(arguments)
            .current_dir(desk.path("."))
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    };
    for key in ["good", "other"] {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f", key]);
    }
    let public = desk.read("good.pub");
    desk.write("allowed", &format!("ops@example.org {public}"));
    let demand = |more: &[&str]| {
        let demand = ["--require-signature", "allowed"];
        [&APPLY[..], &demand, more]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let run = |code: i32, more: &[&str]| {
        let arguments = demand(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        desk.expect(code, &arguments)
    };
    let text = run(1, &[]);
    assert!(text.contains("there is no signature"), "{text}");
    keygen(&[
        "-Y",
        "sign",
        "-q",
        "-n",
        "murder-plan",
        "-f",
        "other",
        "plan.json",
    ]);
    let text = run(1, &[]);
    assert!(text.contains("no signature of an allowed signer"), "{text}");
    std::fs::remove_file(desk.path("plan.json.sig")).unwrap();
    keygen(&["-Y", "sign", "-q", "-n", "file", "-f", "good", "plan.json"]);
    run(1, &[]);
    std::fs::remove_file(desk.path("plan.json.sig")).unwrap();
    keygen(&[
        "-Y",
        "sign",
        "-q",
        "-n",
        "murder-plan",
        "-f",
        "good",
        "plan.json",
    ]);
    let text = run(1, &["--identity", "boss@example.org"]);
    assert!(text.contains("no signature of an allowed signer"), "{text}");
    std::fs::rename(desk.path("plan.json.sig"), desk.path("elsewhere.sig")).unwrap();
    let text = run(
        0,
        &[
            "--signature",
            "elsewhere.sig",
            "--identity",
            "ops@example.org",
        ],
    );
    assert!(text.contains("signed by ops@example.org"), "{text}");
}

#[test]
fn a_hold_that_was_set_after_the_plan_makes_its_host_stale() {
    let desk = Desk::new();
    let on_sandbox = ["manifest", "--sandbox", "sandbox"];
    desk.expect(
        0,
        &[&["apply"], &on_sandbox[..], &["--yes", "--adopt"]].concat(),
    );
    desk.write(
        "manifest/murder.yaml",
        &MANIFEST.replace("ESMTP", "ESMTP two"),
    );
    desk.plan(&[]);
    let hold = ["hold", "backend1.example.org", "smtpd_banner"];
    let why = ["--for", "2h", "--reason", "incident 7"];
    desk.expect(0, &[&hold[..], &on_sandbox, &why].concat());
    let main_cf = "sandbox/backend1.example.org/etc/postfix/main.cf";
    let ledger = "sandbox/backend1.example.org/var/lib/murder/ledger.json";
    let before = (desk.read(main_cf), desk.read(ledger));
    let said = desk.expect(3, &[&APPLY[..], &["--max-fail", "1"]].concat());
    assert!(said.contains("stale: main.cf:smtpd_banner "), "{said}");
    assert!(said.contains("backend2.example.org: done"), "{said}");
    assert_eq!((desk.read(main_cf), desk.read(ledger)), before);
    // The next plan leaves it.
    let said = desk.plan(&[]);
    assert!(
        said.contains("= hold main.cf:smtpd_banner until ") && said.contains("incident 7"),
        "{said}"
    );
    assert!(!desk.expect(0, &APPLY).contains("stale"));
    assert_eq!(desk.read(main_cf), before.0);
}

#[test]
fn a_freeze_stops_a_saved_plan_and_the_reason_is_kept_with_the_other_one() {
    let desk = Desk::new();
    desk.plan(&["--adopt"]);
    let freeze = "freeze: [{from: 2020-01-01, until: 2099-01-01, reason: holidays}]\n";
    desk.write("policy.yaml", freeze);
    let frozen = "changes are frozen until 2099-01-01 by `policy.yaml`: holidays";
    // No sandbox: hosts, which are not there.
    let hosts = [
        "apply",
        "plan.json",
        "--yes",
        "--trust-plan",
        "--policy",
        "policy.yaml",
    ];
    let said = desk.expect(1, &hosts);
    assert!(said.contains(&format!("error: {frozen}")), "{said}");
    let allowed = ["--allow-freeze", "ticket 8", "--reason", "MR 12"];
    let said = desk.expect(
        0,
        &[&APPLY[..], &["--policy", "policy.yaml"], &allowed].concat(),
    );
    assert!(said.contains(frozen), "{said}");
    let said = desk.expect(0, &["history", "manifest", "--sandbox", "sandbox"]);
    assert_eq!(
        said.matches("  reason: ticket 8; MR 12").count(),
        3,
        "{said}"
    );
}
