//! What a host remembers: ledger, history, the ledger to be, last words, and who holds its lock.

use murder::exchange::HistoryQuestion;
use murder::machine::remote::Remote;
use murder::machine::{Act, Ending, HistoryOrder, LedgerOrder, Look, Observed, Orders, Questions};
use murder::plan::{Run, orders, sweep};

use super::host::Host;
use super::world::{contents, desired, host, look, perform, plan, secrets};
use super::{fingerprint, leftovers};

const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

fn run(id: &str) -> Run {
    Run {
        id: id.to_owned(),
        by: "bob@\"elsewhere\"".to_owned(),
        at: "2026-11-23T12:00:00Z".to_owned(),
    }
}

fn asked(host: &Host, sh: &str, history: HistoryQuestion) -> Observed {
    let questions = Questions {
        history: Some(history),
        ..Questions::default()
    };
    Remote::new(host.shell())
        .with_sh(sh)
        .observe(&questions)
        .unwrap()
}

/// Orders that change nothing but the ledger and the history.
fn remembering(host: &Host, generation: u64, keep: u32, keep_bytes: u64) -> Orders {
    let live = look(host, &desired(false)).live;
    let mut ledger = live.ledger.clone().unwrap();
    ledger.generation = generation;
    let mut orders = sweep(&live, &run(&format!("g{generation}")));
    orders.ledger = LedgerOrder::Write(serde_json::to_vec_pretty(&ledger).unwrap());
    let template = host.read("/var/lib/murder/history/1.json");
    orders.history = Some(HistoryOrder {
        generation,
        bytes: template
            .replacen(
                "\"generation\":1",
                &format!("\"generation\":{generation}"),
                1,
            )
            .into_bytes(),
        keep,
        keep_bytes,
    });
    orders
}

#[test]
fn a_host_keeps_its_newest_generations() {
    let host = host();
    assert_eq!(
        host.run("stat -c '%U %a' /var/lib/murder/history /var/lib/murder/history/1.json"),
        "root 700\nroot 600\n"
    );
    for generation in 2..=5 {
        let orders = remembering(&host, generation, 3, u64::MAX / 2);
        let performed = Remote::new(host.shell()).perform(&orders).unwrap();
        assert_eq!(performed.ending, Ending::Done, "{performed:?}");
        if generation == 2 {
            host.run("cp /var/lib/murder/history/1.json /root/1.json");
        }
        host.run("[ -e /var/lib/murder/history/1.json ] || cp /root/1.json /var/lib/murder/history/1.json");
    }
    let kept = |host: &Host| host.run("ls /var/lib/murder/history | grep -v '^1.json'");
    assert_eq!(kept(&host), "3.json\n4.json\n5.json\n");
    host.run("rm /var/lib/murder/history/1.json");
    for sh in SHELLS {
        let entries = asked(&host, sh, HistoryQuestion::Entries).entries;
        let numbers: Vec<u64> = entries.iter().map(|entry| entry.generation).collect();
        assert_eq!(numbers, [3, 4, 5], "{sh}");
        let observed = asked(&host, sh, HistoryQuestion::Generation(4));
        assert!(observed.entries.is_empty(), "{sh}");
        let generation = observed.generation.unwrap();
        assert_eq!(generation.entry.generation, 4, "{sh}");
        assert!(!generation.snapshot.files.is_empty(), "{sh}");
        assert!(
            asked(&host, sh, HistoryQuestion::Generation(1))
                .generation
                .is_none(),
            "{sh}"
        );
    }
    // By bytes: the newest stays, however large. What no ledger ever came to is no generation.
    host.run("cp /var/lib/murder/history/5.json /var/lib/murder/history/1.json; cp /var/lib/murder/history/5.json /var/lib/murder/history/99.json");
    let performed = Remote::new(host.shell())
        .perform(&remembering(&host, 6, 20, 1))
        .unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(host.run("ls /var/lib/murder/history"), "6.json\n");
    assert_eq!(
        host.run("grep -c Welcome2 /var/lib/murder/history/6.json"),
        "0\n"
    );

    let mut forget = remembering(&host, 7, 20, 1);
    forget.ledger = LedgerOrder::Remove;
    forget.history = None;
    let performed = Remote::new(host.shell()).perform(&forget).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(host.run("ls /var/lib/murder"), "lock\n");
}

