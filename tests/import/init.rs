//! `murder init` at a terminal: six questions, wrong answers, Ctrl-C in the middle, and folders that exist.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::succeeds;

/// Runs `murder init new` at a terminal, which script(1) makes, and types these lines. Gives its exit code and what the terminal
/// showed.
fn at_a_terminal(folder: &Path, typed: &str) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_murder");
    let mut child = Command::new("script")
        .args(["-qec", &format!("'{program}' init new"), "/dev/null"])
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script(1) of bsdutils is needed");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    (output.status.code(), shown)
}

fn manifest(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("new/murder.yaml")).unwrap()
}

#[test]
fn six_questions_make_a_manifest() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let typed = "example.net\n\nstore[1:3].example.net\nldaps://dir.example.net\n\ncn=postfix,dc=example,dc=net\n";
    let (code, shown) = at_a_terminal(folder, typed);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("next: murder check new"), "{shown}");
    let text = manifest(folder);
    for part in [
        "domains: [example.net]",
        "ldaps://dir.example.net",
        "base: \"dc=example,dc=net\"",
        "cn=postfix,dc=example,dc=net",
        "smtp.example.net: {roles: [internal-mta]}",
        "store[1:3].example.net: {roles: [backend]}",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    succeeds(folder, &["check", "new"]);
    // The usual answers will do, too; and nothing is overwritten.
    let (code, shown) = at_a_terminal(folder, "\n\n\n\n\n\n");
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("exists already"), "{shown}");
    assert_eq!(manifest(folder), text);
}

#[test]
fn a_wrong_answer_is_said_at_once_and_asked_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let typed = "no domain at all!\nexample.net\nnot a host\n\nstore[3:1].example.net\nstore[1:3].example.net\nfoo://x\n\n\n\n";
    let (code, shown) = at_a_terminal(folder, typed);
    assert_eq!(code, Some(0), "{shown}");
    for question in [
        "Mail domains",
        "The internal MTA",
        "The backends",
        "The LDAP server [",
    ] {
        assert_eq!(shown.matches(question).count(), 2, "{question}\n{shown}");
    }
    let text = manifest(folder);
    assert!(
        text.contains("domains: [example.net]") && text.contains("store[1:3].example.net"),
        "{text}"
    );
    succeeds(folder, &["check", "new"]);
}

#[test]
fn a_terminal_that_goes_away_in_the_middle_leaves_nothing() {
    for end in ["\x03", "\x04"] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        let (code, shown) = at_a_terminal(folder, &format!("example.net\n{end}"));
        assert_ne!(code, Some(0), "{shown}");
        assert!(!folder.join("new").exists(), "{shown}");
    }
}
