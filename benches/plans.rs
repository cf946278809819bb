//! What a plan for many hosts means for the mail of a large directory, on folders: the states on the way by waves and hosts.
//!
//! Run by hand: `cargo bench --bench plans`. It needs no root and no Postfix. `MURDER_PROGRAM` names another build to measure.
//! What a figure must be stands beside it; it is shown, not enforced, because machines are noisy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

// The program as a whole process.
mod process;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use process::{Cost, row, run};

/// Backends of the murder.
const BACKENDS: usize = 100;
/// People of the directory, with two addresses each.
const PEOPLE: usize = 50_000;
/// Each figure is the best of so many runs.
const RUNS: usize = 3;

/// The murder. `more` are keys of it; `backend` gives those of a backend by its number, `mta` those of the other hosts.
fn manifest(more: &str, backend: impl Fn(usize) -> String, mta: &str) -> String {
    let mut yaml = format!(
        "version: 1\nmurder: bench\ntopology: discrete\ndomains: [example.org]\n\
         ldap: {{uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', tls: {{mode: none}}}}\n\
         cyrus: {{lmtp_socket: /run/cyrus/socket/lmtp, postuser: folder}}\n{more}hosts:\n  \
         mx.example.org: {{roles: [internet-mta], addresses: [192.0.2.1]{mta}}}\n  \
         smtp.example.org: {{roles: [internal-mta], addresses: [192.0.2.2]{mta}}}\n"
    );
    for number in 1..=BACKENDS {
        let _ = writeln!(
            yaml,
            "  backend{number}.example.org: {{roles: [backend], addresses: [10.0.0.{number}]{}}}",
            backend(number)
        );
    }
    yaml
}

fn directory() -> String {
    let mut ldif = String::from("dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n\n");
    for number in 0..PEOPLE {
        let _ = write!(
            ldif,
            "dn: uid=u{number},ou=People,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\n\
             mail: u{number}@example.org\nalias: u{number}.alias@example.org\nmailHost: backend{}.example.org\n\n",
            number % BACKENDS + 1
        );
    }
    ldif
}

/// The best of some runs, as other work on the machine only adds.
fn best(arguments: &[&str], folder: &Path) -> Cost {
    let costs = (0..RUNS).map(|_| run(arguments, folder, 0));
    costs.min().unwrap()
}

fn main() {
    let room = tempfile::tempdir().unwrap();
    let here = room.path();
    let write = |name: &str, text: String| fs::write(here.join(name), text).unwrap();
    let limit = |limit: usize| format!(", settings: {{default_process_limit: '{limit}'}}");
    let same = |_: usize| limit(150);
    let serial = "rollout: {backend: {serial: 10, pause: 0s}}\n";
    write("d.ldif", directory());
    write("m.yaml", manifest("", |_| String::new(), ""));
    let sandbox = ["--sandbox", "hosts", "--adopt"];
    let apply = [&["apply", "m.yaml", "--yes"][..], &sandbox].concat();
    run(&apply, here, 0);
    println!("{:<44} {:>12} {:>10}   must", "work", "best", "peak");
    for (words, text) in [
        (
            "one backend changes",
            manifest(
                "",
                |number| {
                    if number == 1 {
                        limit(150)
                    } else {
                        String::new()
                    }
                },
                "",
            ),
        ),
        (
            "102 hosts change, backends alike, 3 waves",
            manifest("", same, &limit(150)),
        ),
        (
            "the same, backends in 10 batches, 12 waves",
            manifest(serial, same, &limit(150)),
        ),
        (
            "backends all different, 3 waves",
            manifest("", |number| limit(100 + number), &limit(99)),
        ),
        (
            "backends all different, 12 waves",
            manifest(serial, |number| limit(100 + number), &limit(99)),
        ),
    ] {
        write("m.yaml", text);
        let plan = [&["plan", "m.yaml"][..], &sandbox].concat();
        row(&format!("plan, {words}"), best(&plan, here), "");
        let judged = [&plan[..], &["--ldif", "d.ldif"]].concat();
        row(
            "  with --ldif, 100,000 addresses",
            best(&judged, here),
            "10 s",
        );
    }
}
