//! The program, measured as a whole process: its time and its most memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a run took, and the most memory seen.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    pub time: Duration,
    pub kib: u64,
}

/// The program that is measured: `MURDER_PROGRAM`, else that of this build.
pub fn program() -> PathBuf {
    let other = std::env::var_os("MURDER_PROGRAM").map(PathBuf::from);
    other.unwrap_or_else(|| env!("CARGO_BIN_EXE_murder").into())
}

/// Runs the program once (VmHWM is looked at every millisecond); `code` is how it must end.
pub fn run(arguments: &[&str], folder: &Path, code: i32) -> Cost {
    let start = Instant::now();
    let mut child = Command::new(program())
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut kib = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        let seen = fs::read_to_string(&status).ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse().ok()
        });
        kib = kib.max(seen.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    };
    let time = start.elapsed();
    assert_eq!(ended.code(), Some(code), "murder {}", arguments.join(" "));
    Cost { time, kib }
}

pub fn row(work: &str, cost: Cost, must: &str) {
    println!(
        "{work:<44} {:>9.1} ms {:>6} MiB   {must}",
        cost.time.as_secs_f64() * 1000.0,
        cost.kib / 1024
    );
}
