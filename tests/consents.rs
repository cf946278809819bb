//! Consents with hosts, and the exit codes of an apply that is interrupted.

use super::reports::Judged as _;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::program::command;

/// Standard output, and with it what went to standard error where the exit code is another one.
fn expect(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let output: Output = command(folder, arguments).judged();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{out}{err}"
    );
    if code == 0 { out } else { out + &err }
}

fn manifest(hosts: usize, more: &str) -> String {
    let mut text = "version: 1\nmurder: example.org\ndomains: [example.org]\n\
        ldap: {uris: [ldap://ldap.example.org], base: \"dc=example,dc=org\"}\n"
        .to_owned();
    text += more;
    text += "hosts:\n  smtp.example.org: {roles: [internal-mta]}\n";
    for number in 1..=hosts {
        writeln!(text, "  front{number}.example.org: {{roles: [frontend]}}").unwrap();
    }
    text
}

/// A murder of two frontends that are applied, and then have a file of their own that the manifest replaces.
fn two_that_adopt() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("murder.yaml");
    std::fs::write(&path, manifest(2, "")).unwrap();
    expect(
        0,
        home.path(),
        &["apply", "murder.yaml", "--sandbox=s", "--yes"],
    );
    for host in ["front1", "front2"] {
        let file = format!("s/{host}.example.org/etc/postfix/note");
        std::fs::write(home.path().join(file), "of the host\n").unwrap();
    }
    let files = "defaults: {files: {/etc/postfix/note: {content: \"ours\\n\"}}}\n";
    std::fs::write(&path, manifest(2, files)).unwrap();
    home
}

#[test]
fn a_plan_shows_the_refusals_that_its_consents_leave() {
    let home = two_that_adopt();
    let plan = |code, more: &[&str]| {
        let arguments = [&["plan", "murder.yaml", "--sandbox=s"], more].concat();
        expect(code, home.path(), &arguments)
    };
    let refused = |said: &str| said.matches("refused without --adopt").count();
    assert!(refused(&plan(1, &[])) > 0);
    // A refusal goes before pending changes.
    plan(1, &["--detailed-exitcode"]);
    let said = plan(1, &["--adopt=front1*"]);
    assert_eq!(refused(&said), 1, "{said}");
    assert_eq!(refused(&plan(0, &["--adopt"])), 0);
    let both = ["--adopt=front1*", "--adopt=front2*"];
    assert_eq!(refused(&plan(0, &both)), 0);
    plan(2, &["--adopt", "--detailed-exitcode"]);
    // A saved plan records for which hosts its consents hold.
    plan(1, &["--adopt=front1*", "--out", "plan.json"]);
    crate::saved::assert_valid(&home.path().join("plan.json"));
    let apply = ["apply", "plan.json", "--sandbox=s", "--yes"];
    expect(1, home.path(), &apply);
    // A pattern of another shard's hosts lifts nothing, and is no error.
    let more = ["--adopt=front2*", "--allow-restart=backend*"];
    let said = command(home.path(), &[&apply[..], &more].concat())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(0), "{err}");
    assert!(
        err.contains("note: `--allow-restart backend*` matches no host of this plan"),
        "{err}"
    );
    plan(0, &["--detailed-exitcode"]);
}