#[test]
fn what_a_dead_apply_was_about_survives_an_unlock_and_a_failure() {
    for sh in SHELLS {
        let host = host();
        let second = desired(true);
        let first_plan = plan(&host, &second).unwrap();
        let at = |fault: &str, id: &str| perform(&host, &plan(&host, &second).unwrap(), id, fault);
        // Dies while it commits.
        let Ending::HalfWay(_) = at("kill:22", "dead").ending else {
            panic!("{sh}")
        };
        let live = look(&host, &second).live;
        let pending = live.pending.unwrap();
        assert_eq!(pending.managed, first_plan.ledger.managed, "{sh}");
        assert_eq!(live.journal.unwrap().phase, "committing", "{sh}");
        let lock = live.lock.unwrap();
        assert!(!lock.held && lock.holder.contains("run dead"), "{lock:?}");

        // Unlocking touches no file of anybody, and forgets nothing.
        let live = look(&host, &second).live;
        let before = fingerprint(&host);
        let performed = Remote::new(host.shell())
            .with_sh(sh)
            .perform(&sweep(&live, &run("sweep")))
            .unwrap();
        assert_eq!(performed.ending, Ending::Done, "{sh}: {performed:?}");
        let old = |name: &str| name.contains(".murder.");
        let rest = |all: std::collections::BTreeMap<String, String>| -> Vec<_> {
            all.into_iter().filter(|(name, _)| !old(name)).collect()
        };
        assert_eq!(rest(fingerprint(&host)), rest(before), "{sh}");
        let live = look(&host, &second).live;
        assert_eq!(live.pending.unwrap().managed, pending.managed, "{sh}");
        assert_eq!(live.journal.unwrap().run, "dead", "{sh}");

        // An apply that fails leaves it as unfinished as it was; one that dies early adds to it.
        let failed = at("fail:12", "failing").ending;
        assert!(matches!(failed, Ending::Untouched(_)), "{sh}: {failed:?}");
        let live = look(&host, &second).live;
        assert_eq!(live.journal.unwrap().run, "dead", "{sh}");
        assert_eq!(live.pending.unwrap().managed, pending.managed, "{sh}");
        let Ending::HalfWay(_) = at("kill:9", "again").ending else {
            panic!("{sh}")
        };
        let live = look(&host, &second).live;
        assert_eq!(live.journal.unwrap().phase, "committing", "{sh}");
        let known = live.pending.unwrap().managed;
        for thing in pending.managed.keys() {
            assert!(known.contains_key(thing), "{sh}: {thing}");
        }
        let done = at("", "last").ending;
        assert_eq!(done, Ending::Done, "{sh}");
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{sh}");
        let live = look(&host, &second).live;
        assert!(live.pending.is_none() && live.journal.is_none(), "{sh}");
    }
}

#[test]
fn the_lock_says_who_holds_it() {
    let host = host();
    assert!(!look(&host, &desired(false)).live.lock.unwrap().held);
    // An apply that takes its time: its `postfix check` waits.
    host.run("cd /usr/sbin; mv postfix postfix.real; printf '#!/bin/sh\\n[ \"$3\" != check ] || while [ ! -e /root/go ]; do sleep 0.1; done\\nexec /usr/sbin/postfix.real \"$@\"\\n' >postfix; chmod 755 postfix");
    let second = desired(true);
    let slow = plan(&host, &second).unwrap();
    let other = orders(&slow, &secrets(), &run("r2"), false).unwrap();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| perform(&host, &slow, "slow", ""));
        let seen = loop {
            let live = look(&host, &second).live;
            let at_work = |remark: &murder::state::Remark| remark.text.contains("is at work since");
            if live.remarks.iter().any(at_work) && live.journal.is_some() {
                break live;
            }
        };
        let lock = seen.lock.unwrap();
        let process = lock.process.unwrap();
        assert!(
            lock.holder
                .starts_with("by ann@desk since 2026-11-23T00:00:00Z (run slow"),
            "{lock:?}"
        );
        assert!(
            host.run(&format!("tr '\\0' ' ' </proc/{process}/cmdline"))
                .contains("/var/lib/murder/spool.slow"),
            "{lock:?}"
        );
        assert!(seen.pending.is_none());
        assert_eq!(seen.journal.unwrap().run, "slow");
        for sh in SHELLS {
            let performed = Remote::new(host.shell())
                .with_sh(sh)
                .perform(&other)
                .unwrap();
            let Ending::Locked(failure) = performed.ending else {
                panic!("{sh}: {performed:?}")
            };
            assert!(
                failure.summary.contains(&format!(
                    "by ann@desk since 2026-11-23T00:00:00Z (run slow, process {process})"
                )),
                "{sh}: {failure:?}"
            );
        }
        host.run("touch /root/go");
        assert_eq!(slow.join().unwrap().ending, Ending::Done);
    });
    assert!(!look(&host, &second).live.lock.unwrap().held);
    assert_eq!(leftovers(&host), Vec::<String>::new());
}

#[test]
fn a_result_that_nobody_heard_is_told_by_the_next_look() {
    let host = host();
    let (first, second) = (desired(false), desired(true));
    let remarks = |host: &Host| -> Vec<String> {
        let live = look(host, &first).live;
        live.remarks.into_iter().map(|remark| remark.text).collect()
    };
    let before = contents(&host);
    // Put back: told even though the pipe took it, for nobody knows who hears at its other end.
    let performed = perform(&host, &plan(&host, &second).unwrap(), "r1", "fail:40");
    assert!(
        matches!(performed.ending, Ending::PutBack(_)),
        "{performed:?}"
    );
    assert_eq!(contents(&host), before);
    let said = remarks(&host);
    assert!(
        said.iter().any(|text| text.contains(
            "the apply by ann@desk at 2026-11-23T00:00:00Z failed: a fault was injected at point 40"
        )),
        "{said:?}"
    );
    // A run that changes nothing does not take it away; one that is done does.
    let performed = perform(&host, &plan(&host, &second).unwrap(), "r2", "fail:3");
    assert!(
        matches!(performed.ending, Ending::Untouched(_)),
        "{performed:?}"
    );
    assert_eq!(remarks(&host), said);
    // Done, with nobody at the other end of the pipe: the client is gone as soon as the payload is taken.
    let prepared = orders(
        &plan(&host, &second).unwrap(),
        &secrets(),
        &run("r3"),
        false,
    )
    .unwrap();
    let deaf = Remote::new(host.deaf()).perform(&prepared);
    assert!(deaf.is_err(), "{deaf:?}");
    host.run("for i in $(seq 600); do grep -qs '^ending done' /var/lib/murder/last && break; sleep 0.1; done");
    let said = remarks(&host);
    assert!(said.iter().any(|text| text.contains("the apply by bob@\"elsewhere\" at 2026-11-23T12:00:00Z was finished; its client went away")), "{said:?}");
    assert!(plan(&host, &second).is_none());
    let performed = perform(&host, &plan(&host, &first).unwrap(), "r4", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(remarks(&host), Vec::<String>::new());
}
