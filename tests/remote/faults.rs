//! A fault before and after every single step: the host stands as it was or as it shall be, or its
//! unfinished work is seen, and the next apply ends with the same bytes as one without a fault.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use murder::machine::{Ending, NotDone, Performed};
use murder::state::Running;

use super::host::Host;
use super::leftovers;
use super::world::{PASSWORD, contents, desired, host, look, perform, plan};

/// Hosts at work side by side.
const HOSTS: usize = 3;

/// What an apply without a fault makes of the host, and what it began with.
struct Expected {
    before: String,
    after: String,
    /// The first state's tables, by what they say.
    tables: String,
}

fn tables(host: &Host) -> String {
    host.run("cd /etc/postfix; sha256sum transport old given found murder/secret.cf new; for i in *.db; do echo $i; postmap -s hash:${i%.db} | sort; done; postconf -h transport_maps maximal_queue_lifetime; postconf -M lmtp/unix")
}

fn keep(host: &Host) {
    host.run(
        "mkdir /root/keep; cp -a /etc/postfix /root/keep/etc; cp -a /var/lib/murder /root/keep/lib",
    );
}

fn reset(host: &Host) {
    host.run("find /etc/postfix /var/lib/murder -mindepth 1 -delete; cp -a /root/keep/etc/. /etc/postfix/; cp -a /root/keep/lib/. /var/lib/murder/");
}

