//! Notifications: each drift once, its end once, and none lost.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::drift::{HOST, by_hand, put_right};
use super::server::Server;
use super::{Bench, MANIFEST, SECRET};
use crate::saved::invalid;

const STATE: &str = "notified.json";

fn targets(bench: &Bench, targets: &[String]) -> Vec<String> {
    let state = bench.home.path().join(STATE).display().to_string();
    let mut words = vec!["--state".to_owned(), state];
    for target in targets {
        words.extend(["--notify".to_owned(), target.clone()]);
    }
    words
}

fn drift(bench: &Bench, code: i32, words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    bench.expect(code, "drift", &words)
}

/// Demands that a document is as `murder schema NAME` says.
#[track_caller]
fn assert_as_schema(name: &str, document: &serde_json::Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["schema", name])
        .output()
        .unwrap();
    let schema = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(invalid(document, &schema), None, "{document}");
}

/// Demands that the state file is as its schema says.
#[track_caller]
fn assert_state(bench: &Bench) {
    let state = std::fs::read(bench.home.path().join(STATE)).unwrap();
    assert_as_schema("state", &serde_json::from_slice(&state).unwrap());
}

#[test]
fn a_drift_is_told_once_and_its_end_once_to_each_target() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let server = Server::new();
    let secret_url = bench.home.path().join("url");
    std::fs::write(&secret_url, server.url("/slack-t0ken\n")).unwrap();
    let words = targets(
        &bench,
        &[
            format!("json:{}", server.url("/json")),
            format!("slack:file:{}", secret_url.display()),
            format!("matrix:{}", server.url("/matrix")),
            format!("alertmanager:{}", server.url("/am/")),
            format!("healthchecks:{}", server.url("/hc")),
        ],
    );
    let paths = |server: &Server| -> Vec<String> {
        server.told().into_iter().map(|one| one.path).collect()
    };
    drift(&bench, 0, &words);
    assert_eq!(paths(&server), ["/hc/start", "/hc/0"], "all is well");
    by_hand(&bench);
    let said = drift(&bench, 2, &words);
    assert!(!said.contains("t0ken"), "{said}");
    let told = server.told();
    let all: Vec<&str> = told.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        all,
        [
            "/hc/start",
            "/am/api/v2/alerts",
            "/json",
            "/matrix",
            "/slack-t0ken",
            "/hc/2"
        ]
    );
    let keys: BTreeSet<&str> = told[1..5].iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys.len(), 1, "{told:?}");
    let json = told[2].json();
    assert_as_schema("notification", &json);
    assert_state(&bench);
    assert_eq!(json["new"][0]["host"], HOST);
    assert_eq!(json["new"][0]["kind"], "drifted");
    assert_eq!(json["new"].as_array().unwrap().len(), 1);
    let alert = &told[1].json()[0];
    assert_eq!(alert["labels"]["host"], HOST);
    assert!(told[4].json()["text"].as_str().unwrap().contains("1 new"));
    assert!(told[5].body.contains("1 drifted"), "{:?}", told[5]);
    for one in &told {
        // Neither a value nor a mail address.
        assert!(
            !one.body.contains("550") && !one.body.contains('@'),
            "{one:?}"
        );
    }
    // None in between.
    drift(&bench, 2, &words);
    assert_eq!(paths(&server), ["/hc/start", "/hc/2"]);
    // And one when it is clean again.
    put_right(&bench);
    drift(&bench, 0, &words);
    let told = server.told();
    assert_eq!(told.len(), 6, "{told:?}");
    assert_eq!(told[2].json()["cleared"][0]["host"], HOST);
    assert_as_schema("notification", &told[2].json());
    assert_eq!(told[1].json()[0]["endsAt"], told[2].json()["at"]);
    drift(&bench, 0, &words);
    assert_eq!(paths(&server), ["/hc/start", "/hc/0"]);
    // A manifest that is wrong is told to healthchecks too.
    bench.manifest("version: 1\n");
    drift(&bench, 1, &words);
    assert_eq!(paths(&server), ["/hc/start", "/hc/1"]);
}

#[test]
fn an_overdue_maintenance_is_told_once_and_its_end_once() {
    let resting = |until: &str| {
        let entry = "backend[1:2].example.org: {";
        assert!(MANIFEST.contains(entry));
        let own = format!(
            "backend1.example.org: {{maintenance: {{until: \"{until}\", reason: disks}}}}\n  {entry}"
        );
        MANIFEST.replace(entry, &own)
    };
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let server = Server::new();
    let words = targets(&bench, &[format!("json:{}", server.url("/json"))]);
    bench.manifest(&resting("2999-01-01"));
    assert_eq!(drift(&bench, 0, &words), "");
    assert!(server.told().is_empty());
    bench.manifest(&resting("2020-02-29T10:00Z"));
    for run in 0..3 {
        // Standard error would be a mail of cron at each run.
        assert_eq!(drift(&bench, 0, &words), "");
        let told = server.told();
        assert_eq!(told.len(), usize::from(run == 0), "{told:?}");
        for one in told {
            let body: serde_json::Value = serde_json::from_str(&one.body).unwrap();
            assert_as_schema("notification", &body);
            assert_eq!(body["new"][0]["kind"], "maintenance_overdue");
            assert_eq!(body["new"][0]["host"], HOST);
        }
    }
    // Where nobody is told, it stays a warning.
    let pinged = targets(&bench, &[format!("healthchecks:{}", server.url("/hc"))]);
    assert!(drift(&bench, 0, &pinged).contains("is overdue"));
    assert_eq!(server.told().len(), 2);
    bench.manifest(MANIFEST);
    for run in 0..2 {
        drift(&bench, 0, &words);
        let told = server.told();
        assert_eq!(told.len(), usize::from(run == 0), "{told:?}");
        for one in told {
            let body: serde_json::Value = serde_json::from_str(&one.body).unwrap();
            assert_eq!(body["cleared"][0]["kind"], "maintenance_overdue");
        }
    }
}

