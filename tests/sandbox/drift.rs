//! Every day with it: what `drift` says of a manifest that is ahead and of a host that was changed.

use super::super::reports::Judged as _;
use super::{Bench, MANIFEST};

pub const HOST: &str = "backend1.example.org";
pub const CODE: &str = "unknown_local_recipient_reject_code";

/// Changes a parameter on a host by hand.
pub fn by_hand(bench: &Bench) {
    let (from, to) = (format!("{CODE} = 450"), format!("{CODE} = 550"));
    bench.edit(HOST, "etc/postfix/main.cf", &from, &to);
}

/// Takes that back.
pub fn put_right(bench: &Bench) {
    let (from, to) = (format!("{CODE} = 550"), format!("{CODE} = 450"));
    bench.edit(HOST, "etc/postfix/main.cf", &from, &to);
}

/// Runs a verb about one host.
#[track_caller]
pub fn on_host(bench: &Bench, code: i32, words: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(words)
        .arg(bench.home.path().join("manifest"))
        .arg("--sandbox")
        .arg(bench.home.path().join("sandbox"))
        .env("SANDBOX_BIND_PW", super::SECRET)
        .env("XDG_CACHE_HOME", bench.home.path().join("cache"))
        .env("NO_COLOR", "1")
        .judged();
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(code), "{words:?}:\n{text}");
    text
}

pub fn json(bench: &Bench, code: i32, verb: &str, more: &[&str]) -> serde_json::Value {
    let output = bench.run(verb, &[more, &["--format", "json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_manifest_that_is_ahead_is_pending_and_alerts_nobody() {
    let bench = Bench::new(MANIFEST);
    assert_eq!(bench.expect(0, "drift", &[]), "", "nothing is applied yet");
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace("ESMTP", "ESMTP ready"));
    assert_eq!(bench.expect(0, "drift", &[]), "");
    let said = bench.expect(2, "drift", &["--pending"]);
    assert!(said.contains("3 hosts: 2 pending, 1 converged"), "{said}");
    let seen = json(&bench, 0, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "pending");
    assert_eq!(seen["summary"]["pending"], 2);
    assert_eq!(seen["summary"]["drifted"], 0);

    by_hand(&bench);
    let said = bench.expect(2, "drift", &[]);
    assert!(
        said.contains("3 hosts: 1 drifted, 1 pending, 1 converged"),
        "{said}"
    );
    assert!(!said.contains("backend2"), "{said}");
    let seen = json(&bench, 2, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "drifted");
    assert_eq!(
        seen["hosts"]["backend2.example.org"]["condition"],
        "pending"
    );
    let plan = json(&bench, 0, "plan", &[]);
    assert_eq!(plan["summary"]["drifted"], 1);
    let said = bench.expect(0, "plan", &[]);
    assert!(said.contains("1 drifted"), "{said}");
}

#[test]
fn a_thing_that_leaves_the_manifest_is_pending_and_drifted_only_where_it_was_changed() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace(", settings: {smtpd_banner: \"$myhostname ESMTP\"}", ""));
    assert_eq!(bench.expect(0, "drift", &[]), "");
    bench.edit(HOST, "etc/postfix/main.cf", "ESMTP", "by hand");
    let seen = json(&bench, 2, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "drifted");
    assert_eq!(
        seen["hosts"]["backend2.example.org"]["condition"],
        "pending"
    );
}

#[test]
fn a_held_change_survives_the_next_apply_until_it_is_ended() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    by_hand(&bench);
    bench.expect(2, "drift", &[]);
    let hold = ["hold", HOST, CODE];
    let said = on_host(
        &bench,
        1,
        &["hold", HOST, "no_such", "--for=1h", "--reason=x"],
    );
    assert!(said.contains("`main.cf:no_such` is not managed"), "{said}");
    on_host(
        &bench,
        1,
        &[&hold[..], &["--for=1h", "--reason= "]].concat(),
    );
    on_host(
        &bench,
        1,
        &[&hold[..], &["--for=900days", "--reason=x"]].concat(),
    );
    let wrong = [&hold[..], &["--for=2x", "--reason=x"]].concat();
    let said = on_host(&bench, 1, &wrong);
    assert!(said.contains("write it as `90min`"), "{said}");
    let reason = "--reason=a loop of bounces, see the log";
    let said = on_host(&bench, 0, &[&hold[..], &["--for=72h", reason]].concat());
    assert!(said.contains("is held until"), "{said}");

    assert_eq!(bench.expect(0, "drift", &[]), "");
    let seen = json(&bench, 0, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "held");
    assert_eq!(seen["hosts"][HOST]["verdict"], "converged");
    let held = &seen["hosts"][HOST]["held"][0];
    assert_eq!(held["reason"], "a loop of bounces, see the log");
    assert_eq!(seen["summary"]["held"], 1);
    let said = bench.expect(0, "plan", &["--detailed-exitcode"]);
    assert!(
        said.contains(&format!("= hold main.cf:{CODE} until ")),
        "{said}"
    );
    // An apply leaves it, also where it changes something else; and a second one writes nothing.
    bench.manifest(&MANIFEST.replace("ESMTP", "ESMTP ready"));
    bench.expect(0, "apply", &["--yes"]);
    let before = bench.fingerprint();
    bench.expect(0, "apply", &["--yes"]);
    assert_eq!(bench.fingerprint(), before);
    let main_cf = bench.read(HOST, "etc/postfix/main.cf");
    assert!(main_cf.contains(&format!("{CODE} = 550")), "{main_cf}");
    assert!(main_cf.contains("ESMTP ready"), "{main_cf}");

    let said = on_host(&bench, 0, &["unhold", HOST, CODE]);
    assert!(said.contains("no longer held"), "{said}");
    on_host(&bench, 1, &["unhold", HOST, CODE]);
    let seen = json(&bench, 2, "drift", &[]);
    assert_eq!(seen["hosts"][HOST]["condition"], "drifted");
    bench.expect(0, "apply", &["--yes"]);
    let main_cf = bench.read(HOST, "etc/postfix/main.cf");
    assert!(main_cf.contains(&format!("{CODE} = 450")), "{main_cf}");
    assert_eq!(bench.expect(0, "drift", &[]), "");
}

