//! What an apply prints where no person watches, and that a sandbox does not wait between its waves.

use std::time::{Duration, Instant};

use super::{Bench, MANIFEST};

#[test]
fn an_apply_without_a_terminal_prints_the_summary_and_one_line_a_wave() {
    let bench = Bench::new(&format!(
        "{MANIFEST}rollout: {{backend: {{serial: 1, pause: 1h}}}}\n"
    ));
    let start = Instant::now();
    let output = bench.run("apply", &["--yes"]);
    // The pause lets real mail flow before the next hosts change; a folder has none.
    assert!(start.elapsed() < Duration::from_secs(600));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stdout.contains(
            "+ create 3 files in /etc/postfix/ldap, root:postfix 0640: local_recipient_maps.cf,"
        ),
        "{stdout}"
    );
    assert!(!stdout.contains("search_base"), "{stdout}");
    assert!(stdout.contains("\n3 hosts: 3 done\n"), "{stdout}");
    let waves: Vec<&str> = stderr
        .lines()
        .filter(|line| line.starts_with("wave "))
        .collect();
    assert_eq!(
        waves,
        [
            "wave 1 of 3: backend1.example.org",
            "wave 2 of 3: backend2.example.org",
            "wave 3 of 3: smtp.example.org",
        ],
        "{stderr}"
    );
    // The whole text is there for who asks for it.
    let again = Bench::new(MANIFEST);
    let full = again.expect(0, "apply", &["--yes", "--diff", "full"]);
    assert!(full.contains("search_base"), "{full}");
}

/// Puts deferred mails into a queue folder of a host.
fn defer(bench: &Bench, host: &str, queue: &str, count: usize) {
    let folder = bench.root(host).join(queue).join("deferred/A");
    std::fs::create_dir_all(&folder).unwrap();
    for number in 0..count {
        std::fs::write(folder.join(format!("4FqA{number}")), "").unwrap();
    }
}

#[test]
fn mails_that_wait_after_a_wave_keep_the_next_one_from_beginning() {
    let manifest = |limit: u32| {
        format!(
            "{MANIFEST}rollout: {{backend: {{serial: 1, pause: 1h, max_deferred: {limit}}}}}\n\
             defaults: {{settings: {{queue_directory: /var/spool/other}}}}\n"
        )
    };
    // The apply itself moves the queue to a folder in which more mails wait: 7 instead of 2.
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    defer(&bench, "backend1.example.org", "var/spool/postfix", 2);
    defer(&bench, "backend1.example.org", "var/spool/other", 7);
    bench.manifest(&manifest(4));
    let plan = bench.expect(0, "plan", &[]);
    assert!(plan.contains("queue: 2 deferred, 0 active"), "{plan}");
    let json: serde_json::Value =
        serde_json::from_slice(&bench.run("plan", &["--format", "json"]).stdout).unwrap();
    assert_eq!(
        json["hosts"]["backend1.example.org"]["queue"]["deferred"],
        2
    );
    let stopped = bench.expect(2, "apply", &["--yes"]);
    for words in [
        "not attempted: the mails that wait on hosts before it are more than `max_deferred`",
        "backend1.example.org: 7 mails are deferred, 5 more than when the plan was made (`max_deferred: 4`)",
        "1 done",
        "2 not attempted",
    ] {
        assert!(stopped.contains(words), "{words}: {stopped}");
    }
    // The next plan counts from what waits by then.
    let rest = bench.expect(0, "apply", &["--yes"]);
    assert!(rest.contains("2 done"), "{rest}");
}

#[test]
fn as_many_mails_as_the_limit_allows_and_mails_of_other_roles_stop_nothing() {
    for (host, limit) in [("backend1.example.org", 7), ("smtp.example.org", 0)] {
        let bench = Bench::new(MANIFEST);
        bench.expect(0, "apply", &["--yes"]);
        defer(&bench, host, "var/spool/other", 7);
        bench.manifest(&format!(
            "{MANIFEST}rollout: {{backend: {{serial: 1, max_deferred: {limit}}}}}\n\
             defaults: {{settings: {{queue_directory: /var/spool/other}}}}\n"
        ));
        let done = bench.expect(0, "apply", &["--yes"]);
        assert!(done.contains("3 done"), "{host}: {done}");
    }
}

#[test]
fn a_limit_for_all_roles_stops_the_next_role_and_a_role_may_have_its_own() {
    for (rollout, expected, done) in [
        ("max_deferred: 4", 2, "2 done"),
        ("max_deferred: 7", 0, "3 done"),
        ("max_deferred: 4, backend: {max_deferred: 7}", 0, "3 done"),
        (
            "max_deferred: 9, backend: {serial: 1, max_deferred: 0}",
            2,
            "1 done",
        ),
        ("max_deferred: 4, backend: {serial: 1}", 2, "1 done"),
    ] {
        let bench = Bench::new(MANIFEST);
        bench.expect(0, "apply", &["--yes"]);
        defer(&bench, "backend1.example.org", "var/spool/other", 7);
        bench.manifest(&format!(
            "{MANIFEST}rollout: {{{rollout}}}\n\
             defaults: {{settings: {{queue_directory: /var/spool/other}}}}\n"
        ));
        let output = bench.expect(expected, "apply", &["--yes"]);
        assert!(output.contains(done), "{rollout}: {output}");
    }
}

#[test]
fn a_wrong_key_of_rollout_is_a_role_or_a_misspelt_key() {
    for (rollout, words) in [
        ("max_defered: 4", "did you mean `max_deferred`?"),
        ("max_deferred: none", "`none` is not a whole number"),
        ("backends: {serial: 1}", "unknown role `backends`"),
        ("max_deferred: -1", "`-1` is not a whole number"),
    ] {
        let bench = Bench::new(&format!("{MANIFEST}rollout: {{{rollout}}}\n"));
        let output = bench.run("plan", &[]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(words), "{rollout}: {stderr}");
    }
}