#[test]
fn a_consent_holds_for_the_hosts_that_it_names() {
    let home = two_that_adopt();
    let apply = |code, more: &[&str]| {
        let arguments = [&["apply", "murder.yaml", "--sandbox=s", "--yes"], more].concat();
        expect(code, home.path(), &arguments)
    };
    let said = apply(1, &["--adopt=front1.*"]);
    assert!(said.contains("1 refused"), "{said}");
    let note = |host: &str| {
        let file = format!("s/{host}.example.org/etc/postfix/note");
        std::fs::read_to_string(home.path().join(file)).unwrap()
    };
    assert_eq!(
        note("front1"),
        "of the host\n",
        "nothing is applied where one is refused"
    );
    // A misspelt pattern would refuse later, or lift nothing.
    let said = apply(1, &["--adopt=frnt1*"]);
    assert!(said.contains("`--adopt frnt1*` matches no host"), "{said}");
    // A plan says it too: what it lets pass, the apply does.
    expect(
        0,
        home.path(),
        &["observe", "murder.yaml", "--sandbox=s", "--out=live.json"],
    );
    for from in [
        &["--sandbox=s"][..],
        &["--sandbox=s", "--out=plan.json"],
        &["--live=live.json"],
    ] {
        let plan = [&["plan", "murder.yaml", "--adopt=frnt1*"], from].concat();
        let said = expect(1, home.path(), &plan);
        assert!(
            said.contains("`--adopt frnt1*` matches no host"),
            "{from:?}: {said}"
        );
    }
    apply(0, &["--host=front1*", "--adopt=front1*"]);
    assert_eq!(
        (note("front1"), note("front2")),
        ("ours\n".into(), "of the host\n".into())
    );
    apply(0, &["--adopt"]);
    assert_eq!(note("front2"), "ours\n");
}

#[test]
fn an_interrupted_apply_ends_with_the_code_of_the_signal_and_says_what_is_left() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let home = tempfile::tempdir().unwrap();
        let more = "rollout: {frontend: {serial: 1}}\n";
        std::fs::write(home.path().join("murder.yaml"), manifest(150, more)).unwrap();
        let arguments = ["apply", "murder.yaml", "--sandbox=s", "--yes"];
        let mut child = command(home.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("wave 1 of") {
            line.clear();
            assert_ne!(err.read_line(&mut line).unwrap(), 0, "it ended early");
        }
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
        let drain = std::thread::spawn(move || {
            let mut rest = String::new();
            err.read_to_string(&mut rest).map(|_| rest)
        });
        let output = child.wait_with_output().unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            drain.join().unwrap().unwrap(),
        );
        assert_eq!(output.status.code(), Some(code), "{out}{err}");
        assert!(
            out.contains(": not attempted: interrupted before its turn"),
            "{out}"
        );
        assert!(out.contains(" not attempted, "), "{out}");
        // The next apply does the rest.
        expect(0, home.path(), &arguments);
        expect(
            0,
            home.path(),
            &["plan", "murder.yaml", "--sandbox=s", "--detailed-exitcode"],
        );
    }
}

#[test]
fn a_second_signal_ends_the_apply_at_once_with_a_report() {
    for (signals, code) in [(["INT", "INT"], 130), (["INT", "TERM"], 143)] {
        let home = tempfile::tempdir().unwrap();
        let text = manifest(2, "rollout: {frontend: {serial: 1}}\n")
            + "  front9.example.org:\n    roles: [frontend]\n    files: {/etc/postfix/mine: {content: \"a b\\n\", table: true}}\n";
        std::fs::write(home.path().join("murder.yaml"), text).unwrap();
        // A program that does not come back keeps the last host at work.
        let programs = home.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        let begun = home.path().join("begun");
        let script = format!("#!/bin/sh\n: >{}\nexec sleep 20\n", begun.display());
        std::fs::write(programs.join("postmap"), script).unwrap();
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(programs.join("postmap"), runs).unwrap();
        let hosts = ["--host=front*", "--canary=1", "--format=json"];
        let apply = [
            &["apply", "murder.yaml", "--sandbox=s", "--yes"][..],
            &hosts,
        ]
        .concat();
        let child = command(home.path(), &apply)
            .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !begun.exists() {
            std::thread::sleep(Duration::from_millis(50));
        }
        for signal in signals {
            let pid = child.id().to_string();
            let sent = Command::new("kill").args(["-s", signal, &pid]).status();
            assert!(sent.unwrap().success());
            std::thread::sleep(Duration::from_secs(1));
        }
        let output = child.wait_with_output().unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{report}");
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let of = |host: &str| report["hosts"][format!("{host}.example.org")]["outcome"].clone();
        assert_eq!(of("front1"), "done", "{report}");
        assert_eq!(of("front2"), "done", "{report}");
        assert_eq!(of("front9"), "interrupted", "{report}");
    }
}
