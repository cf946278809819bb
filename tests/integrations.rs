//! The files below docs/integrations, checked by the programs that read them.

use std::path::{Path, PathBuf};
use std::process::Command;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/integrations")
        .join(name)
}

/// Runs a program, which must be there.
#[track_caller]
fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{program} {arguments:?}:\n{text}");
    text
}

#[test]
fn alert_rules_are_taken_and_fire_when_they_must() {
    let folder = folder("prometheus");
    run("promtool", &["check", "rules", "murder.rules.yml"], &folder);
    run(
        "promtool",
        &["test", "rules", "murder.rules.test.yml"],
        &folder,
    );
}

#[test]
fn the_dashboard_asks_for_series_that_there_are() {
    let text = std::fs::read_to_string(folder("grafana/murder.json")).unwrap();
    let board: serde_json::Value = serde_json::from_str(&text).unwrap();
    let metrics = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/metrics.rs"),
    )
    .unwrap();
    let panels = board["panels"].as_array().unwrap();
    assert!(panels.len() >= 8);
    for panel in panels {
        let asked = panel["targets"][0]["expr"].as_str().unwrap();
        let name = asked
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .find(|word| word.starts_with("murder_"))
            .unwrap();
        assert!(metrics.contains(&format!("\"{name}\"")), "{asked}");
    }
}

#[test]
fn the_units_are_valid_and_hardened() {
    let shipped = folder("systemd");
    let room = tempfile::tempdir().unwrap();
    let own = env!("CARGO_BIN_EXE_murder");
    for name in ["murder-drift.service", "murder-drift.timer"] {
        let text = std::fs::read_to_string(shipped.join(name)).unwrap();
        std::fs::write(room.path().join(name), text.replace("/usr/bin/murder", own)).unwrap();
    }
    let units = ["verify", "./murder-drift.service", "./murder-drift.timer"];
    let said = run("systemd-analyze", &units, room.path());
    assert_eq!(said, "", "{said}");
    let hardened = [
        "security",
        "--offline=true",
        "--threshold=30",
        "./murder-drift.service",
    ];
    run("systemd-analyze", &hardened, room.path());
    let text = std::fs::read_to_string(shipped.join("murder-drift.service")).unwrap();
    assert!(text.contains("LoadCredential="));
}

/// The command lines that are shipped are ones that the program takes.
#[test]
fn the_shipped_command_lines_are_known() {
    for (name, mark) in [
        ("systemd/murder-drift.service", "ExecStart="),
        ("systemd/murder-drift.cron", "*/15"),
    ] {
        let text = std::fs::read_to_string(folder(name)).unwrap();
        let line = text.lines().find(|line| line.starts_with(mark)).unwrap();
        let at = line
            .rfind("murder --log")
            .or_else(|| line.rfind("murder drift"))
            .unwrap();
        let words: Vec<&str> = line[at..].split_whitespace().skip(1).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(&words)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        // There is no manifest, which is another matter than wrong usage.
        assert!(
            !said.contains("Usage:") && said.contains("/etc/murder"),
            "{said}"
        );
    }
}
