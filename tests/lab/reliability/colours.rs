//! Two manifests, red and blue, whose difference has every kind of step; and what each makes of a host.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::world::World;

/// Which of the two manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    Red,
    Blue,
}

impl Colour {
    pub fn other(self) -> Self {
        match self {
            Self::Red => Self::Blue,
            Self::Blue => Self::Red,
        }
    }

    pub fn overlay(self) -> &'static str {
        match self {
            Self::Red => "red.yaml",
            Self::Blue => "blue.yaml",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Blue => "blue",
        }
    }
}

/// A host that stands as one of the two says, or should.
pub struct Target {
    pub host: String,
    /// Its whole name.
    pub name: String,
    red: String,
    blue: String,
    /// How long an undisturbed apply takes.
    pub takes: Duration,
}

/// How a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    As(Colour),
    Between,
}

impl Target {
    /// How the host stands now, to the byte.
    pub fn stands(&self, world: &World) -> Stands {
        let print = fingerprint(world, &self.host);
        if print == self.red {
            Stands::As(Colour::Red)
        } else if print == self.blue {
            Stands::As(Colour::Blue)
        } else {
            Stands::Between
        }
    }

    /// The same where a ballast fills the disk.
    pub fn stands_but_for_ballast(&self, world: &World) -> Stands {
        world.lab.sh(&self.host, "rm -f /etc/postfix/ballast*");
        self.stands(world)
    }

    /// Demands that the next apply converges (its own second look says so), on the same bytes as an apply without a fault.
    pub fn converges(&self, world: &World, colour: Colour) -> Result<(), String> {
        let only = super::only(self, colour);
        let apply = world.murder("apply", &[&only[..], &["--yes"]].concat());
        if apply.code != 0 {
            return Err(format!("the next apply fails: {apply}"));
        }
        if self.stands(world) != Stands::As(colour) {
            let there = fingerprint(world, &self.host);
            let wanted = match colour {
                Colour::Red => &self.red,
                Colour::Blue => &self.blue,
            };
            let differs = |one: &str, other: &str| -> String {
                let only = one
                    .lines()
                    .filter(|line| !other.lines().any(|there| there == *line));
                only.fold(String::new(), |all, line| all + line + "\n")
            };
            return Err(format!(
                "{} does not stand as after an apply without a fault, but without\n{}and with\n{}{}",
                self.host,
                differs(wanted, &there),
                differs(&there, wanted),
                world.lab.sh(&self.host, "cat /etc/postfix/main.cf")
            ));
        }
        let left = leftovers(world, &self.host);
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("left on {}:\n{left}", self.host))
        }
    }
}

/// What an apply leaves behind if it leaves anything.
pub fn leftovers(world: &World, host: &str) -> String {
    world.lab.sh(
        host,
        "find /etc /tmp /var/tmp -xdev -name '.murder.*'; cd /var/lib/murder; \
         ls -A | grep -vxE 'lock|last|paths|references|ledger[.]json|adopted|before|history' || true",
    )
}

/// Every byte, mode and owner below /etc/postfix; indexes by what they answer, and main.cf and master.cf by their lines, in an
/// order of their own: a text that is given back as it was before a change has another order than one that postconf(1) edits.
pub fn fingerprint(world: &World, host: &str) -> String {
    world.lab.sh(
        host,
        "cd /etc/postfix; find . ! -name '*.db' -printf '%p %y %m %u:%g %l\\n' | sort; \
         find . -type f ! -name '*.db' ! -name main.cf ! -name master.cf -exec sha256sum {} + | sort -k 2; \
         for text in main.cf master.cf; do echo $text; sort $text; done; \
         for index in *.db; do stat -c '%n %a %U:%G' $index; postmap -s hash:${index%.db} | sort; done",
    )
}

/// Boots the hosts, and takes them to and fro once without any fault.
pub fn prepare(world: &World, hosts: &[&str]) -> Vec<Target> {
    std::thread::scope(|scope| {
        for host in hosts {
            scope.spawn(|| world.lab.up(host));
        }
    });
    for colour in [Colour::Red, Colour::Blue] {
        write(world, hosts, "backend", colour);
    }
    let names: Vec<String> = hosts
        .iter()
        .map(|host| format!("{host}.example.org"))
        .collect();
    let mut words = vec!["--yes"];
    for name in &names {
        words.extend(["--host", name]);
    }
    let all = |colour: Colour| {
        let start = Instant::now();
        world
            .murder(
                "apply",
                &[&["--overlay", colour.overlay()], &words[..]].concat(),
            )
            .exits(0);
        start.elapsed()
    };
    all(Colour::Red);
    all(Colour::Blue);
    let prints = || -> Vec<String> { hosts.iter().map(|host| fingerprint(world, host)).collect() };
    all(Colour::Red);
    let red = prints();
    all(Colour::Blue);
    let blue = prints();
    let mut targets = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        assert_ne!(red[at], blue[at]);
        targets.push(Target {
            host: (*host).to_owned(),
            name: names[at].clone(),
            red: red[at].clone(),
            blue: blue[at].clone(),
            takes: Duration::ZERO,
        });
    }
    // How long one host takes by itself.
    for colour in [Colour::Red, Colour::Blue] {
        let start = Instant::now();
        targets[0].converges(world, colour).unwrap();
        let takes = start.elapsed();
        for target in &mut targets {
            target.takes = target.takes.max(takes);
        }
    }
    targets
}

/// A difference with every kind of step: files made, changed and deleted, with indexes and with the
/// directory's password in them, a service, parameters set, changed and taken away.
fn write(world: &World, hosts: &[&str], role: &str, colour: Colour) {
    let word = colour.word();
    let (days, seconds, more) = match colour {
        Colour::Red => (2, 10, "smtp_destination_concurrency_limit: \"7\""),
        Colour::Blue => (3, 11, "smtp_destination_recipient_limit: \"9\""),
    };
    let mut entries = Vec::new();
    for host in hosts {
        let mut more_of_host = String::new();
        let _ = write!(
            more_of_host,
            r#"roles: [{role}]
settings:
  virtual_alias_maps: {{append: ["hash:/etc/postfix/lab-flip"]}}
  bounce_queue_lifetime: {days}d
  {more}
services:
  lmtp/unix: {{options: {{syslog_name: postfix/{word}}}}}
files:
  /etc/postfix/lab-flip: {{content: "flip@example.org root@{host}.example.org\ncolour@example.org {word}@{host}.example.org\n", table: true}}
  /etc/postfix/lab-{word}: {{content: "{word} yes\n", table: true}}"#
        );
        entries.push((*host, more_of_host));
    }
    let entries: Vec<(&str, &str)> = entries
        .iter()
        .map(|(host, more)| (*host, more.as_str()))
        .collect();
    world.write_overlay(
        colour.overlay(),
        &entries,
        &format!("ldap: {{timeout: {seconds}s}}\n"),
    );
}
