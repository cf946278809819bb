//! What a run over SSH costs, on real hosts, measured beside a bare handshake and beside what people use today.
//!
//! `cargo bench --bench fleet -- [--hosts N] [--rounds N] [--with ansible,pyinfra,mitogen] [--only WORD…]`, as
//! root on Debian (see tests/lab/README.md). It boots lab hosts, takes turns between the programs, and prints
//! medians and ratios. What a figure must be stands beside it; it is shown, not enforced, because machines are
//! noisy. The parts: fleet, latency, many, table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

// Sixteen hosts: murder, its peers and the floor take turns.
mod compare;
// The bare handshakes that nothing can be faster than.
mod floor;
// The lab's hosts and the manifests about them.
mod hosts;
// Round trips, counted and felt.
mod latency;
// A thousand hosts, one dead, and an sshd that refuses.
mod many;
// Ansible and pyinfra, from PyPI.
mod peers;
// A TCP proxy that delays.
mod proxy;
// One run of a program and what it cost.
mod run;
// A table of a million lines.
mod table;

use hosts::Lab;

/// What measures one part and prints its table.
type Part = fn(&Lab, &Options);

/// What was asked for on the command line.
pub struct Options {
    pub hosts: usize,
    pub rounds: usize,
    pub with: Vec<String>,
    only: Vec<String>,
}

impl Options {
    fn read(words: &[String]) -> Self {
        let mut options = Self {
            hosts: 16,
            rounds: 5,
            with: Vec::new(),
            only: Vec::new(),
        };
        let mut words = words.iter().filter(|word| *word != "--bench");
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .unwrap_or_else(|| panic!("{word} needs a value"))
            };
            match word.as_str() {
                "--hosts" => options.hosts = value().parse().expect("--hosts is a number"),
                "--rounds" => options.rounds = value().parse().expect("--rounds is a number"),
                "--with" => options.with = value().split(',').map(str::to_owned).collect(),
                "--only" => options.only.push(value().clone()),
                word if !word.starts_with('-') => options.only.push(word.to_owned()),
                word => panic!("unknown option {word}; see the head of benches/fleet/main.rs"),
            }
        }
        options
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|word| word == part)
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // The floor is measured as a process too, so this program is that process.
    if let Some("floor") = words.first().map(String::as_str) {
        return floor::run(&words[1..]);
    }
    let options = Options::read(&words);
    let lab = Lab::boot();
    println!("{}", lab.versions());
    let parts: [(&str, Part); 4] = [
        ("fleet", compare::measure),
        ("latency", latency::measure),
        ("many", many::measure),
        ("table", table::measure),
    ];
    for (name, measure) in parts {
        if options.wants(name) {
            println!("\n== {name}");
            measure(&lab, &options);
        }
    }
    lab.down();
}
