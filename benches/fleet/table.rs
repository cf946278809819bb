//! A table of a million lines on a host: equal, and with one line changed.

use std::fmt::Write as _;

use crate::Options;
use crate::hosts::{Lab, names};
use crate::run::{head, median, row, run};

const LINES: usize = 1_000_000;

fn lines(changed: bool) -> String {
    let mut text = String::new();
    for line in 0..LINES {
        let host = if changed && line == LINES / 2 {
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

/// Prints what a plan of it costs, and the diff of the one line.
pub fn measure(lab: &Lab, options: &Options) {
    let host = names('b', 1);
    lab.up(&host);
    let address = lab.address("b1");
    let body = format!(
        "roles: [frontend], ssh: {{address: {address}}}, files: {{/etc/postfix/big: {{template: big, table: true}}}}"
    );
    lab.manifest(
        "table.yaml",
        &lab.file("known_hosts"),
        &[("b1".to_owned(), body)],
    );
    lab.write("big", &lines(false));
    head();
    let (first, _) = run(&mut lab.apply("table.yaml"), &[0]);
    row(
        "murder apply, a table of 1,000,000 lines is new, once",
        first,
    );
    let plan = || run(&mut lab.murder("plan", "table.yaml", &[]), &[0]);
    let equal: Vec<_> = (0..options.rounds).map(|_| plan().0).collect();
    row(
        "murder plan, equal (must be under 2 s and 300 MiB)",
        median(&equal),
    );
    lab.write("big", &lines(true));
    let changed: Vec<_> = (0..options.rounds).map(|_| plan()).collect();
    let costs: Vec<_> = changed.iter().map(|(cost, _)| *cost).collect();
    row("murder plan, one line differs", median(&costs));
    for line in changed[0].1.lines() {
        println!("    {line}");
    }
}
