//! An older checkout never undoes a newer one by accident, and a generation says why it was made.

use std::process::Command;

use super::{Desk, MANIFEST};

fn git(desk: &Desk, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ops", "-c", "user.email=ops@example.org"])
        .current_dir(desk.path("manifest"))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn an_older_checkout_is_refused_and_a_shallow_one_is_unknown() {
    let desk = Desk::new();
    let apply = ["apply", "manifest", "--sandbox", "sandbox", "--yes"];
    let plan = ["plan", "manifest", "--sandbox", "sandbox"];
    git(&desk, &["init", "-q"]);
    desk.write("manifest/.gitignore", "ldap.secret\n");
    git(&desk, &["add", "."]);
    git(&desk, &["commit", "-qm", "first"]);
    let first = git(&desk, &["rev-parse", "HEAD"]);
    desk.expect(0, &[&apply[..], &["--adopt"]].concat());
    desk.write(
        "manifest/murder.yaml",
        &MANIFEST.replace("ESMTP", "ESMTP second"),
    );
    git(&desk, &["commit", "-qam", "second"]);
    let second = git(&desk, &["rev-parse", "HEAD"]);
    desk.expect(0, &apply);
    git(&desk, &["checkout", "-q", &first]);
    let output = desk.run(&plan);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("refused without --allow-older"), "{text}");
    let named = format!("does not descend from {}", &second[..12]);
    assert!(text.contains(&named), "{text}");
    let text = desk.expect(1, &apply);
    assert!(text.contains("refused without --allow-older"), "{text}");
    // A clone without the history does not know.
    let url = format!("file://{}", desk.path("manifest").display());
    desk.write("shallow/none", "");
    std::fs::remove_file(desk.path("shallow/none")).unwrap();
    git(&desk, &["checkout", "-q", "-b", "other"]);
    git(
        &desk,
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            "-b",
            "other",
            &url,
            "../shallow",
        ],
    );
    std::fs::copy(
        desk.path("manifest/ldap.secret"),
        desk.path("shallow/ldap.secret"),
    )
    .unwrap();
    let shallow = ["plan", "shallow", "--sandbox", "sandbox"];
    let text = desk.stdout(&shallow);
    assert!(
        text.contains("it is unknown whether the manifest's revision descends"),
        "{text}"
    );
    assert!(!text.contains("--allow-older"), "{text}");
    // Whoever applies the plan of such a clone is told.
    let save = [&shallow[..], &["--out", "shallow.json"]].concat();
    desk.expect(0, &save);
    let applied = ["apply", "shallow.json", "--sandbox", "sandbox", "--yes"];
    let text = desk.expect(0, &applied);
    let unknown = "warning: it is unknown whether the plan's revision descends from what";
    assert!(text.contains(unknown), "{text}");
    desk.expect(0, &[&apply[..], &["--allow-older"]].concat());
}

#[test]
fn a_generation_keeps_the_reason_and_the_job() {
    let desk = Desk::new();
    desk.plan(&["--adopt"]);
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["apply", "plan.json", "--sandbox", "sandbox", "--yes"])
        .args(["--reason", "ticket 4711:\nnew\u{1b}[31m backends"])
        .current_dir(desk.path("."))
        .env("CI_JOB_URL", "https://gitlab.example.org/mail/-/jobs/42")
        .env("GITLAB_USER_LOGIN", "alice")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let history = [
        "history",
        "smtp.example.org",
        "manifest",
        "--sandbox",
        "sandbox",
    ];
    let text = desk.expect(0, &history);
    assert!(
        text.contains("reason: ticket 4711: new [31m backends"),
        "{text}"
    );
    assert!(
        text.contains("job: https://gitlab.example.org/mail/-/jobs/42"),
        "{text}"
    );
    assert!(text.contains(" alice@"), "{text}");
    let text = desk.expect(0, &[&history[..], &["--format", "json"]].concat());
    assert!(text.contains("\"plan_digest\""), "{text}");
}