#[test]
fn a_webhook_that_fails_silences_nothing_and_gets_it_later() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let (good, bad) = (Server::new(), Server::new());
    bad.fails.store(true, Ordering::SeqCst);
    let words = targets(
        &bench,
        &[
            format!("json:{}", bad.url("/bad")),
            format!("json:{}", good.url("/good")),
            "slack:http://127.0.0.1:9/nobody".to_owned(),
        ],
    );
    by_hand(&bench);
    // A host that cannot be planned is no reason to be silent either.
    std::fs::write(
        bench.root("smtp.example.org").join("etc/postfix/main.cf"),
        "{broken\n",
    )
    .unwrap();
    let said = drift(&bench, 3, &words);
    assert!(
        said.contains("the notification to json failed: the server answers with status 503"),
        "{said}"
    );
    assert!(said.contains("the notification to slack failed"), "{said}");
    assert!(
        said.contains("unknown_local_recipient_reject_code"),
        "{said}"
    );
    let told = good.told();
    assert_eq!(told.len(), 1);
    assert_state(&bench);
    bad.fails.store(false, Ordering::SeqCst);
    drift(&bench, 3, &words);
    let late = bad.told();
    assert_eq!(late.len(), 1);
    assert_eq!((&late[0].key, &late[0].body), (&told[0].key, &told[0].body));
    assert!(good.told().is_empty());
}

#[test]
fn a_state_file_that_is_none_is_kept_and_said_with_what_to_do() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let server = Server::new();
    let words = targets(&bench, &[format!("json:{}", server.url("/json"))]);
    let state = bench.home.path().join(STATE);
    for (text, wanted) in [
        ("rubbish", "it is damaged"),
        ("", "move it away"),
        ("{\"version\": 1}", "it is damaged"),
        (
            "{\"version\": 99}",
            "it has format 99, and this murder reads",
        ),
    ] {
        std::fs::write(&state, text).unwrap();
        let said = drift(&bench, 1, &words);
        assert!(said.contains(wanted), "{text}: {said}");
        assert_eq!(std::fs::read_to_string(&state).unwrap(), text);
    }
    assert!(server.told().is_empty());
}

#[test]
fn a_target_needs_a_state_file_and_a_kind() {
    let bench = Bench::new(MANIFEST);
    let said = bench.expect(1, "drift", &["--notify", "json:http://127.0.0.1:9/"]);
    assert!(said.contains("needs `--state FILE`"), "{said}");
    let said = bench.expect(1, "drift", &["--state", "told.json"]);
    assert!(said.contains("--notify"), "{said}");
    let said = bench.expect(1, "drift", &["--notify", "pager:http://127.0.0.1:9/"]);
    assert!(said.contains("the kind is none of"), "{said}");
    let said = bench.expect(
        1,
        "drift",
        &["--untrusted", "--notify", "json:http://127.0.0.1:9/"],
    );
    assert!(said.contains("cannot be used with"), "{said}");
}

/// A run that is killed at any moment loses no notification, and repeats one with the same key only.
#[test]
fn a_hundred_killed_runs_lose_nothing() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let server = Server::new();
    let words = targets(&bench, &[format!("json:{}", server.url("/"))]);
    let path = bench.root(HOST).join("etc/postfix/main.cf");
    let clean = std::fs::read_to_string(&path).unwrap();
    let mut told = Vec::new();
    // A whole run, to know how long one takes.
    let began = std::time::Instant::now();
    drift(&bench, 0, &words);
    let whole = u64::try_from(began.elapsed().as_micros()).unwrap();
    let mut killed = 0;
    for round in 0..100_u64 {
        // Another value each time: each is a drift of its own.
        let value = format!("unknown_local_recipient_reject_code = {}", 551 + round);
        let text = clean.replace("unknown_local_recipient_reject_code = 450", &value);
        std::fs::write(&path, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_murder"))
            .arg("drift")
            .arg(bench.home.path().join("manifest"))
            .arg("--sandbox")
            .arg(bench.home.path().join("sandbox"))
            .args(&words)
            .env("SANDBOX_BIND_PW", SECRET)
            .env("XDG_CACHE_HOME", bench.home.path().join("cache"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From the begin of a run to its end, in steps that meet each moment.
        std::thread::sleep(Duration::from_micros(whole * (round * 37 % 100 + 10) / 100));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        killed += usize::from(status.code().is_none());
        if round % 3 == 0 {
            drift(&bench, 2, &words);
        }
        told.extend(server.told());
    }
    std::fs::write(&path, &clean).unwrap();
    drift(&bench, 0, &words);
    told.extend(server.told());
    println!("{killed} of 100 runs were killed; {} requests", told.len());
    assert!(killed > 30, "only {killed} runs were killed");
    let mut by_key: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in &told {
        by_key.entry(&one.key).or_default().insert(&one.body);
    }
    assert!(
        by_key.values().all(|bodies| bodies.len() == 1),
        "a key stands for one message"
    );
    // What a whole run after the change saw was told: rounds 0, 3, 6, and so on; and the end, once.
    let news = by_key
        .values()
        .flatten()
        .filter(|body| body.contains("\"drifted\""))
        .count();
    assert!(news >= 34, "{news} messages");
    let last = told.last().unwrap().json();
    assert_eq!(last["cleared"].as_array().unwrap().len(), 1, "{last}");
    let ends = by_key
        .values()
        .flatten()
        .filter(|body| !body.contains("\"cleared\":[]"));
    assert_eq!(ends.count(), 1, "the same thing was never clean in between");
}
