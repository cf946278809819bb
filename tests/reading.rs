//! How plans read: by the running program, on sandboxes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program in a folder, without a terminal and with an environment of its own.
fn murder_in(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("MURDER_LDAP_PW", "a-secret-for-tests")
        .env("HOME", folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let err = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(matches!(code, Some(0..=2)), "{code:?}: {err}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Lines of a terminal of some width.
fn rows(text: &str, width: usize) -> usize {
    let rows = |line: &str| line.chars().count().div_ceil(width).max(1);
    text.lines().map(rows).sum()
}

const FULL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/full");

#[test]
fn the_first_plan_of_the_full_manifest_is_three_screens_long() {
    let home = tempfile::tempdir().unwrap();
    let plan = murder_in(home.path(), &["plan", FULL, "--sandbox", "--diff=summary"]);
    let plan = text(&plan);
    let rows = rows(&plan, 100);
    assert!(
        rows <= 150,
        "{rows} rows of 100 columns, three screens have 150:\n{plan}"
    );
    assert!(
        plan.starts_with(
            "backend[1,3].example.org: 2 hosts, same changes; {host}: each host's own\n"
        ),
        "{plan}"
    );
    assert!(plan.contains("\nbackend2.example.org: the same as backend[1,3].example.org, and\n"));
}

#[test]
fn the_first_plan_of_the_full_manifest_prints_no_body_twice() {
    let home = tempfile::tempdir().unwrap();
    for diff in ["context", "full"] {
        let plan = murder_in(home.path(), &["plan", FULL, "--sandbox", "--diff", diff]);
        let plan = text(&plan);
        let mut seen = BTreeSet::new();
        let mut bodies = vec![String::new()];
        for line in plan.lines() {
            match line.strip_prefix("      ") {
                Some(line) => *bodies.last_mut().unwrap() += &format!("{line}\n"),
                None => bodies.push(String::new()),
            }
        }
        for body in bodies {
            if body.starts_with("--- ") {
                assert!(!seen.contains(&body), "printed twice:\n{body}");
                seen.insert(body);
            }
        }
        assert!(seen.len() > 20, "{plan}");
        assert!(plan.contains("(the same text as above for "), "{plan}");
    }
}

#[test]
fn four_hundred_backends_are_one_page() {
    let home = tempfile::tempdir().unwrap();
    let mut manifest = "version: 1\nmurder: example.org\ndomains: [example.org]\n\
        ldap: {uris: [ldap://ldap.example.org], base: \"dc=example,dc=org\"}\nhosts:\n\
        \x20 mx.example.org: {roles: [internet-mta]}\n\
        \x20 smtp.example.org: {roles: [internal-mta]}\n"
        .to_owned();
    for number in 1..=400 {
        writeln!(
            manifest,
            "  backend{number:03}.example.org: {{roles: [backend], addresses: [10.0.{}.{}]{}}}",
            number / 200,
            number % 200 + 1,
            if number == 17 {
                ", settings: {biff: \"no\"}"
            } else {
                ""
            }
        )
        .unwrap();
    }
    std::fs::write(home.path().join("murder.yaml"), manifest).unwrap();
    let plan = murder_in(
        home.path(),
        &["plan", "murder.yaml", "--sandbox", "--diff=summary"],
    );
    let plan = text(&plan);
    assert!(
        plan.starts_with("backend[001:016,018:400].example.org: 399 hosts, same changes"),
        "{plan}"
    );
    assert!(
        plan.contains(
            "\nbackend017.example.org: the same as backend[001:016,018:400].example.org, "
        )
    );
    assert!(rows(&plan, 100) < 100, "{plan}");
}
