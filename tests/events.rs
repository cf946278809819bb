//! `--format jsonl`: one event a line, each as the schema says, and always a last one.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::program::command;
use super::saved::valid::invalid;

const MANIFEST: &str = "version: 1\nmurder: example.org\ndomains: [example.org]\n\
    ldap: {uris: [ldap://ldap.example.org], base: \"dc=example,dc=org\"}\n\
    hosts:\n  smtp.example.org: {roles: [internal-mta]}\n";

struct Desk {
    home: TempDir,
    schema: Value,
}

impl Desk {
    fn new(more: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("murder.yaml"), MANIFEST.to_owned() + more).unwrap();
        let schema = command(home.path(), &["schema", "events"])
            .output()
            .unwrap();
        Self {
            home,
            schema: serde_json::from_slice(&schema.stdout).unwrap(),
        }
    }

    /// The events of a run that ends with this code. Each is held against the schema.
    fn run(&self, code: i32, arguments: &[&str]) -> Vec<Value> {
        let output = command(self.home.path(), arguments).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?} {err}");
        self.events(&String::from_utf8(output.stdout).unwrap(), code)
    }

    fn events(&self, text: &str, code: i32) -> Vec<Value> {
        let event = |line: &str| -> Value {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert_eq!(invalid(&event, &self.schema), None, "{line}");
            event
        };
        let events: Vec<Value> = text.lines().map(event).collect();
        assert_eq!(events[0]["event"], "start", "{text}");
        let last = events.last().unwrap();
        assert_eq!(
            (&last["event"], &last["exit"]),
            (&"end".into(), &code.into()),
            "{text}"
        );
        assert_eq!(last["interrupted"], code > 128, "{text}");
        assert_eq!(all(&events, "end").len(), 1, "{text}");
        events
    }

    /// The rest of a run that is under way and gets these signals.
    fn interrupted(
        &self,
        mut child: Child,
        first: String,
        signals: &[&str],
        code: i32,
    ) -> Vec<Value> {
        let mut text = first;
        for signal in signals {
            let pid = child.id().to_string();
            let sent = Command::new("kill").args(["-s", signal, &pid]).status();
            assert!(sent.unwrap().success());
            std::thread::sleep(Duration::from_millis(500));
        }
        let mut out = BufReader::new(child.stdout.take().unwrap());
        while out.read_line(&mut text).unwrap() > 0 {}
        assert_eq!(child.wait().unwrap().code(), Some(code), "{text}");
        self.events(&text, code)
    }
}

fn all<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event["event"] == kind)
        .collect()
}

/// The word of each host in events of a kind, in the order of the hosts.
fn words(events: &[Value], kind: &str, key: &str) -> Vec<(String, String)> {
    let word = |event: &Value, key: &str| event[key].as_str().unwrap().to_owned();
    let mut words: Vec<_> = all(events, kind)
        .into_iter()
        .map(|event| (word(event, "host"), word(event, key)))
        .collect();
    words.sort();
    words
}

const APPLY: [&str; 5] = [
    "apply",
    "murder.yaml",
    "--sandbox=s",
    "--yes",
    "--format=jsonl",
];

#[test]
fn an_apply_tells_each_host_as_it_goes() {
    let desk = Desk::new("  front[1:3].example.org: {roles: [frontend]}\n");
    let events = desk.run(0, &APPLY);
    assert_eq!(events[0]["hosts"], 4);
    let done = |word: &str| -> Vec<(String, String)> {
        let hosts = ["front1", "front2", "front3", "smtp"];
        hosts
            .map(|host| (format!("{host}.example.org"), word.to_owned()))
            .into()
    };
    assert_eq!(words(&events, "verdict", "verdict"), done("changes"));
    assert_eq!(words(&events, "outcome", "outcome"), done("done"));
    let waves = all(&events, "wave");
    let number = waves.len();
    assert!(
        number >= 2 && waves.iter().all(|wave| wave["waves"] == number),
        "{waves:?}"
    );
    // A host begins after its wave, and ends before the next one.
    let at = |test: &dyn Fn(&Value) -> bool| events.iter().position(test).unwrap();
    for (place, wave) in waves.iter().enumerate() {
        let begins = at(&|event| event == *wave);
        for host in wave["hosts"].as_array().unwrap() {
            let of = |kind: &str| {
                at(&|event| {
                    event["event"] == kind && event["host"] == *host && event["stage"] != "observe"
                })
            };
            assert!(begins < of("begin") && of("begin") < of("outcome"));
            if let Some(next) = waves.get(place + 1) {
                assert!(of("outcome") < at(&|event| event == *next));
            }
        }
    }
    let change = &all(&events, "verdict")[0]["changes"][0];
    assert!(
        change["thing"].is_string() && change["action"].is_string(),
        "{change}"
    );
    let again = desk.run(0, &APPLY);
    assert_eq!(words(&again, "verdict", "verdict"), done("converged"));
    assert_eq!(words(&again, "outcome", "outcome"), done("converged"));
    // A saved plan, twice.
    desk_change(&desk);
    let plan = ["plan", "murder.yaml", "--sandbox=s", "--out=plan.json"];
    assert!(
        command(desk.home.path(), &plan)
            .output()
            .unwrap()
            .status
            .success()
    );
    let saved = [
        "apply",
        "plan.json",
        "--sandbox=s",
        "--yes",
        "--format=jsonl",
    ];
    let outcomes = words(&desk.run(0, &saved), "outcome", "outcome");
    assert!(
        outcomes.contains(&("front1.example.org".to_owned(), "done".to_owned())),
        "{outcomes:?}"
    );
    let outcomes = words(&desk.run(0, &saved), "outcome", "outcome");
    assert!(
        outcomes.contains(&(
            "front1.example.org".to_owned(),
            "already_applied".to_owned()
        )),
        "{outcomes:?}"
    );
}

