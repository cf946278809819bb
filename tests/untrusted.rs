//! `--untrusted`, verb by verb; and what the operator names, which holds nothing up.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::strangers::{MANIFEST, SECRET, Stranger};

/// A manifest whose files outside of its folder are all pipes: opening one would wait for ever.
fn trap() -> Stranger {
    let stranger = Stranger::new("");
    let home = stranger.home.path().display().to_string();
    let ssh = format!(
        "ssh: {{identity_file: {home}/identity, known_hosts: {home}/known, become: {{method: sudo, password: {{env: SEC_TEST_PASSWORD}}}}}}"
    );
    let text = MANIFEST.replace(
        "base: \"dc=example,dc=org\"}",
        &format!("base: \"dc=example,dc=org\", bind_dn: \"cn=x\", bind_pw: {{file: {home}/password}}}}\ndefaults:\n  {ssh}"),
    );
    assert_ne!(text, MANIFEST);
    stranger.write("murder.yaml", &text);
    for name in ["identity", "known", "password"] {
        stranger.pipe(&format!("../{name}"));
    }
    stranger
}

const OFFERED: [&[&str]; 9] = [
    &["check", "site"],
    &["render", "site"],
    &["explain", "backend1.example.org", "myhostname", "site"],
    &["diff", "site", "site"],
    &["plan", "--sandbox=box", "site"],
    &["plan", "--live=live.json", "site"],
    &["drift", "--sandbox=box", "site"],
    &[
        "trace",
        "--no-directory",
        "--manifest=site",
        "john@example.org",
    ],
    &["verify", "--no-directory", "--code=bad-filter", "site"],
];

