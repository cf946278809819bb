//! A day of `drift` by cron, with a clock that is moved forward: each event is told once, and its end once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::server::Server;
use crate::world::{HOSTS, World, text};

/// The library that moves the clock of a program (Debian's package libfaketime).
fn faketime() -> String {
    let folders = fs::read_dir("/usr/lib").unwrap();
    let mut libraries = folders.map(|folder| {
        let folder = folder.unwrap().path();
        folder.join("faketime/libfaketimeMT.so.1")
    });
    let found: Option<PathBuf> = libraries.find(|library| library.exists());
    let found = found.expect("install Debian's package libfaketime");
    found.display().to_string()
}

/// A moment so many hours from now, as manifests have it.
fn moment(hours: u32) -> String {
    let words = ["-u", "-d", &format!("+{hours} hours"), "+%Y-%m-%dT%H:%MZ"];
    let output = Command::new("date").args(words).output().unwrap();
    text(&output.stdout).trim().to_owned()
}

/// The server that is told, the state between the runs, and the clock.
struct Day {
    server: Server,
    notify: [String; 4],
    faketime: String,
}

impl Day {
    fn new(world: &World) -> Self {
        let server = Server::new();
        let url = format!("json:{}", server.url("/"));
        let state = world.room().join("notified.json").display().to_string();
        Self {
            notify: ["--notify".to_owned(), url, "--state".to_owned(), state],
            server,
            faketime: faketime(),
        }
    }

