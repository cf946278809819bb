//! Readers of a report that are slow, that go away, and signals meanwhile: the report is whole, or the exit code says that it is not.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::program::command;
use super::routes::text;

/// More than a pipe holds.
const PIPE: usize = 64 * 1024;

const HEAD: &str = "version: 1\nmurder: lab\ndomains: [example.org]\n\
    ldap: {uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', tls: {mode: none}}\nhosts:\n  \
    smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n";

/// A folder with two manifests of many hosts, a directory with many faults, a list of addresses, and a report of a plan.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, body: &str| fs::write(folder.path().join(name), body).unwrap();
    let hosts = |count: u32, letters: usize| -> String {
        let host = |number| {
            let address = format!("10.0.{}.{}", number / 200, number % 200 + 1);
            let own = format!("{number} is a comment of this host ").repeat(letters / 30);
            format!(
                "  backend{number}.example.org: {{roles: [backend], addresses: [{address}], settings: {{mail_name: 'x{own}'}}}}\n"
            )
        };
        HEAD.to_owned() + &(0..count).map(host).collect::<String>()
    };
    write("few.yaml", &hosts(2, 30));
    write("m.yaml", &hosts(60, 30));
    write("many.yaml", &hosts(300, 30));
    write("new.yaml", &hosts(60, 3000));
    let entry = |number| {
        let (alias, host) = (number / 2, number % 300);
        format!(
            "dn: uid=u{number},dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: u{number}@example.org\n\
             alias: {alias}@example.org\nmailHost: backend{host}.example.org\n\n"
        )
    };
    write("d.ldif", &(0..900).map(entry).collect::<String>());
    let addresses = (0..300).map(|number| format!("u{number}@example.org\n"));
    write("list", &addresses.collect::<String>());
    let plan = murder(folder.path(), PLAN).output().unwrap();
    write("plan.json", &text(&plan.stdout));
    folder
}

const PLAN: &str = "plan new.yaml --sandbox hosts --format json --diff full";

/// Verbs whose reports a pipe does not hold.
const VERBS: &[&str] = &[
    "verify few.yaml --ldif d.ldif --all",
    "verify few.yaml --ldif d.ldif --format json",
    "verify few.yaml --ldif d.ldif --format sarif",
    "trace --manifest few.yaml --ldif d.ldif --addresses list --format json",
    "trace --manifest many.yaml --ldif d.ldif --addresses list --format svg",
    PLAN,
    "plan new.yaml --sandbox hosts --diff full",
    "diff m.yaml new.yaml --diff full --format json",
    "report merge plan.json --format text --diff full",
];

fn murder(folder: &Path, words: &str) -> Command {
    command(folder, &words.split(' ').collect::<Vec<_>>())
}

/// Starts a verb, and waits for the first letter of its report.
fn begun(folder: &Path, words: &str) -> Child {
    let mut command = murder(folder, words);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    child
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_report_is_whole_or_the_exit_code_says_that_it_is_not() {
    let folder = folder();
    let signals = [("INT", 130), ("TERM", 143)].into_iter().cycle();
    for (words, (name, code)) in VERBS.iter().zip(signals) {
        let whole = murder(folder.path(), words).output().unwrap();
        assert!(
            whole.stdout.len() > 3 * PIPE / 2,
            "{words}: {} {}",
            whole.stdout.len(),
            text(&whole.stderr)
        );
        // A slow reader gets all of it.
        let mut child = begun(folder.path(), words);
        std::thread::sleep(Duration::from_millis(50));
        let mut all = vec![whole.stdout[0]];
        let mut stdout = child.stdout.take().unwrap();
        let mut piece = [0; 16 * 1024];
        while let read @ 1.. = stdout.read(&mut piece).unwrap() {
            all.extend_from_slice(&piece[..read]);
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(all.len(), whole.stdout.len(), "{words}");
        assert_eq!(child.wait().unwrap().code(), whole.status.code(), "{words}");
        // One that goes away changes nothing, and nothing is said of it.
        let mut child = begun(folder.path(), words);
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), whole.status.code(), "{words}");
        assert_eq!(text(&ended.stderr), text(&whole.stderr), "{words}");
        // A signal cuts it, and says so. It does not wait for the reader.
        let mut child = begun(folder.path(), words);
        signal(&child, name);
        child.wait().unwrap();
        let ended = child.wait_with_output().unwrap();
        let err = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{words}: {err}");
        assert!(ended.stdout.len() < whole.stdout.len() - 1, "{words}");
        assert_eq!(
            err.lines().last(),
            Some("interrupted: nothing was changed, and the report may be cut off"),
            "{words}"
        );
    }
}

/// Each event is written at once, so one signal waits for the reader; the third one does not.
/// Waits until a thread of a process waits for room in a pipe.
fn await_full_pipe(child: &Child) {
    let tasks = format!("/proc/{}/task", child.id());
    let waits = || {
        let tasks = fs::read_dir(&tasks).unwrap().flatten();
        let mut places =
            tasks.filter_map(|task| fs::read_to_string(task.path().join("wchan")).ok());
        places.any(|place| place.contains("pipe_write"))
    };
    let start = Instant::now();
    while !waits() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the pipe is not full"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_stream_of_events_whose_reader_stands_still_ends_at_the_third_signal() {
    let folder = folder();
    let words = "drift m.yaml --sandbox hosts --pending --format jsonl";
    let whole = murder(folder.path(), words).output().unwrap();
    assert!(whole.stdout.len() > PIPE, "{}", whole.stdout.len());
    let mut child = begun(folder.path(), words);
    await_full_pipe(&child);
    for _ in 0..2 {
        signal(&child, "INT");
        std::thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none());
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

/// A file that `--out` names is whole or not there, whenever the signal comes; and nothing else is left beside it.
#[test]
fn a_file_is_whole_or_not_there() {
    let folder = folder();
    let words = "plan m.yaml --sandbox hosts --out saved.murder";
    let output = murder(folder.path(), words).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let saved = folder.path().join("saved.murder");
    let show = |folder: &Path| murder(folder, "show saved.murder").output().unwrap();
    assert!(show(folder.path()).status.success());
    let mut absent = 0;
    for moment in 0..12 {
        let _ = fs::remove_file(&saved);
        let mut command = murder(folder.path(), words);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(100 * moment));
        signal(&child, "TERM");
        let ended = child.wait_with_output().unwrap();
        assert!(
            [Some(143), Some(0), None].contains(&ended.status.code()),
            "{ended:?}"
        );
        match saved.exists() {
            true => assert!(show(folder.path()).status.success()),
            false => absent += 1,
        }
        let left = fs::read_dir(folder.path()).unwrap();
        let mut left = left.map(|file| file.unwrap().file_name().to_string_lossy().into_owned());
        assert_eq!(left.find(|name| name.starts_with(".murder.")), None);
    }
    assert!(absent > 0);
}