#[test]
fn nothing_outside_of_the_folder_is_opened_and_nothing_is_run() {
    let stranger = trap();
    let home = stranger.home.path();
    fs::create_dir_all(home.join(".ssh")).unwrap();
    stranger.pipe("../.ssh/config");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .arg("-C")
            .arg(home.join("site"))
            .args(arguments)
            .output();
        assert!(done.unwrap().status.success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    let (code, said) = stranger.run(&["observe", "--sandbox=box", "--out=live.json", "site"]);
    assert_eq!(code, Some(0), "{said}");
    for verb in OFFERED {
        let trace = home.join("trace");
        let output = Command::new("strace")
            .args([
                "-f",
                "-s",
                "4096",
                "-e",
                "trace=execve,open,openat,openat2,connect",
                "-o",
            ])
            .arg(&trace)
            .arg(env!("CARGO_BIN_EXE_murder"))
            .args(verb)
            .arg("--untrusted")
            .current_dir(home)
            .env("HOME", home)
            .env("SEC_TEST_PASSWORD", SECRET)
            .stdin(Stdio::null())
            .output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        // A plan of a live file compares files but for their secrets.
        let expected = if verb.contains(&"--sandbox=box") {
            3
        } else {
            0
        };
        assert_eq!(code, Some(expected), "{verb:?}: {said}");
        assert!(!said.contains(SECRET), "{said}");
        let calls = fs::read_to_string(&trace).unwrap();
        let run: Vec<&str> = calls
            .lines()
            .filter(|line| line.contains("execve("))
            .collect();
        assert_eq!(run.len(), 1, "{verb:?}: {run:?}");
        let names = [
            "identity",
            "known",
            "password",
            ".ssh",
            ".cache",
            "site/.git",
        ];
        let mut outside = names
            .map(|name| format!("{}/{name}", home.display()))
            .to_vec();
        outside.push("/etc/postfix".to_owned());
        for outside in outside {
            let mut opened = calls.lines().filter(|line| !line.contains("execve("));
            assert_eq!(
                opened.find(|line| line.contains(&outside)),
                None,
                "{verb:?}"
            );
        }
        assert!(!calls.contains("connect("), "{verb:?}: {calls}");
    }
}

#[test]
fn verbs_that_need_trust_do_not_offer_it() {
    let stranger = Stranger::new("");
    for verb in [
        &["apply", "--yes", "site"][..],
        &["history", "backend1.example.org", "site"],
        &["rollback", "backend1.example.org", "--yes", "site"],
        &["release", "backend1.example.org", "all", "--yes", "site"],
        &["unlock", "backend1.example.org", "site"],
        &["schema"],
        &["completions", "bash"],
    ] {
        let (code, said) = stranger.run(&[verb, &["--untrusted"]].concat());
        assert_eq!(code, Some(1), "{verb:?}: {said}");
        assert!(
            said.contains("unexpected argument '--untrusted'"),
            "{verb:?}: {said}"
        );
        let (_, help) = stranger.run(&[verb[0], "--help"]);
        assert!(!help.contains("--untrusted"), "{verb:?}");
    }
    for verb in OFFERED {
        let (_, help) = stranger.run(&[verb[0], "--help"]);
        assert!(help.contains("--untrusted"), "{verb:?}");
    }
}

/// The operator names a file of the stranger's folder: the stranger may have made it a link.
#[test]
fn a_named_manifest_that_is_a_link_stays_in_its_folder() {
    let stranger = Stranger::new("");
    stranger.link("../secret", "leak.yaml");
    stranger.link("murder.yaml", "inside.yaml");
    stranger.write("over.yaml", "external: [mx.example.net]\n");
    for verb in ["check", "render"] {
        let (code, said) = stranger.run(&[verb, "--untrusted", "site/leak.yaml"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("leads out of the folder"), "{said}");
        let overlay = [
            verb,
            "--untrusted",
            "--overlay",
            "site/leak.yaml",
            "site/murder.yaml",
        ];
        let (code, said) = stranger.run(&overlay);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("leads out of the folder"), "{said}");
        let good = [
            verb,
            "--untrusted",
            "--overlay",
            "site/over.yaml",
            "site/inside.yaml",
        ];
        let (code, said) = stranger.run(&good);
        assert_eq!(code, Some(0), "{said}");
    }
    let explain = [
        "explain",
        "--untrusted",
        "backend1.example.org",
        "myhostname",
        "site/leak.yaml",
    ];
    assert_eq!(stranger.run(&explain).0, Some(1));
}

#[test]
fn what_the_operator_names_holds_nothing_up() {
    let stranger = Stranger::new("");
    stranger.pipe("pipe.yaml");
    stranger.link("pipe.yaml", "link.yaml");
    fs::rename(
        stranger.home.path().join("site/pipe.yaml"),
        stranger.home.path().join("site/p.yaml"),
    )
    .unwrap();
    fs::remove_file(stranger.home.path().join("site/link.yaml")).unwrap();
    stranger.link("p.yaml", "link.yaml");
    for named in [
        "site/p.yaml",
        "site/link.yaml",
        "/dev/tty",
        "/dev/zero",
        "/dev/random",
    ] {
        for arguments in [
            &["check", named][..],
            &["check", "--overlay", named, "site/murder.yaml"],
        ] {
            let (code, said) = stranger.run(arguments);
            assert_eq!(code, Some(1), "{arguments:?}: {said}");
            assert!(
                said.contains("not a regular file") || said.contains("cannot be read"),
                "{said}"
            );
        }
    }
    let empty = ["check", "--overlay", "/dev/null", "site/murder.yaml"];
    let (_, said) = stranger.run(&empty);
    assert!(!said.contains("regular file"), "{said}");
}

/// `<(command)` and a pipe on standard input are the operator's own.
#[test]
fn a_pipe_that_the_operator_makes_is_read() {
    let stranger = Stranger::new("");
    let murder = env!("CARGO_BIN_EXE_murder");
    for line in [
        format!("{murder} check <(cat site/murder.yaml)"),
        format!("cat site/murder.yaml | {murder} check /dev/stdin"),
        format!("{murder} check --overlay <(echo 'external: [mx.example.net]') site"),
    ] {
        let output = Command::new("bash")
            .args(["-c", &line])
            .current_dir(stranger.home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
    let endless = format!("{murder} check --overlay <(cat /dev/zero) site");
    let output = Command::new("bash")
        .args(["-c", &endless])
        .current_dir(stranger.home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("it has more than"), "{said}");
}

/// A secret is a file: not a pipe, not the terminal, not what the operator's shell has open.
#[test]
fn a_secret_is_a_regular_file_of_its_owner() {
    let stranger = trap();
    let home = stranger.home.path();
    let begin = fs::read_to_string(home.join("site/murder.yaml")).unwrap();
    let pipe = home.join("password").display().to_string();
    for path in [
        &pipe,
        "/dev/stdin",
        "/dev/zero",
        "/dev/tty",
        "/proc/self/fd/0",
    ] {
        let text = begin.replace(&pipe, path);
        stranger.write("murder.yaml", &text);
        let (code, said) = stranger.run(&["plan", "--sandbox=box", "site"]);
        assert_eq!(code, Some(1), "{path}: {said}");
        let line = said
            .lines()
            .find(|line| line.contains(&format!("`{path}`")));
        assert!(line.is_some(), "{path}: {said}");
    }
    assert!(Path::new(&pipe).exists());
}