    /// Runs a verb so many hours later. The clock of time limits goes on as it does.
    #[track_caller]
    fn at(&self, hours: u32, world: &World, code: i32, verb: &str, more: &[&str]) {
        let later = format!("+{hours}h");
        let clock = [
            ("LD_PRELOAD", self.faketime.as_str()),
            ("FAKETIME", later.as_str()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        world.murder_with(verb, more, &clock).exits(code);
    }

    /// Runs drift so many hours later, and demands what is told: `+ KIND HOST` of what is new, `- KIND HOST` of what ended.
    #[track_caller]
    fn tells(&self, hours: u32, world: &World, code: i32, more: &[&str], wanted: &[&str]) {
        let notify = self.notify.iter().map(String::as_str);
        let words: Vec<&str> = notify.chain(more.iter().copied()).collect();
        self.at(hours, world, code, "drift", &words);
        let mut told = Vec::new();
        for request in self.server.told() {
            assert_eq!(request.path, "/");
            assert!(!request.key.is_empty(), "a key to know a repeat by");
            let message = request.json();
            for (list, mark) in [("new", '+'), ("cleared", '-')] {
                for notice in message[list].as_array().unwrap() {
                    let word = |key: &str| notice[key].as_str().unwrap().to_owned();
                    told.push(format!("{mark} {} {}", word("kind"), word("host")));
                }
            }
        }
        assert_eq!(told, wanted, "after {hours} hours");
    }

    /// The same, and again at the same time: the second run tells nothing.
    #[track_caller]
    fn tells_once(&self, hours: u32, world: &World, code: i32, more: &[&str], wanted: &[&str]) {
        self.tells(hours, world, code, more, wanted);
        self.tells(hours, world, code, more, &[]);
    }
}

pub fn a_day_of_cron_tells_each_event_once(world: &mut World) {
    world.converge();
    let day = Day::new(world);
    day.tells_once(0, world, 0, &[], &[]);
    an_outage(&day, world);
    a_held_change(&day, world);
    a_maintenance(&day, world);
    a_rollout(&day, world);
    an_orphan(&day, world);
    world.converge();
    day.tells_once(60, world, 0, &[], &[]);
}

fn an_outage(day: &Day, world: &World) {
    world.lab.sh("mx", "postfix stop >/dev/null 2>&1");
    day.tells_once(1, world, 2, &[], &["+ stopped mx.example.org"]);
    world.lab.sh("mx", "postfix start >/dev/null 2>&1");
    day.tells_once(2, world, 0, &[], &["- stopped mx.example.org"]);
}

/// A change at 3 a.m. is drift, held for 30 hours, announced a day before the hold ends, and then drift again.
fn a_held_change(day: &Day, world: &World) {
    const HOST: &str = "backend1.example.org";
    let lab = &world.lab;
    lab.sh("backend1", "postconf -e 'relayhost = [other.example.org]'");
    day.tells_once(3, world, 2, &[], &["+ drifted backend1.example.org"]);
    let hold = [
        "hold",
        HOST,
        "relayhost",
        "manifest",
        "--overlay=lab.yaml",
        "--for=30h",
        "--reason=loop",
    ];
    let mut hold = world.command(&hold);
    hold.env("LD_PRELOAD", &day.faketime)
        .env("FAKETIME", "+3h")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let output = hold.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    day.tells_once(4, world, 0, &[], &["- drifted backend1.example.org"]);
    // The pipeline applies, and the change survives.
    day.at(5, world, 0, "apply", &["--yes"]);
    assert_eq!(lab.postconf("backend1", "relayhost"), "[other.example.org]");
    day.tells(8, world, 0, &[], &[]);
    day.tells_once(10, world, 0, &[], &["+ hold_ends backend1.example.org"]);
    day.tells(32, world, 0, &[], &[]);
    day.tells_once(34, world, 2, &[], &["+ drifted backend1.example.org"]);
    day.at(34, world, 0, "apply", &["--yes"]);
    assert_eq!(lab.postconf("backend1", "relayhost"), "[smtp.example.org]");
    day.tells_once(35, world, 0, &[], &["- drifted backend1.example.org"]);
}

/// A host in maintenance may be as it is; when its time is over, that is told.
fn a_maintenance(day: &Day, world: &World) {
    let overlay = format!(
        "hosts: {{mupdate.example.org: {{maintenance: {{until: {}, reason: new disks}}}}}}\n",
        moment(40)
    );
    let overlay = world.write("disks.yaml", &overlay).display().to_string();
    let disks = ["--overlay", overlay.as_str()];
    world.lab.sh("mupdate", "postfix stop >/dev/null 2>&1");
    day.tells_once(36, world, 0, &disks, &[]);
    let overdue = ["+ maintenance_overdue mupdate.example.org"];
    day.tells_once(41, world, 0, &disks, &overdue);
    world.lab.sh("mupdate", "postfix start >/dev/null 2>&1");
    let over = ["- maintenance_overdue mupdate.example.org"];
    day.tells_once(42, world, 0, &[], &over);
}

/// A manifest that is ahead of its hosts alerts nobody.
fn a_rollout(day: &Day, world: &World) {
    let overlay = "defaults: {settings: {delay_warning_time: 5h}}\n";
    let overlay = world.write("ahead.yaml", overlay).display().to_string();
    let ahead = ["--overlay", overlay.as_str()];
    day.tells_once(43, world, 0, &ahead, &[]);
    day.tells_once(44, world, 2, &[&ahead[..], &["--pending"]].concat(), &[]);
    day.tells_once(45, world, 0, &[], &[]);
}

/// A host that vanishes from the manifest is told once, until it is forgotten.
fn an_orphan(day: &Day, world: &World) {
    const GONE: &str = "frontend1";
    let manifest = world.room().join("manifest/murder.yaml");
    let whole = fs::read_to_string(&manifest).unwrap();
    let without: Vec<&str> = whole.lines().filter(|line| !line.contains(GONE)).collect();
    assert_eq!(without.len() + 1, whole.lines().count());
    fs::write(&manifest, without.join("\n") + "\n").unwrap();
    let entries = |gone: &str| -> Vec<(&str, &str)> {
        let hosts = HOSTS.iter().filter(|host| **host != gone);
        hosts.map(|host| (*host, "")).collect()
    };
    world.write_overlay("lab.yaml", &entries(GONE), "");
    day.tells_once(46, world, 2, &[], &["+ orphaned frontend1.example.org"]);
    let forget = [
        "forget",
        "frontend1.example.org",
        "manifest",
        "--overlay=lab.yaml",
        "--gone",
    ];
    let output = world.command(&forget).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    day.tells_once(47, world, 0, &[], &["- orphaned frontend1.example.org"]);
    fs::write(&manifest, whole).unwrap();
    world.write_overlay("lab.yaml", &entries(""), "");
}
