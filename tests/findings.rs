//! `check` in the forms of forges, held against their schemas.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::secrets::tools;

const WRONG: &str = "version: 1
murder: example.org
domains: [example.org]
ldap: {uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\"}
hosts:
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.1], settings: {smtpd_helo_reqired: \"yes\", biff: \"maybe\"}}
  \"backend1.example.org\": {roles: [backend], addresses: [192.0.2.2], colour: \"::error::x\\n::stop-commands::y\"}
";

fn check(manifest: &str, format: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a b")).unwrap();
    fs::write(folder.path().join("a b/murder.yaml"), manifest).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["check", "a b/murder.yaml", "--format", format])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// `verify` writes the same form.
#[test]
fn sarif_of_verify_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a b")).unwrap();
    let manifest = include_str!("../manifests/example.org/murder.yaml");
    fs::write(folder.path().join("a b/murder.yaml"), manifest).unwrap();
    let ldif = "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nmailHost: gone.example.org\n\n\
                dn: uid=y,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: y@example.org\nmailHost: \u{1b}[31m.example.org\n";
    fs::write(folder.path().join("d.ldif"), ldif).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["verify", "a b", "--ldif", "d.ldif", "--format", "sarif"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    valid(&text, &schema("sarif-2.1.0.json"));
    assert!(!text.contains('\u{1b}'), "{text}");
    let whole: Value = serde_json::from_str(&text).unwrap();
    let run = &whole["runs"][0];
    let result = &run["results"][0];
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(
        run["tool"]["driver"]["rules"][index]["id"],
        result["ruleId"]
    );
    let place = &result["locations"][0];
    assert_eq!(
        place["physicalLocation"]["artifactLocation"]["uri"],
        "a%20b/murder.yaml"
    );
    assert!(place["logicalLocations"][0]["fullyQualifiedName"].is_string());
}

/// Validates a document with Python's jsonschema.
fn valid(document: &str, schema: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.json");
    fs::write(&path, document).unwrap();
    let script = "import json, sys, jsonschema
schema, document = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.validators.validator_for(schema)(schema).validate(document)";
    let mut python = tools::program("python3");
    python.args(["-c", script]).arg(schema).arg(&path);
    tools::run_command(python, b"");
}

fn schema(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/schemas")
        .join(name)
}

#[test]
fn sarif_is_valid_and_within_the_limits_of_code_scanning() {
    for (manifest, code) in [
        (WRONG, Some(1)),
        (
            include_str!("../manifests/example.org/murder.yaml"),
            Some(0),
        ),
    ] {
        let (exit, text) = check(manifest, "sarif");
        assert_eq!(exit, code, "{text}");
        valid(&text, &schema("sarif-2.1.0.json"));
        let whole: Value = serde_json::from_str(&text).unwrap();
        let run = &whole["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.is_empty(), code == Some(0), "{text}");
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(
                run["tool"]["driver"]["rules"][index]["id"],
                result["ruleId"]
            );
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "a%20b/murder.yaml");
            assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
        }
    }
    // Very many problems: those that code scanning would not show are left out.
    let hosts: String = (0..6000)
        .map(|number| format!("  h{number}.example.org: {{roles: [backend], colour: red}}\n"))
        .collect();
    let (exit, text) = check(&format!("{WRONG}{hosts}"), "sarif");
    assert_eq!(exit, Some(1));
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["runs"][0]["results"].as_array().unwrap().len(), 5000);
    assert!(text.len() < 10 << 20);
}

#[test]
fn annotations_are_commands_of_murder_alone() {
    let (exit, text) = check(WRONG, "github");
    assert_eq!(exit, Some(1));
    assert!(text.lines().count() >= 2, "{text}");
    for line in text.lines() {
        assert!(
            line.starts_with("::error file=a b/murder.yaml,line="),
            "{line}"
        );
    }
    assert!(text.contains("smtpd_helo_required"), "{text}");
}

#[test]
fn code_quality_is_a_list_of_issues_with_fingerprints_of_their_own() {
    let (exit, text) = check(WRONG, "codequality");
    assert_eq!(exit, Some(1));
    valid(&text, &schema("codequality.json"));
    let whole: Value = serde_json::from_str(&text).unwrap();
    let prints: std::collections::BTreeSet<&str> = whole
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["fingerprint"].as_str().unwrap())
        .collect();
    assert_eq!(prints.len(), whole.as_array().unwrap().len());
    // A line that moves keeps its fingerprint.
    let moved = WRONG.replace("hosts:\n", "\n\nhosts:\n");
    let again: Value = serde_json::from_str(&check(&moved, "codequality").1).unwrap();
    for (one, other) in whole
        .as_array()
        .unwrap()
        .iter()
        .zip(again.as_array().unwrap())
    {
        assert_eq!(one["fingerprint"], other["fingerprint"]);
        assert_ne!(one["location"], other["location"]);
    }
}
