//! Two instances of Postfix in one plan, and a fault before and after steps: both stand as they were or as they must be, or the
//! next apply finishes.

use std::collections::BTreeSet;
use std::sync::Mutex;

use murder::machine::remote::Remote;
use murder::machine::{Ending, NotDone, Observe};
use murder::plan::{DiffInput, compare, questions};
use murder::secret::Secrets;
use murder::service::Service;
use murder::state::Desired;

use super::host::Host;
use super::instances::{host, out, perform, plan, wanted};
use super::leftovers;

/// Hosts at work side by side.
const HOSTS: usize = 3;

/// What both instances of a host must have: the default one and another one, each with routes of its own.
fn both(inner: &str, outer: &str) -> Desired {
    let mut desired = wanted(&Service::POSTFIX, inner);
    desired.services.extend(wanted(&out(), outer).services);
    desired
}

/// Both configurations, by what they say. What puts back in part may change the order of the lines of main.cf.
fn contents(host: &Host) -> String {
    host.run("cd /etc; for i in postfix postfix-out; do sort $i/main.cf; sha256sum $i/master.cf $i/transport 2>&1; stat -c '%n %U:%G %a' $i/* | grep -v '/transport.db'; [ ! -e $i/transport.db ] || postmap -c /etc/$i -s hash:/etc/$i/transport; done; ls /etc/postfix /etc/postfix-out")
}

fn running(host: &Host) -> String {
    host.run("for i in - postfix-out; do postmulti -i $i -p status >/dev/null 2>&1 && echo $i runs; done")
}

fn keep(host: &Host) {
    host.run("mkdir /root/keep; for i in etc/postfix etc/postfix-out var/lib/murder; do mkdir -p /root/keep/$i; cp -a /$i/. /root/keep/$i/; done");
}

fn reset(host: &Host) {
    host.run("for i in etc/postfix etc/postfix-out var/lib/murder; do find /$i -mindepth 1 -delete; cp -a /root/keep/$i/. /$i/; done");
}

fn prepared() -> Host {
    let host = host();
    let first = plan(&host, &both("a.example", "b.example")).expect("something to do");
    let performed = perform(&host, &first, "r0", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(plan(&host, &both("a.example", "b.example")).is_none());
    keep(&host);
    host
}

fn survives(host: &Host, before: &str, after: &str, fault: &str) {
    reset(host);
    let second = both("c.example", "d.example");
    let performed = perform(host, &plan(host, &second).unwrap(), "r1", fault);
    assert_eq!(
        host.run("flock -n /var/lib/murder/lock echo free"),
        "free\n",
        "{fault}"
    );
    let done = match performed.ending {
        Ending::NotDone(NotDone::Untouched { .. } | NotDone::PutBack { .. }) => Some(before),
        Ending::Done => Some(after),
        _ => None,
    };
    if let Some(expected) = done {
        assert_eq!(contents(host), expected, "{fault}");
    } else if let Some(plan) = plan(host, &second) {
        let again = perform(host, &plan, "r2", "");
        assert_eq!(again.ending, Ending::Done, "{fault}: {again:?}");
        assert_eq!(contents(host), after, "{fault}");
        assert!(self::plan(host, &second).is_none(), "{fault}");
    }
    assert_eq!(leftovers(host), Vec::<String>::new(), "{fault}");
    assert_eq!(running(host), "- runs\npostfix-out runs\n", "{fault}");
}

#[test]
fn a_fault_at_any_point_leaves_both_instances_as_they_were_or_finishes() {
    let first = prepared();
    let before = contents(&first);
    let second = both("c.example", "d.example");
    let planned = plan(&first, &second).unwrap();
    let reloaded: BTreeSet<String> = planned
        .steps
        .iter()
        .filter_map(|step| match step {
            murder::plan::Step::Reload { service, .. } => Some(service.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(Vec::from_iter(reloaded), ["postfix", "postfix-out"]);
    let counted = perform(&first, &planned, "count", "count");
    assert_eq!(counted.ending, Ending::Done, "{counted:?}");
    let after = contents(&first);
    assert_ne!(before, after);
    let mut words = counted.log.iter();
    let points: usize = words
        .find_map(|line| line.strip_prefix("points ")?.parse().ok())
        .unwrap();
    // Of one instance, faults.rs tries both at each point. `FAULTS=:` does so here, and `FAULTS=undo` tries those with the word
    // in their name only; else every second point has one of them.
    let word = std::env::var("FAULTS").unwrap_or_default();
    let tries_all = !word.is_empty();
    let kinds = |point: usize| match (tries_all, point % 4) {
        (true, _) => &["kill", "fail"][..],
        (false, 1) => &["kill"],
        (false, 3) => &["fail"],
        (false, _) => &[],
    };
    let names = |point| {
        kinds(point)
            .iter()
            .map(move |kind| format!("{kind}:{point}"))
    };
    let mut faults: Vec<String> = (1..=points).flat_map(names).collect();
    let late = points - 8;
    faults.extend((1..=9).map(|step| format!("fail:{late} undo-kill:{step}")));
    faults.retain(|fault| fault.contains(&word));
    let tried = faults.len();
    let faults = Mutex::new(faults);
    let first = Mutex::new(Some(first));
    std::thread::scope(|scope| {
        for _ in 0..HOSTS {
            scope.spawn(|| {
                let ours = first.lock().unwrap().take();
                let host = ours.unwrap_or_else(prepared);
                loop {
                    let next = faults.lock().unwrap().pop();
                    let Some(fault) = next else { break };
                    survives(&host, &before, &after, &fault);
                }
            });
        }
    });
    println!("{tried} faults at {points} points");
}

#[test]
fn what_instances_name_is_looked_at_without_being_asked_for() {
    let host = host();
    for folder in ["/etc/postfix", "/etc/postfix-out"] {
        host.run(&format!(
            "postconf -c {folder} -e smtp_tls_CAfile=/etc/passwd"
        ));
    }
    let lacking = |desired: &Desired| {
        let asked = questions(desired, &Secrets::default(), None).unwrap();
        let observed = Remote::new(host.shell()).observe(&asked).unwrap();
        let input = DiffInput {
            known: observed.known.as_ref(),
            murder: "example.org",
            desired,
            live: &observed.live,
            secrets: &Secrets::default(),
            hosts: &[],
            keep: murder::history::KEPT,
            rollback: None,
        };
        compare(input).1.is_some()
    };
    for (number, desired) in [wanted(&out(), "b.example"), both("a.example", "b.example")]
        .iter()
        .enumerate()
    {
        assert!(lacking(desired), "nothing was kept yet");
        let planned = plan(&host, desired).unwrap();
        let performed = perform(&host, &planned, &format!("r{number}"), "");
        assert_eq!(performed.ending, Ending::Done, "{performed:?}");
        assert!(!lacking(desired), "asked once more");
    }
}
