//! Times `murder check` as a whole process on generated manifests of 1,000 and 10,000 hosts.
//!
//! Run by hand: `cargo bench --bench check`. It prints medians, peak memory and the ratio.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 7;

/// A murder with this many hosts, written out one by one: ten sites, some settings of their own.
fn manifest(hosts: usize) -> String {
    let mut yaml = String::from(
        "version: 1\nmurder: bench\ndomains: [example.org]\n\
         ldap:\n  uris: [\"ldap://ldap.example.org\"]\n  base: dc=example,dc=org\n\
         sites:\n",
    );
    for site in 0..10 {
        let _ = writeln!(
            yaml,
            "  site{site}: {{ldap: {{uris: [\"ldap://ldap{site}.example.org\"]}}}}"
        );
    }
    yaml.push_str("hosts:\n  mx.example.org: {roles: [internet-mta], addresses: [192.0.2.1]}\n");
    yaml.push_str("  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.2]}\n");
    for number in 0..hosts - 2 {
        let (site, high, low) = (number % 10, number / 250, number % 250 + 1);
        let _ = write!(
            yaml,
            "  backend{number}.example.org:\n    roles: [backend]\n    site: site{site}\n    addresses: [10.{}.{}.{low}]\n",
            high / 250,
            high % 250
        );
        if number % 3 == 0 {
            yaml.push_str("    settings: {smtpd_banner: \"$myhostname ESMTP\", biff: null}\n");
        }
    }
    yaml
}

/// One run: how long it took, and the most memory seen (VmHWM, looked at every millisecond).
fn run(manifest: &Path) -> (Duration, u64) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_murder"))
        .arg("check")
        .arg(manifest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        let seen = fs::read_to_string(&status).ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        });
        peak = peak.max(seen.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(
        code.success(),
        "check refuses the generated manifest: run `murder check {}`",
        manifest.display()
    );
    (start.elapsed(), peak)
}

fn main() {
    let room = tempfile::tempdir().unwrap();
    let mut medians = Vec::new();
    println!("{:>8}  {:>10}  {:>10}", "hosts", "median", "peak");
    for hosts in [1_000, 10_000] {
        let path = room.path().join(format!("{hosts}.yaml"));
        fs::write(&path, manifest(hosts)).unwrap();
        run(&path); // warms the page cache
        let mut runs: Vec<(Duration, u64)> = (0..RUNS).map(|_| run(&path)).collect();
        runs.sort_unstable();
        let median = runs[RUNS / 2].0;
        let peak = runs.iter().map(|(_, peak)| *peak).max().unwrap_or(0);
        println!(
            "{hosts:>8}  {:>7} ms  {:>6} MiB",
            median.as_millis(),
            peak / 1024
        );
        medians.push(median.as_secs_f64());
    }
    println!(
        "ten times the hosts cost {:.1} times the time",
        medians[1] / medians[0]
    );
}