fn desk_change(desk: &Desk) {
    let path = desk.home.path().join("murder.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text + "defaults: {settings: {smtpd_banner: hello}}\n",
    )
    .unwrap();
}

#[test]
fn drift_tells_what_was_changed_and_a_refusal_has_its_kind() {
    let desk = Desk::new("");
    desk.run(0, &APPLY);
    let drift = ["drift", "murder.yaml", "--sandbox=s", "--format=jsonl"];
    let quiet = desk.run(0, &drift);
    assert_eq!(all(&quiet, "verdict")[0]["condition"], "converged");
    let file = desk
        .home
        .path()
        .join("s/smtp.example.org/etc/postfix/main.cf");
    let text = fs::read_to_string(&file).unwrap();
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("relay_domains"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&file, text).unwrap();
    let events = desk.run(2, &drift);
    let verdict = all(&events, "verdict")[0];
    assert_eq!(verdict["condition"], "drifted");
    let changes = verdict["changes"].to_string();
    assert!(
        changes.contains(r#""thing":"main.cf:relay_domains","cause":"drift""#),
        "{changes}"
    );
    // Something that the host has and the manifest replaces is refused.
    let path = desk.home.path().join("murder.yaml");
    let text = fs::read_to_string(&path).unwrap()
        + "defaults: {files: {/etc/postfix/note: {content: \"ours\\n\"}}}\n";
    fs::write(&path, text).unwrap();
    fs::write(file.with_file_name("note"), "of the host\n").unwrap();
    let events = desk.run(1, &APPLY);
    assert_eq!(
        all(&events, "verdict")[0]["refusals"],
        serde_json::json!(["adopt"])
    );
    assert_eq!(words(&events, "outcome", "outcome")[0].1, "refused");
    // Wrong use and a wrong manifest have no event: nothing has begun.
    fs::write(&path, "version: 1\nhosts: 7\n").unwrap();
    let output = command(desk.home.path(), &drift).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
}

#[test]
fn an_interrupted_apply_ends_with_an_event() {
    let desk = Desk::new(
        "  front[1:150].example.org: {roles: [frontend]}\nrollout: {frontend: {serial: 1}}\n",
    );
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let sandbox = format!("--sandbox={signal}");
        let arguments = ["apply", "murder.yaml", &sandbox, "--yes", "--format=jsonl"];
        let mut child = command(desk.home.path(), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Byte by byte, so that nothing is lost between this reader and the next one.
        let text = until(&mut child, "\"event\":\"wave\"");
        let events = desk.interrupted(child, text, &[signal], code);
        let outcomes = words(&events, "outcome", "outcome");
        assert_eq!(outcomes.len(), 151);
        let count = |word: &str| outcomes.iter().filter(|(_, one)| one == word).count();
        assert!(
            count("done") > 0 && count("not_attempted") > 0,
            "{outcomes:?}"
        );
    }
}

/// What a program prints, up to the line that has a word.
fn until(child: &mut Child, word: &str) -> String {
    use std::io::Read as _;
    let mut text = Vec::new();
    let out = child.stdout.as_mut().unwrap();
    loop {
        let mut byte = [0];
        assert_eq!(out.read(&mut byte).unwrap(), 1, "it ended early");
        text.push(byte[0]);
        if byte[0] == b'\n' && String::from_utf8_lossy(&text).contains(word) {
            return String::from_utf8(text).unwrap();
        }
    }
}

#[test]
fn a_second_signal_tells_what_is_under_way() {
    let desk = Desk::new(
        "  front9.example.org:\n    roles: [frontend]\n    files: {/etc/postfix/mine: {content: \"a b\\n\", table: true}}\n",
    );
    let programs = desk.home.path().join("programs");
    fs::create_dir(&programs).unwrap();
    let begun = desk.home.path().join("begun");
    let script = format!("#!/bin/sh\n: >{}\nexec sleep 20\n", begun.display());
    fs::write(programs.join("postmap"), script).unwrap();
    fs::set_permissions(programs.join("postmap"), fs::Permissions::from_mode(0o755)).unwrap();
    let child = command(
        desk.home.path(),
        &[&APPLY[..], &["--host=front9*"]].concat(),
    )
    .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
    .stdout(Stdio::piped())
    .stderr(Stdio::null())
    .spawn()
    .unwrap();
    let began = Instant::now();
    while !begun.exists() {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    let events = desk.interrupted(child, String::new(), &["INT", "INT"], 130);
    assert_eq!(
        words(&events, "outcome", "outcome"),
        [("front9.example.org".to_owned(), "interrupted".to_owned())]
    );
}

#[test]
fn a_run_that_only_observes_ends_with_an_event_too() {
    // A server that says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let desk = Desk::new(&format!(
        "defaults: {{ssh: {{address: 127.0.0.1, port: {port}}}}}\n"
    ));
    for verb in [&["drift"][..], &["apply", "--yes"]] {
        for (signal, code) in [("INT", 130), ("TERM", 143)] {
            let arguments = [verb, &["murder.yaml", "--format=jsonl"]].concat();
            let mut child = command(desk.home.path(), &arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let text = until(&mut child, "\"event\":\"begin\"");
            let events = desk.interrupted(child, text, &[signal], code);
            assert!(all(&events, "verdict").is_empty());
        }
    }
}
