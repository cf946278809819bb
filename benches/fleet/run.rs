//! One run of a program, and what it cost: time, CPU, memory, threads and open files.

use std::fs;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// What a run cost: the peaks are of the process itself, the CPU also of its children.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub time: Duration,
    pub cpu: Duration,
    pub kib: u64,
    pub threads: u64,
    pub files: usize,
}

/// CPU time of all children that were waited for.
fn spent() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            Duration::from_secs(time.tv_sec().unsigned_abs())
                + Duration::from_micros(time.tv_usec().unsigned_abs())
        })
        .sum()
}

/// Runs a program to its end, which must be one of these codes, and gives what it said on stdout too.
pub fn run(command: &mut Command, codes: &[i32]) -> (Cost, String) {
    let (mut out, mut err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    command
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(err.try_clone().unwrap());
    let (before, start) = (spent(), Instant::now());
    let mut child = command.spawn().unwrap();
    let folder = format!("/proc/{}", child.id());
    let mut cost = Cost::default();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if let Ok(text) = fs::read_to_string(format!("{folder}/status")) {
            let number = |name: &str| -> u64 {
                let line = text.lines().find(|line| line.starts_with(name));
                line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
                    .unwrap_or(0)
            };
            cost.kib = cost.kib.max(number("VmHWM:"));
            cost.threads = cost.threads.max(number("Threads:"));
        }
        let files = fs::read_dir(format!("{folder}/fd")).map_or(0, Iterator::count);
        cost.files = cost.files.max(files);
        std::thread::sleep(Duration::from_millis(2));
    };
    cost.time = start.elapsed();
    cost.cpu = spent().saturating_sub(before);
    let text = |file: &mut fs::File| {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let said = text(&mut out);
    let code = status.code().unwrap_or(-1);
    assert!(
        codes.contains(&code),
        "{command:?}\nends with {code}\n{said}\n{}",
        text(&mut err)
    );
    (cost, said)
}

/// The median of each figure by itself; the highest of the peaks.
pub fn median(costs: &[Cost]) -> Cost {
    let middle = |of: fn(&Cost) -> Duration| {
        let mut sorted: Vec<Duration> = costs.iter().map(of).collect();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    };
    Cost {
        time: middle(|cost| cost.time),
        cpu: middle(|cost| cost.cpu),
        kib: costs.iter().map(|cost| cost.kib).max().unwrap_or(0),
        threads: costs.iter().map(|cost| cost.threads).max().unwrap_or(0),
        files: costs.iter().map(|cost| cost.files).max().unwrap_or(0),
    }
}

/// Prints one line of the table.
pub fn row(work: &str, cost: Cost) {
    println!(
        "{work:<58} {:>8.3} s {:>8.3} s {:>5} MiB {:>4} threads {:>5} files",
        cost.time.as_secs_f64(),
        cost.cpu.as_secs_f64(),
        cost.kib / 1024,
        cost.threads,
        cost.files
    );
}

/// Prints the table's head.
pub fn head() {
    println!(
        "{:<58} {:>10} {:>10}   peaks",
        "work (medians)", "time", "CPU"
    );
}

/// Prints a ratio and what it must be.
pub fn ratio(what: &str, one: Duration, other: Duration, must: &str) {
    println!(
        "{what:<58} {:>8.2} times   must be {must}",
        one.as_secs_f64() / other.as_secs_f64()
    );
}
