//! Folded values in main.cf and master.cf, and comments between their lines: what an apply and a rollback leave of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const MANIFEST: &str = "version: 1\nmurder: example.org\ndomains: [example.org]\nsmart_host: smtp.example.org\nexternal: [smtp.example.org]\nhosts:\n  www.example.org:\n    roles: [frontend]\n    addresses: [192.0.2.7]\n    settings:\n      smtpd_client_restrictions: ";

/// A parameter that the manifest changes and one that it does not name, both folded with comments between the lines.
const FOLDED: &str = "# before\nsmtpd_client_restrictions = permit_mynetworks,\n# why the next one\n   reject_unknown_client_hostname,\n\n   # an indented comment\n\tpermit\n# after\nmaps_rbl_domains = a.example,\n  # kept\n  b.example\n";

struct Layout {
    home: tempfile::TempDir,
}

impl Layout {
    /// A converged sandbox, with [`FOLDED`] at the end of its main.cf.
    fn new() -> Self {
        let layout = Self {
            home: tempfile::tempdir().unwrap(),
        };
        layout.manifest("\"permit_mynetworks, reject_unknown_client_hostname, permit\"");
        layout.run(&["apply", "m.yaml", "--sandbox", "sb", "--yes", "--adopt"]);
        let text = layout.main_cf();
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with("smtpd_client_restrictions"))
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(layout.path("main.cf"), text + FOLDED).unwrap();
        layout
    }

    fn manifest(&self, value: &str) {
        fs::write(
            self.home.path().join("m.yaml"),
            format!("{MANIFEST}{value}\n"),
        )
        .unwrap();
    }

    fn path(&self, file: &str) -> PathBuf {
        let folder = self.home.path().join("sb/www.example.org/etc/postfix");
        folder.join(file)
    }

    fn main_cf(&self) -> String {
        fs::read_to_string(self.path("main.cf")).unwrap()
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_murder"))
            .current_dir(self.home.path())
            .args(words)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        said
    }

    fn rollback(&self) {
        let host = "www.example.org";
        self.run(&[
            "rollback",
            host,
            "m.yaml",
            "--sandbox",
            "sb",
            "--yes",
            "--no-hold",
        ]);
    }

    fn apply(&self) {
        self.run(&["apply", "m.yaml", "--sandbox", "sb", "--yes"]);
    }
}

#[test]
fn a_folded_value_that_does_not_change_keeps_its_text() {
    let layout = Layout::new();
    let before = layout.main_cf();
    layout.apply();
    assert_eq!(layout.main_cf(), before);
}

#[test]
fn a_folded_value_that_changes_becomes_one_line_as_by_postconf() {
    let layout = Layout::new();
    let copy = layout.home.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in ["main.cf", "master.cf"] {
        fs::copy(layout.path(file), copy.join(file)).unwrap();
    }
    layout.manifest("permit_mynetworks");
    layout.apply();
    let text = layout.main_cf();
    assert!(
        text.ends_with("# before\nsmtpd_client_restrictions = permit_mynetworks\n# why the next one\n\n   # an indented comment\n# after\nmaps_rbl_domains = a.example,\n  # kept\n  b.example\n"),
        "{text}"
    );
    let real = Command::new("postconf")
        .arg("-c")
        .arg(&copy)
        .args(["-e", "smtpd_client_restrictions=permit_mynetworks"])
        .status()
        .unwrap();
    assert!(real.success());
    assert_eq!(fs::read_to_string(copy.join("main.cf")).unwrap(), text);
}

#[test]
fn a_rollback_of_the_last_change_gives_the_text_back_to_the_byte() {
    let layout = Layout::new();
    let before = layout.main_cf();
    layout.manifest("permit_mynetworks");
    layout.apply();
    let after = layout.main_cf();
    layout.rollback();
    assert_eq!(layout.main_cf(), before);
    // The same where the manifest takes the change back, and forward again.
    layout.apply();
    assert_eq!(layout.main_cf(), after);
    layout.manifest("\"permit_mynetworks, reject_unknown_client_hostname, permit\"");
    layout.apply();
    assert_eq!(layout.main_cf(), before);
}

#[test]
fn a_rollback_after_another_hand_gives_the_value_back_and_touches_no_other_text() {
    let layout = Layout::new();
    layout.manifest("permit_mynetworks");
    layout.apply();
    let text = layout.main_cf().replace("# before", "# by hand\n# before");
    fs::write(layout.path("main.cf"), text).unwrap();
    layout.rollback();
    let text = layout.main_cf();
    assert!(
        text.ends_with("# before\nsmtpd_client_restrictions = permit_mynetworks, reject_unknown_client_hostname, permit\n# why the next one\n\n   # an indented comment\n# after\nmaps_rbl_domains = a.example,\n  # kept\n  b.example\n"),
        "{text}"
    );
}
