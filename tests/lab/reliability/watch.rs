//! A reader on the host itself: `postconf`, `postmap -q` and an SMTP RCPT every 50 ms (watch.py).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::world::{World, until};

const PROGRAM: &str = include_str!("watch.py");

/// A running watch over one host.
pub struct Watch<'a> {
    world: &'a World,
    host: &'a str,
    folder: PathBuf,
    child: Child,
}

/// What it saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Times that main.cf, the table and now and then master.cf were read.
    pub looks: usize,
    /// Times that a recipient was asked for.
    pub asked: usize,
    /// Of these, those answered `4xx`, and the last of these answers.
    pub later: usize,
    pub last_later: String,
    /// The slowest answer over SMTP, in milliseconds.
    pub slowest: usize,
    /// What Postfix could not read or do, in its own words.
    pub wrong: Vec<String>,
}

impl<'a> Watch<'a> {
    /// Begins, or goes on after a power failure.
    pub fn begin(world: &'a World, host: &'a str) -> Self {
        let root = world.lab.root(host);
        let folder = root.join("root/watch");
        fs::create_dir_all(&folder).unwrap();
        fs::write(root.join("root/watch.py"), PROGRAM).unwrap();
        Self {
            world,
            host,
            child: start(world, host),
            folder,
        }
    }

    /// After all processes of the host were killed, and Postfix runs again.
    pub fn go_on(&mut self) {
        let _ = self.child.wait();
        self.child = start(self.world, self.host);
    }

    /// Ends it.
    pub fn end(mut self) -> Seen {
        fs::write(self.folder.join("stop"), "").unwrap();
        until("the watch ends", 90, || self.child.try_wait().unwrap());
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let counts: BTreeMap<String, usize> = read("counts")
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, number)| (name.to_owned(), number.parse().unwrap()))
            .collect();
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let seen = Seen {
            looks: count("looks"),
            asked: count("asked"),
            later: count("later"),
            last_later: read("later").lines().last().unwrap_or_default().to_owned(),
            slowest: count("slowest"),
            wrong: read("wrong").lines().map(str::to_owned).collect(),
        };
        fs::remove_dir_all(&self.folder).unwrap();
        assert!(
            seen.looks > 0 && seen.asked > 0,
            "nothing was seen on {}",
            self.host
        );
        seen
    }
}

fn start(world: &World, host: &str) -> Child {
    let name = format!("{host}.example.org");
    Command::new(world.lab.script())
        .args(["exec", host, "python3", "/root/watch.py", "/root/watch"])
        .args(["hash:/etc/postfix/lab-flip", "colour@example.org"])
        .args([format!("red@{name}"), format!("blue@{name}")])
        .args(["--", "flip@example.org"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What several watches saw, in one line, and what was wrong.
pub fn together(seen: &[Seen]) -> (String, Vec<String>) {
    let sum = |of: fn(&Seen) -> usize| seen.iter().map(of).sum::<usize>();
    let line = format!(
        "read {} times and asked over SMTP {} times meanwhile: {} wrong, {} `later`, the slowest answer after {} ms",
        sum(|seen| seen.looks),
        sum(|seen| seen.asked),
        sum(|seen| seen.wrong.len()),
        sum(|seen| seen.later),
        seen.iter().map(|seen| seen.slowest).max().unwrap_or(0),
    );
    (
        line,
        seen.iter().flat_map(|seen| seen.wrong.clone()).collect(),
    )
}
