//! Mail sent to addresses at every place where it can enter, and what the logs of all hosts say became of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::murder::HOSTS;
use super::outcome::{Action, End, Outcome};
use crate::world::{World, text, until};

/// A place where mail enters: the host, and the host that sends it there; none if it is given to sendmail(1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub host: &'static str,
    pub from: Option<&'static str>,
}

/// The host that stands for the Internet.
pub const OUTSIDE: &str = "ldap";

/// All places: the two MTAs from outside, each host from another one, and each by sendmail(1).
pub fn places() -> Vec<Place> {
    let from = |host, from| Place { host, from };
    let outside = ["mx", "smtp"].map(|host| from(host, Some(OUTSIDE)));
    let inside = HOSTS
        .iter()
        .map(|(host, _, client)| from(*host, Some(*client)));
    let submitted = HOSTS.iter().map(|(host, _, _)| from(*host, None));
    outside.into_iter().chain(inside).chain(submitted).collect()
}

/// What became of mail, by place and address.
pub type Outcomes = BTreeMap<(Place, String), Outcome>;

/// Sends one mail to each address at each place, waits until no host works on any, and says what became of each. Then it empties the queues.
pub fn send_all(world: &World, places: &[Place], addresses: &[&str]) -> Outcomes {
    let starts = log_lengths(world);
    let mails = give(world, places, addresses);
    wait(world);
    let found = outcomes(world, &starts, mails);
    for (host, _, _) in HOSTS {
        world.lab.sh(
            host,
            "postsuper -d ALL 2>/dev/null; postsuper -d ALL maildrop 2>/dev/null",
        );
    }
    found
}

/// A mail: where it enters, to whom, and what was answered.
pub type Mails = BTreeMap<String, (Place, String, String)>;

/// Sends one mail to each address at each place. Gives them by the names in their Message-IDs.
pub fn give(world: &World, places: &[Place], addresses: &[&str]) -> Mails {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut all = BTreeMap::new();
    for place in places {
        let named = addresses.iter().map(|address| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            (format!("n{number}"), (*address).to_owned())
        });
        let mails: BTreeMap<String, String> = named.collect();
        let server = place.from.map(|_| world.lab.addr(place.host));
        let work = json!({"server": server, "mails": mails});
        let on = place.from.unwrap_or(place.host);
        let mut child = Command::new(world.lab.script())
            .args(["exec", on, "python3", "/root/send.py"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = work.to_string();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{place:?}: {}",
            text(&output.stderr)
        );
        let said: BTreeMap<String, String> = serde_json::from_slice(&output.stdout).unwrap();
        for (name, to) in mails {
            let answer = said[&name].clone();
            all.insert(name, (*place, to, answer));
        }
    }
    all
}

/// Waits until no host works on a mail: what is left in a queue waits for another try.
pub fn wait(world: &World) {
    let roots = HOSTS.iter().map(|(host, _, _)| world.lab.root(host));
    let spools: Vec<PathBuf> = roots.map(|root| root.join("var/spool/postfix")).collect();
    let mut calm = 0;
    until("all mail was tried", 120, || {
        let folders = spools
            .iter()
            .flat_map(|spool| [spool.join("incoming"), spool.join("active")]);
        let found = Command::new("find")
            .args(folders)
            .args(["-type", "f"])
            .output();
        let works = !found.unwrap().stdout.is_empty();
        calm = if works { 0 } else { calm + 1 };
        // A mail may pass between two hosts while they are looked at.
        (calm > 3).then_some(())
    });
}

/// How long the log of each host is.
pub fn log_lengths(world: &World) -> Vec<usize> {
    let hosts = HOSTS.iter();
    hosts.map(|(host, _, _)| log(world, host).len()).collect()
}

/// Waits until so many mails are left in the queue of a host.
pub fn wait_for_queue(world: &World, host: &str, left: usize) {
    until("the queue was tried", 60, || {
        let queue = crate::mail::queue(world, host);
        (queue.lines().count() == left).then_some(())
    });
}

fn log(world: &World, host: &str) -> Vec<u8> {
    std::fs::read(world.lab.root(host).join("var/log/mail.log")).unwrap_or_default()
}

/// Waits until the log of each host has all that was said so far.
fn wait_for_logs(world: &World) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("states-mark-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    for (host, _, _) in HOSTS {
        world.lab.sh(host, &format!("logger -p mail.info {mark}"));
    }
    for (host, _, _) in HOSTS {
        until("the log is written", 60, || {
            text(&log(world, host)).contains(&mark).then_some(())
        });
    }
}

