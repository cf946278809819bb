//! Every figure that needs no host, measured on the program as a whole process, as one table.
//!
//! Run by hand: `cargo bench --bench offline`. It needs no root and no Postfix. What a figure must
//! be stands beside it; it is shown, not enforced, because machines are noisy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

// Manifests of any size.
mod large;
// The program as a whole process.
mod process;

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use process::{Cost, program, row, run};

/// Quick work is run this often, and the median counts.
const RUNS: usize = 7;
/// Work of seconds is run this often.
const LONG_RUNS: usize = 3;
/// Lines of the large table.
const LINES: usize = 1_000_000;

/// A murder of one host with a large table, whose text stands in the file `big`.
const TABLE: &str = "version: 1\nmurder: bench\ndomains: [example.org]\n\
    ldap:\n  uris: [\"ldap://ldap.example.org\"]\n  base: dc=example,dc=org\n\
    hosts:\n  smtp.example.org:\n    roles: [internal-mta]\n    addresses: [192.0.2.2]\n    files:\n      \
    /etc/postfix/big: {template: big, table: true}\n";

fn table(changed: Option<usize>) -> String {
    let mut text = String::new();
    for line in 0..LINES {
        let host = if changed == Some(line) {
            "elsewhere"
        } else {
            "backend"
        };
        let _ = writeln!(
            text,
            "user{line}@example.org smtp:[{host}{}.example.org]",
            line % 100
        );
    }
    text
}

/// The median of several runs, with the most memory of any; the first run warms the page cache.
fn median(runs: usize, once: impl Fn() -> Cost) -> Cost {
    once();
    let mut costs: Vec<Cost> = (0..runs).map(|_| once()).collect();
    costs.sort_unstable();
    Cost {
        time: costs[runs / 2].time,
        kib: costs.iter().map(|cost| cost.kib).max().unwrap_or(0),
    }
}

/// A plan of new hosts, saved, shown and applied.
fn saved_plan(name: &str, hosts: usize, here: &Path) {
    let new = ["--sandbox", "new"];
    let save = ["plan", name, "--out", "plan.json", "--diff", "summary"];
    let show = ["show", "plan.json", "--diff", "summary"];
    let apply = ["apply", "plan.json", "--yes"];
    let must = "5 s, 500 MiB";
    let saved = median(LONG_RUNS, || run(&[&save[..], &new].concat(), here, 0));
    row(&format!("plan --out, {hosts} new hosts"), saved, must);
    let shown = median(LONG_RUNS, || run(&show, here, 0));
    row(&format!("show of a saved plan, {hosts} hosts"), shown, must);
    let runs = Cell::new(0);
    let applied = median(LONG_RUNS, || {
        runs.set(runs.get() + 1);
        let sandbox = format!("new-{}", runs.get());
        run(&[&apply[..], &["--sandbox", &sandbox]].concat(), here, 0)
    });
    row(
        &format!("apply of a saved plan, {hosts} hosts"),
        applied,
        must,
    );
}

/// The import of a murder of hundreds of hosts that a person wrote on one page, once, and the lines of what came of it.
fn imported(here: &Path) {
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/large.yaml");
    let written = written.to_str().unwrap();
    let apply = ["apply", written, "--sandbox", "large", "--yes"];
    run(&apply, here, 0);
    let import = ["import", "--sandbox", "large", "--out", "found"];
    let cost = run(&import, here, 0);
    let hosts = fs::read_dir(here.join("large")).unwrap().count();
    row(&format!("import, {hosts} hosts"), cost, "10 s");
    let lines = ["murder.yaml", "hosts.yaml"].map(|name| {
        let text = fs::read_to_string(here.join("found").join(name));
        text.unwrap_or_default().lines().count()
    });
    println!(
        "{:<44} {:>9} lines {:>12}   one screen",
        "  its manifest",
        lines.iter().sum::<usize>(),
        ""
    );
}

fn main() {
    let room = tempfile::tempdir().unwrap();
    let here = room.path();
    println!("{:<44} {:>12} {:>10}   must", "work", "median", "peak");

    row(
        "--version",
        median(RUNS, || run(&["--version"], here, 0)),
        "10 ms",
    );
    let mut growth = Vec::new();
    for hosts in [1_000, 10_000] {
        let name = format!("{hosts}.yaml");
        fs::write(here.join(&name), large::manifest(hosts)).unwrap();
        let large = hosts == 10_000;
        let must = |words: &'static str| if large { words } else { "" };

        let check = median(RUNS, || run(&["check", &name], here, 0));
        row(
            &format!("check, {hosts} hosts"),
            check,
            must("1 s, 300 MiB"),
        );
        // Nothing is deleted before the end: ext4 passes over inodes that were deleted in the last minute, so new files would be slow.
        let tree = format!("tree-{hosts}");
        let render = median(LONG_RUNS, || {
            run(&["render", &name, "--out", &tree], here, 0)
        });
        row(
            &format!("render to a tree, {hosts} hosts"),
            render,
            must("5 s, 500 MiB"),
        );
        let sandbox = format!("sandbox-{hosts}");
        let apply = run(&["apply", &name, "--sandbox", &sandbox, "--yes"], here, 0);
        row(
            &format!("first apply to a sandbox, {hosts} hosts, once"),
            apply,
            "",
        );
        let plan = median(LONG_RUNS, || {
            run(&["plan", &name, "--sandbox", &sandbox], here, 0)
        });
        row(
            &format!("plan of a converged sandbox, {hosts} hosts"),
            plan,
            must("10 s, 500 MiB"),
        );
        if !large {
            saved_plan(&name, hosts, here);
        }
        growth.push([check.time, render.time, plan.time]);
    }
    if let [small, large] = growth.as_slice() {
        for (work, (one, ten)) in ["check", "render", "plan"]
            .iter()
            .zip(small.iter().zip(large))
        {
            let ratio = ten.as_secs_f64() / one.as_secs_f64();
            println!(
                "{:<44} {ratio:>12.1} {:>10}   11",
                format!("{work}: ten times the hosts"),
                "times"
            );
        }
    }

    imported(here);

    fs::write(here.join("table.yaml"), TABLE).unwrap();
    fs::write(here.join("big"), table(None)).unwrap();
    run(&["apply", "table.yaml", "--sandbox", "s", "--yes"], here, 0);
    let verb = |arguments: &[&str], code| {
        let whole = [arguments, &["table.yaml", "--sandbox", "s"]].concat();
        median(LONG_RUNS, || run(&whole, here, code))
    };
    row(
        "a table of 1,000,000 lines, equal: plan",
        verb(&["plan"], 0),
        "2 s, 300 MiB",
    );
    row("  drift", verb(&["drift"], 0), "");
    row(
        "  plan --format json",
        verb(&["plan", "--format", "json"], 0),
        "",
    );
    fs::write(here.join("big"), table(Some(LINES / 2))).unwrap();
    row(
        "  one line differs: plan",
        verb(&["plan"], 0),
        "a readable diff",
    );
    // The manifest's table changed, and nobody changed the host.
    row("  drift", verb(&["drift"], 0), "");
    row(
        "  plan --format json",
        verb(&["plan", "--format", "json"], 0),
        "",
    );

    let size = fs::metadata(program()).unwrap().len();
    println!(
        "{:<44} {:>8.1} MiB {:>10}   15 MiB",
        "the program's file",
        size as f64 / 1024.0 / 1024.0,
        ""
    );
}