fn points(performed: &Performed) -> usize {
    let words = performed.log.iter();
    words
        .filter_map(|line| line.strip_prefix("points "))
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

fn readable(host: &Host, fault: &str) {
    assert_eq!(host.run("postconf -n 2>&1 >/dev/null; for i in transport old new; do [ ! -e /etc/postfix/$i.db ] || postmap -s hash:/etc/postfix/$i 2>&1 >/dev/null; done"), "", "{fault}");
    // Whenever it ended: nothing secret is open to the world, staged, kept or spooled.
    assert_eq!(host.run(&format!("find /var/lib/murder -type f -perm /007; grep -rlF {PASSWORD} /etc/postfix | while read -r f; do find $f -perm /007; done")), "", "{fault}");
    assert_eq!(
        host.run("flock -n /var/lib/murder/lock echo free"),
        "free\n",
        "{fault}"
    );
}

/// One fault, and what follows from it.
fn survives(host: &Host, expected: &Expected, fault: &str) {
    reset(host);
    let second = desired(true);
    let performed = perform(host, &plan(host, &second).unwrap(), "r1", fault);
    readable(host, fault);
    match performed.ending {
        Ending::NotDone(NotDone::Untouched { .. }) | Ending::NotDone(NotDone::PutBack { .. }) => {
            assert_eq!(contents(host), expected.before, "{fault}");
            assert_eq!(leftovers(host), Vec::<String>::new(), "{fault}");
            return;
        }
        // Once the ledger is written, what is done is done.
        Ending::Done => {
            assert_eq!(contents(host), expected.after, "{fault}");
            assert_eq!(leftovers(host), Vec::<String>::new(), "{fault}");
            return;
        }
        Ending::NotDone(NotDone::HalfWay { error: failure }) => {
            // Where putting back failed, a person runs the commands that the report has.
            if let Some(commands) = failure
                .hint
                .as_deref()
                .and_then(|hint| hint.strip_prefix("run there as root: "))
            {
                host.run(commands);
                assert_eq!(contents(host), expected.before, "{fault}: {commands}");
            }
        }
        other => panic!("{fault}: {other:?}"),
    }
    // Killed, or put back in part. Where it had begun, the next look sees it, and what it was about.
    let begun = !host
        .run("ls /var/lib/murder/journal.json 2>/dev/null")
        .is_empty();
    let live = look(host, &second).live;
    assert_eq!(live.postfix().unwrap().running, Running::Yes, "{fault}");
    assert_eq!(live.journal.is_some(), begun, "{fault}");
    if begun {
        let finished = live
            .journal
            .is_some_and(|journal| journal.phase == "finished");
        let written = live.ledger.is_some_and(|ledger| ledger.generation == 2);
        assert_eq!(live.pending.is_none(), finished || written, "{fault}");
        if finished || written {
            let paths = host.read("/var/lib/murder/paths")
                + &host.run("cat /var/lib/murder/pending.*.paths");
            assert!(paths.contains("/etc/postfix/new"), "{fault}: {paths}");
        }
    } else if contents(host) != expected.after {
        assert_eq!(contents(host), expected.before, "{fault}");
    }
    // Whoever has changed his mind by now gets the old state back. Not at every point: it costs
    // as much as all the rest.
    let between = contents(host);
    let back = host.run("mkdir -p /root/back; rm -rf /root/back/*; cp -a /etc/postfix /root/back/etc; cp -a /var/lib/murder /root/back/lib");
    assert_eq!(back, "");
    if let Some(plan) = plan(host, &second) {
        let again = perform(host, &plan, "r2", "");
        assert_eq!(again.ending, Ending::Done, "{fault}: {again:?}");
    }
    assert_eq!(contents(host), expected.after, "{fault}");
    assert_eq!(leftovers(host), Vec::<String>::new(), "{fault}");
    assert!(plan(host, &second).is_none(), "{fault}");
    let every_other = fault.ends_with(['0', '2', '4', '6', '8']);
    if every_other && ![&expected.before, &expected.after].contains(&&between) {
        host.run("find /etc/postfix /var/lib/murder -mindepth 1 -delete; cp -a /root/back/etc/. /etc/postfix/; cp -a /root/back/lib/. /var/lib/murder/");
        let first = desired(false);
        if let Some(plan) = plan(host, &first) {
            let again = perform(host, &plan, "r3", "");
            assert_eq!(again.ending, Ending::Done, "{fault}, and back: {again:?}");
        }
        assert!(plan(host, &first).is_none(), "{fault}, and back");
        assert_eq!(tables(host), expected.tables, "{fault}, and back");
        assert_eq!(leftovers(host), Vec::<String>::new(), "{fault}, and back");
    }
}

#[test]
fn a_fault_at_any_point_leaves_the_old_or_finishes_the_new() {
    let started = std::time::Instant::now();
    let first = host();
    keep(&first);
    let (before, tables) = (contents(&first), tables(&first));
    let second = desired(true);
    let counted = perform(&first, &plan(&first, &second).unwrap(), "r0", "count");
    assert_eq!(counted.ending, Ending::Done, "{counted:?}");
    let expected = Expected {
        before,
        after: contents(&first),
        tables,
    };
    let points = points(&counted);
    assert!(points > 50, "{points}");
    let mut faults: Vec<String> = (1..=points)
        .flat_map(|point| [format!("kill:{point}"), format!("fail:{point}")])
        .collect();
    // The last step fails, and then putting back is killed, or fails, at each of its steps.
    let late = points - 8;
    let undone = (1..=9).flat_map(|step| {
        [
            format!("fail:{late} undo-kill:{step}"),
            format!("fail:{late} undo-fail:{step}"),
        ]
    });
    faults.extend(undone);
    // `FAULTS=undo` tries those with the word in their name only.
    let word = std::env::var("FAULTS").unwrap_or_default();
    faults.retain(|fault| fault.contains(&word));
    faults.reverse();
    let faults = Mutex::new(faults);
    let tried = AtomicUsize::new(0);
    let times: Mutex<BTreeMap<u128, String>> = Mutex::new(BTreeMap::new());
    let first = Mutex::new(Some(first));
    std::thread::scope(|scope| {
        for _ in 0..HOSTS {
            scope.spawn(|| {
                let ours = first.lock().unwrap().take();
                let host = ours.unwrap_or_else(|| {
                    let host = host();
                    keep(&host);
                    host
                });
                loop {
                    let Some(fault) = faults.lock().unwrap().pop() else {
                        break;
                    };
                    let begun = std::time::Instant::now();
                    survives(&host, &expected, &fault);
                    tried.fetch_add(1, Ordering::Relaxed);
                    times
                        .lock()
                        .unwrap()
                        .insert(begun.elapsed().as_millis(), fault);
                }
            });
        }
    });
    let tried = tried.into_inner();
    println!(
        "{tried} faults at {points} points, each survived, in {} s",
        started.elapsed().as_secs()
    );
    for (time, fault) in times.lock().unwrap().iter().rev().take(5) {
        println!("{time} ms: {fault}");
    }
}