#[test]
fn a_hold_ends_by_itself_and_holds_files_and_entries_too() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let table = "/etc/postfix/ldap/transport_maps.cf";
    bench.edit(HOST, &table[1..], "backend1", "backend9");
    let master_cf = bench.read(HOST, "etc/postfix/master.cf");
    let line = master_cf
        .lines()
        .find(|line| line.starts_with("lmtp"))
        .unwrap();
    let changed = "lmtp unix - - y - - lmtp";
    bench.edit(HOST, "etc/postfix/master.cf", line, changed);
    bench.expect(2, "drift", &[]);
    on_host(&bench, 0, &["hold", HOST, table, "--for=1h", "--reason=x"]);
    on_host(
        &bench,
        0,
        &["hold", HOST, "lmtp/unix", "--for=4s", "--reason=x"],
    );
    assert_eq!(bench.expect(0, "drift", &[]), "");
    bench.expect(0, "apply", &["--yes"]);
    assert!(bench.read(HOST, &table[1..]).contains("backend9"));
    std::thread::sleep(std::time::Duration::from_secs(5));
    let said = bench.expect(2, "drift", &[]);
    assert!(said.contains("lmtp/unix/chroot"), "{said}");
    assert!(!said.contains("update /etc/postfix/ldap"), "{said}");
    bench.expect(0, "apply", &["--yes"]);
    assert!(bench.read(HOST, &table[1..]).contains("backend9"));
    assert_eq!(bench.expect(0, "drift", &[]), "");
}

#[test]
fn a_rollback_holds_what_it_changed_unless_it_is_told_not_to() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace("ESMTP", "ESMTP ready"));
    bench.expect(0, "apply", &["--yes"]);
    let banner = |text: &str| bench.read(HOST, "etc/postfix/main.cf").contains(text);
    let said = on_host(&bench, 0, &["rollback", HOST, "--yes"]);
    assert!(said.contains("held for 24 hours"), "{said}");
    assert!(!banner("ESMTP ready"));
    bench.expect(0, "apply", &["--yes"]);
    assert!(
        !banner("ESMTP ready"),
        "the rollback survives the next apply"
    );
    assert_eq!(
        json(&bench, 0, "drift", &[])["hosts"][HOST]["condition"],
        "held"
    );
    on_host(&bench, 0, &["unhold", HOST, "smtpd_banner"]);
    assert_eq!(
        json(&bench, 0, "drift", &[])["hosts"][HOST]["condition"],
        "pending"
    );
    bench.expect(0, "apply", &["--yes"]);
    assert!(banner("ESMTP ready"));
    on_host(&bench, 0, &["rollback", HOST, "--yes", "--no-hold"]);
    assert!(!banner("ESMTP ready"));
    bench.expect(0, "apply", &["--yes"]);
    assert!(banner("ESMTP ready"));
}

