//! Nothing that a host, a manifest or a file's name says steers a terminal, or commands the pipeline whose log it is in:
//! every verb, each of its formats.

use std::fs;

use super::history::Bench;
use super::strangers::Stranger;

const HOST: &str = "backend1.example.org";

/// What a stranger writes where he can write anything.
const HOSTILE: &str = "\u{1b}]52;c;eA==\u{7}\n::error::a\n  ::add-mask::b\r::set-output::c\n##[error]d ##vso[task.x]e ##VSO[f\u{202e}\u{9b}2J\u{e0041}\u{2028}::error::g";

/// What the log of a pipeline and a terminal make of a text (actions/runner `ActionCommand.cs`, azure-pipelines-agent
/// `Command.cs`: the latter finds its prefix anywhere in a line).
#[track_caller]
fn harmless(what: &str, text: &str) {
    let hidden = |c: char| !matches!(c, '\n' | '\t') && murder::name::is_hidden(c);
    assert_eq!(text.find(hidden), None, "{what}: {text:?}");
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{what}: {line}");
        let line = line.to_ascii_lowercase();
        for sign in ["##[", "##vso[", "##teamcity["] {
            assert!(!line.contains(sign), "{what}: {line}");
        }
    }
}

#[test]
fn a_host_commands_nothing() {
    let json = serde_json::to_string(HOSTILE).unwrap();
    let json = json.trim_matches('"');
    let bench = || {
        Bench::applied(&[
            r#"message_size_limit: "1000""#,
            r#"message_size_limit: "2000""#,
        ])
    };
    let forge = |bench: &Bench, path: &str, pairs: &[(&str, String)]| {
        let mut text = bench.read(path);
        for (from, to) in pairs {
            assert!(text.contains(from), "{from}: {text}");
            text = text.replace(from, to);
        }
        fs::write(bench.inside(path), text).unwrap();
    };
    // Files and values.
    let one = bench();
    let table = "/etc/postfix/ldap/transport_maps.cf";
    fs::write(one.inside(table), HOSTILE).unwrap();
    let mut main_cf = one.read("/etc/postfix/main.cf");
    main_cf += &format!("smtpd_banner = x {}\n", HOSTILE.replace(['\n', '\r'], " "));
    main_cf = main_cf.replace(
        "message_size_limit = 2000",
        "message_size_limit =\n ::error::x ##vso[y]",
    );
    fs::write(one.inside("/etc/postfix/main.cf"), main_cf).unwrap();
    for format in ["text", "markdown", "json"] {
        for diff in ["summary", "context", "full"] {
            let verb = ["plan", ".", "--format", format, "--diff", diff];
            harmless(&verb.join(" "), &one.expect(0, &verb));
            let verb = ["drift", ".", "--format", format, "--diff", diff];
            harmless(&verb.join(" "), &one.expect(2, &verb));
        }
    }
    for format in ["text", "json"] {
        let verb = [
            "apply",
            ".",
            "--yes",
            "--format",
            format,
            "--diff=full",
            "-v",
        ];
        harmless(&verb.join(" "), &one.expect(0, &verb));
    }
    // Who applied, and to which murder.
    let two = bench();
    for file in [
        "var/lib/murder/history/1.json",
        "var/lib/murder/history/2.json",
        "var/lib/murder/ledger.json",
    ] {
        let text = two.read(file);
        let by = text.split("\"by\":").nth(1).unwrap().trim_start();
        let by = by[1..].split('"').next().unwrap().to_owned();
        forge(&two, file, &[(&by, json.to_owned())]);
    }
    for format in ["text", "json"] {
        harmless(
            "history",
            &two.expect(0, &["history", HOST, "--format", format]),
        );
        harmless(
            "unlock",
            &two.expect(0, &["unlock", HOST, "--format", format]),
        );
    }
    harmless("rollback", &two.rollback(0, &["--to", "1", "--diff=full"]));
    let three = bench();
    forge(
        &three,
        "var/lib/murder/ledger.json",
        &[("example.org\"", format!("example.org {json}\""))],
    );
    for format in ["text", "json"] {
        for verb in [
            &["plan", ".", "--format", format][..],
            &["apply", ".", "--yes", "--format", format],
            &["release", HOST, "all", "--yes", "--format", format],
            &["rollback", HOST, "--yes", "--to", "0", "--format", format],
        ] {
            harmless(&verb.join(" "), &three.any(verb));
        }
    }
}

#[test]
fn a_manifest_commands_nothing() {
    let yaml = serde_json::to_string(HOSTILE).unwrap();
    let plain = r#""::error::a\n  ::add-mask::b\n##[error]d ##vso[task.x]e ##VSO[f\n""#;
    let good = Stranger::new(&format!(
        "defaults:\n  files:\n    /etc/postfix/x: {{content: {plain}}}\n  settings: {{smtpd_banner: \"x ##vso[y] ::\"}}\n"
    ));
    let bad = Stranger::new(&format!(
        "defaults:\n  settings: {{smtpd_banner: {yaml}}}\n  files: {{{yaml}: {{content: {yaml}}}}}\n"
    ));
    let name = "a\u{1b}]52;c;eA==\u{7}\n::error::x\u{202e} ##vso[z].yaml";
    let named = Stranger::new("");
    named.write(name, &format!("{yaml}: 1\n::error::x: 1\n"));
    let sandbox = "--sandbox=box";
    for (stranger, expected) in [(&good, 0), (&bad, 1), (&named, 1)] {
        for verb in [
            &["check", "site"][..],
            &["check", "--format=json", "site"],
            &["render", "site"],
            &["explain", HOST, "/etc/postfix/x", "site"],
            &["explain", HOST, "smtpd_banner", "site"],
            &["plan", sandbox, "--diff=full", "site"],
            &["plan", sandbox, "--format=markdown", "site"],
            &["plan", sandbox, "--format=json", "site"],
            &["drift", sandbox, "site"],
            &["apply", sandbox, "--yes", "site"],
        ] {
            let (code, said) = stranger.run(verb);
            harmless(&verb.join(" "), &said);
            let pending = verb[0] == "drift" && code == Some(2);
            assert!(pending || code == Some(expected), "{verb:?}: {said}");
        }
    }
    // Names and flags, as a pipeline may take them from a branch of a stranger.
    for verb in [
        &["check", HOSTILE][..],
        &["check", "--overlay", HOSTILE, "site"],
        &["check", "--host", HOSTILE, "site"],
        &["explain", HOSTILE, HOSTILE, "site"],
        &[HOSTILE],
        &["check", "--format", HOSTILE, "site"],
        &["plan", "--sandbox", HOSTILE, "site"],
        &["render", "--out", HOSTILE, "site"],
    ] {
        let (_, said) = good.run(verb);
        harmless(&format!("{verb:?}"), &said);
    }
}