/// What became of mails, by the logs since some places in them.
pub fn outcomes(world: &World, starts: &[usize], mails: Mails) -> Outcomes {
    wait_for_logs(world);
    let mut ends: HashMap<String, BTreeSet<End>> = HashMap::new();
    for ((host, _, _), start) in HOSTS.iter().zip(starts) {
        let log = log(world, host);
        let mut names: HashMap<String, String> = HashMap::new();
        for line in text(&log[*start..]).lines() {
            if let Some((queue_id, name)) = message_id(line) {
                names.insert(queue_id, name);
            } else if let Some((queue_id, end)) = end_in(host, line)
                && let Some(name) = names.get(&queue_id)
            {
                ends.entry(name.clone()).or_default().insert(end);
            }
        }
    }
    let outcome = |(name, (place, to, answer)): (String, (Place, String, String))| {
        let mut ends = ends.remove(&name).unwrap_or_default();
        let is_taken = !answer.starts_with(['4', '5']);
        // What no host could expand is in no log.
        if is_taken && ends.is_empty() {
            ends.insert(End::new(place.host, &to, Action::Deferred, ""));
        }
        let reply = match answer.split(' ').next().unwrap_or_default() {
            "sendmail" => None,
            "DATA" => Some("250 2.1.5".to_owned()),
            _ => Some(answer),
        };
        ((place, to), Outcome { reply, ends })
    };
    mails.into_iter().map(outcome).collect()
}

/// The queue's name and the Message-ID in a line of cleanup(8).
fn message_id(line: &str) -> Option<(String, String)> {
    let (head, rest) = line.split_once(": message-id=<")?;
    let name = rest.strip_suffix("@states>")?;
    Some((head.rsplit_once(' ')?.1.to_owned(), name.to_owned()))
}

/// The queue's name and an end in a line of the log; none if another host of the murder took the mail.
fn end_in(host: &str, line: &str) -> Option<(String, End)> {
    let (head, rest) = line.split_once(": to=<")?;
    let (before, queue_id) = head.rsplit_once(' ')?;
    let recipient = rest.split_once(">,")?.0;
    let between = |from: &str| rest.split_once(from)?.1.split_once(", ").map(|pair| pair.0);
    let (relay, code) = (between("relay=")?, between("dsn=")?);
    let (status, why) = rest.split_once("status=")?.1.split_once(' ')?;
    let is_loop = ["too many hops", "loops back to myself"]
        .iter()
        .any(|words| why.contains(words));
    let action = match status {
        "sent" if before.contains("/discard[") => Action::Discarded,
        "sent" if is_of_murder(relay) => return None,
        "sent" => Action::Delivered,
        "bounced" if is_loop => Action::Looped,
        "bounced" => Action::Bounced,
        _ => Action::Deferred,
    };
    Some((queue_id.to_owned(), End::new(host, recipient, action, code)))
}

/// Whether the log names one of the hosts as the SMTP server that took the mail, and not a socket on it.
fn is_of_murder(relay: &str) -> bool {
    let name = relay.split_once(".example.org[");
    name.is_some_and(|(name, at)| {
        !at.starts_with('/') && HOSTS.iter().any(|(host, _, _)| *host == name)
    })
}

/// What `trace` says becomes of mail for some addresses at some places.
pub fn traced(
    world: &World,
    manifest: &std::path::Path,
    places: &[Place],
    addresses: &[&str],
) -> Outcomes {
    let list = world.write("states.txt", &(addresses.join("\n") + "\n"));
    let mut all = BTreeMap::new();
    for place in places {
        let host = format!("{}.example.org", place.host);
        let client = place.from.map(|from| world.lab.addr(from));
        let way: Vec<&str> = match &client {
            Some(client) => vec!["--at", &host, "--client", client],
            None => vec!["--submit", &host],
        };
        let ldif = world.write("states.ldif", super::murder::DIRECTORY);
        let words = [
            "trace",
            "--manifest",
            manifest.to_str().unwrap(),
            "--ldif",
            ldif.to_str().unwrap(),
            "--format",
            "json",
            "--addresses",
            list.to_str().unwrap(),
        ];
        let words = [&words[..], &way].concat();
        let output = world.command(&words).output().unwrap();
        assert!(
            output.status.success(),
            "{words:?}: {}",
            text(&output.stderr)
        );
        let lines = text(&output.stdout);
        let traces = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let traces: Vec<Value> = traces.collect();
        assert_eq!(traces.len(), addresses.len());
        for (address, trace) in addresses.iter().zip(&traces) {
            all.insert((*place, (*address).to_owned()), Outcome::of_trace(trace));
        }
    }
    all
}