/// The samples of a file of metrics, without HELP and TYPE.
fn samples(bench: &Bench) -> (String, Vec<String>) {
    let text = std::fs::read_to_string(bench.home.path().join("murder.prom")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(str::to_owned).collect();
    (text, lines)
}

#[test]
fn metrics_are_whole_and_prometheus_takes_them() {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;

    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let file = bench.home.path().join("murder.prom");
    let words = ["--metrics", file.to_str().unwrap()];
    bench.expect(0, "drift", &words);
    let (_, first) = samples(&bench);
    assert_eq!(
        file.metadata().unwrap().permissions().mode() & 0o7777,
        0o644
    );
    by_hand(&bench);
    std::fs::write(
        bench.root("smtp.example.org").join("etc/postfix/main.cf"),
        "{broken\n",
    )
    .unwrap();
    bench.expect(3, "drift", &words);
    let (text, lines) = samples(&bench);
    let has = |line: &str| assert!(lines.iter().any(|one| one == line), "{line}:\n{text}");
    has(&format!(
        "murder_build_info{{murder=\"example.org\",version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    ));
    has("murder_manifest_info{murder=\"example.org\",revision=\"\",dirty=\"false\"} 1");
    has("murder_hosts{murder=\"example.org\",verdict=\"drifted\"} 1");
    has("murder_hosts{murder=\"example.org\",verdict=\"pending\"} 0");
    has("murder_hosts{murder=\"example.org\",verdict=\"failed\"} 1");
    has(&format!(
        "murder_host_changes{{murder=\"example.org\",host=\"{HOST}\",kind=\"parameter\",cause=\"host\"}} 1"
    ));
    has(
        "murder_host_changes{murder=\"example.org\",host=\"backend2.example.org\",kind=\"file\",cause=\"manifest\"} 0",
    );
    has("murder_host_generation{murder=\"example.org\",host=\"smtp.example.org\"} 1");
    has("murder_host_reachable{murder=\"example.org\",host=\"smtp.example.org\"} 1");
    for name in [
        "murder_run_duration_seconds{murder=\"example.org\",phase=\"observe\"} ",
        "murder_last_run_timestamp_seconds{murder=\"example.org\"} ",
    ] {
        assert!(
            lines.iter().any(|one| one.starts_with(name)),
            "{name}:\n{text}"
        );
    }
    // The time of the last whole run stays.
    let name = "murder_last_success_timestamp_seconds";
    let of = |lines: &[String]| lines.iter().find(|one| one.starts_with(name)).cloned();
    assert!(
        of(&first).is_some_and(|line| !line.ends_with(" 0")),
        "{first:?}"
    );
    assert_eq!(of(&first), of(&lines));
    // Each metric has HELP and TYPE once.
    for mark in ["# HELP ", "# TYPE "] {
        let mut names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(mark))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        assert_eq!(all, 12, "{text}");
    }
    let mut check = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("promtool: install the package prometheus");
    check
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let said = check.wait_with_output().unwrap();
    assert!(
        said.status.success() && said.stderr.is_empty() && said.stdout.is_empty(),
        "{said:?}"
    );
    // A folder that is not there is an error, and the report comes all the same.
    let said = bench.expect(3, "drift", &["--metrics", "/no/such/folder/x.prom"]);
    assert!(
        said.contains("cannot write the metrics") && said.contains(CODE),
        "{said}"
    );
}

#[test]
fn the_history_of_all_hosts_is_one_list_by_time() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace("ESMTP", "ESMTP ready"));
    bench.expect(0, "apply", &["--yes"]);
    let stdout = |more: &[&str]| String::from_utf8(bench.run("history", more).stdout).unwrap();
    let text = stdout(&[]);
    assert_eq!(text.lines().count(), 5, "{text}");
    let csv = stdout(&["--format", "csv"]);
    let columns = "at,host,generation,by,revision,changed,reason,job\n";
    assert!(csv.starts_with(columns), "{csv}");
    assert_eq!(csv.lines().count(), 6, "{csv}");
    assert!(!text.contains("reason: "), "no reason was given: {text}");
    let all = json(&bench, 0, "history", &[]);
    let hosts: Vec<&str> = all["generations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["host"].as_str().unwrap())
        .collect();
    assert_eq!(
        hosts[..2],
        [HOST, "backend2.example.org"],
        "the newest first"
    );
    assert_eq!(
        all["generations"][0]["changed"][0]["thing"],
        "main.cf:smtpd_banner"
    );
    bench.expect(1, "history", &["--generation", "1"]);
    // One host that cannot be read hides none of the others.
    std::fs::write(bench.root(HOST).join("var/lib/murder/ledger.json"), "{").unwrap();
    let text = bench.expect(3, "history", &[]);
    assert!(text.contains("backend2.example.org  2"), "{text}");
}

#[test]
fn the_history_of_all_hosts_says_why_and_in_which_job() {
    let bench = Bench::new(MANIFEST);
    let reason = "ticket 7, \"now\"\n\u{1b}[31m";
    let mut apply = bench.command("apply", &["--yes", "--reason", reason]);
    apply.env("CI_JOB_URL", "https://git.example.org/jobs/7");
    assert!(apply.output().unwrap().status.success());
    let stdout = |more: &[&str]| String::from_utf8(bench.run("history", more).stdout).unwrap();
    let text = stdout(&[]);
    let line = text.lines().find(|line| line.contains(HOST)).unwrap();
    assert!(line.contains("  reason: ticket 7, \"now\""), "{line}");
    assert!(
        line.ends_with("  job: https://git.example.org/jobs/7"),
        "{line}"
    );
    let csv = stdout(&["--format", "csv"]);
    let line = csv.lines().find(|line| line.contains(HOST)).unwrap();
    assert!(
        line.contains(",\"ticket 7, \"\"now\"\"")
            && line.ends_with(",https://git.example.org/jobs/7"),
        "{line}"
    );
    assert!(!(text + &csv).contains('\u{1b}'), "no control characters");
    let all = json(&bench, 0, "history", &[]);
    let applied = &all["generations"][0]["applied"];
    assert_eq!(applied["reason"], "ticket 7, \"now\" [31m", "one line");
    assert_eq!(applied["job"], "https://git.example.org/jobs/7");
}
