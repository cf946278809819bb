//! Fleets of fake hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

use async_io::Timer;

use super::*;
use crate::model::Rollout;
use crate::name::{HostName, RoleName};

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn hosts(names: &str) -> Vec<HostName> {
    names.split_whitespace().map(host).collect()
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

fn after() -> BTreeMap<RoleName, Vec<RoleName>> {
    BTreeMap::from([
        (role("backend"), vec![]),
        (role("internal-mta"), vec![role("backend")]),
        (role("internet-mta"), vec![role("internal-mta")]),
    ])
}

fn place(roles: &[&str], phase: Phase) -> TurnOrder {
    TurnOrder {
        roles: roles.iter().map(|name| role(name)).collect(),
        retired: false,
        phase,
    }
}

#[test]
fn results_come_by_name_and_no_more_threads_work_than_allowed() {
    let all: Vec<HostName> = (0..40).rev().map(|n| host(&format!("h{n:02}"))).collect();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // No host passes before four have come, so fewer threads than allowed would hang here.
    let four = Barrier::new(4);
    let mut events = Vec::new();
    let results = run(
        &all,
        4,
        &Stop::new(),
        |host, say| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            say("working");
            four.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            host.to_string()
        },
        |event| events.push(event),
    );
    assert_eq!(most.load(Ordering::SeqCst), 4);
    assert_eq!(results.len(), 40);
    assert!(
        results
            .iter()
            .all(|(host, result)| *result == Ok(host.to_string()))
    );
    assert_eq!(events.len(), 3 * 40, "began, at, ended");
}

#[test]
fn a_panic_is_one_hosts_failure_and_shows_no_value() {
    let results = run(
        &hosts("a b c d"),
        2,
        &Stop::new(),
        |host, _| match host.as_str() {
            "b" => panic!("boom"),
            "d" => panic!("boom at {host}"),
            _ => {}
        },
        |_| {},
    );
    assert_eq!(results[&host("a")], Ok(()));
    assert_eq!(results[&host("c")], Ok(()));
    assert_eq!(
        results[&host("b")],
        Err(NotRun::Panicked("boom".to_owned()))
    );
    let Err(NotRun::Panicked(words)) = &results[&host("d")] else {
        panic!("{results:?}");
    };
    assert!(
        words.contains("may hold a secret") && !words.contains("boom"),
        "{words}"
    );
}

#[test]
fn few_threads_drive_many_hosts_but_no_more_at_once_than_allowed() {
    let all: Vec<HostName> = (0..40).map(|n| host(&format!("h{n:02}"))).collect();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let threads = Mutex::new(BTreeSet::new());
    let (now, most, threads) = (&now, &most, &threads);
    for listens in [false, true] {
        let mut events = 0;
        let mut count = |_| events += 1;
        let results = run_tasks(
            &all,
            Width {
                parallel: 7,
                threads: 2,
            },
            &Stop::new(),
            |host, say| {
                Box::pin(async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let thread = format!("{:?}", std::thread::current().id());
                    threads.lock().unwrap().insert(thread);
                    say.at("working");
                    Timer::after(Duration::from_millis(5)).await;
                    assert_ne!(host.as_str(), "h20", "boom");
                    now.fetch_sub(1, Ordering::SeqCst);
                    host.to_string()
                })
            },
            listens.then_some(&mut count),
        );
        assert_eq!(results.len(), 40);
        for (host, result) in &results {
            match result {
                Err(NotRun::Panicked(_)) => assert_eq!(host.as_str(), "h20"),
                result => assert_eq!(result, &Ok(host.to_string())),
            }
        }
        // What panicked has not counted itself out.
        assert_eq!(now.swap(0, Ordering::SeqCst), 1);
        assert!(most.swap(0, Ordering::SeqCst) <= 8);
        assert!(std::mem::take(&mut *threads.lock().unwrap()).len() <= 2);
        assert_eq!(events, if listens { 3 * 40 } else { 0 });
    }
}

#[test]
fn a_stop_lets_hosts_in_flight_finish_and_begins_no_other() {
    let stop = Stop::new();
    let results = run(
        &hosts("a b c d"),
        1,
        &stop,
        |host, _| {
            if host.as_str() == "b" {
                stop.request();
            }
        },
        |_| {},
    );
    assert_eq!(results[&host("b")], Ok(()), "it was in flight");
    assert_eq!(results[&host("c")], Err(NotRun::Stopped));
    assert_eq!(results[&host("d")], Err(NotRun::Stopped));
}

#[test]
fn a_stop_ends_a_pause() {
    let stop = Stop::new();
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| stop.sleep(Duration::from_secs(600)));
        stop.request();
    });
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn additions_go_inwards_first_and_removals_the_other_way() {
    let mut places = BTreeMap::from([
        (host("mx"), place(&["internet-mta"], Phase::Adds)),
        (host("smtp"), place(&["internal-mta"], Phase::Adds)),
        (host("b1"), place(&["backend"], Phase::Adds)),
        (host("b2"), place(&["backend"], Phase::Adds)),
        (host("b3"), place(&["backend"], Phase::Removes)),
        (host("mx2"), place(&["internet-mta"], Phase::Removes)),
        (
            host("both"),
            place(&["backend", "internal-mta"], Phase::Adds),
        ),
        (host("old"), place(&["internet-mta"], Phase::Removes)),
    ]);
    places.get_mut("old").unwrap().retired = true;
    let waves: Vec<(Phase, String)> = waves(&places, &after())
        .into_iter()
        .map(|wave| {
            let names: Vec<&str> = wave.hosts.iter().map(HostName::as_str).collect();
            (wave.phase, names.join(" "))
        })
        .collect();
    let waves: Vec<(Phase, &str)> = waves
        .iter()
        .map(|(phase, names)| (*phase, &**names))
        .collect();
    assert_eq!(
        waves,
        [
            (Phase::Adds, "b1 b2"),
            (Phase::Adds, "both smtp"),
            (Phase::Adds, "mx"),
            (Phase::Removes, "mx2"),
            (Phase::Removes, "b3"),
            (Phase::Removes, "old"),
        ]
    );
}

#[test]
fn roles_in_a_circle_still_have_their_turn() {
    let after = BTreeMap::from([
        (role("a"), vec![role("b")]),
        (role("b"), vec![role("a")]),
        (role("c"), vec![]),
    ]);
    let ranks = ranks(&after);
    assert_eq!(ranks[&role("c")], 0);
    assert_eq!((ranks[&role("a")], ranks[&role("b")]), (1, 1));
}

fn batch_names(batches: &[Batch]) -> Vec<String> {
    batches
        .iter()
        .map(|batch| {
            let names: Vec<&str> = batch.hosts.iter().map(HostName::as_str).collect();
            format!("{} +{}s", names.join(" "), batch.pause.as_secs())
        })
        .collect()
}

#[test]
fn a_rollout_cuts_its_roles_hosts_into_canaries_and_batches() {
    let wave = Wave {
        hosts: hosts("b1 b2 b3 b4 b5 f1 f2"),
        phase: Phase::Adds,
    };
    let roles: BTreeMap<HostName, Vec<RoleName>> = wave
        .hosts
        .iter()
        .map(|host| {
            let name = if host.as_str().starts_with('b') {
                "backend"
            } else {
                "frontend"
            };
            (host.clone(), vec![role(name)])
        })
        .collect();
    let rollout = BTreeMap::from([(
        role("backend"),
        Rollout {
            serial: Some(2),
            pause: Duration::from_secs(60),
            canary: Some(1),
            max_deferred: None,
        },
    )]);
    assert_eq!(
        batch_names(&batches(
            std::slice::from_ref(&wave),
            &roles,
            &rollout,
            None
        )),
        ["f1 f2 +0s", "b1 +60s", "b2 b3 +60s", "b4 b5 +0s"]
    );
    assert_eq!(
        batch_names(&batches(&[wave], &roles, &BTreeMap::new(), Some(2))),
        ["b1 b2 +0s", "b3 b4 b5 f1 f2 +0s"],
        "the command line's canaries need no rollout"
    );
}

fn one_wave_each(names: &[&str]) -> Vec<Batch> {
    names
        .iter()
        .map(|names| Batch {
            hosts: hosts(names),
            phase: Phase::Adds,
            pause: Duration::ZERO,
        })
        .collect()
}

/// Rolls with the hosts named in `bad` failing; which hosts had their turn.
fn rolled(
    bad: &str,
    max_fail: usize,
    stop_at: &str,
) -> (Vec<String>, BTreeMap<HostName, Result<bool, NotRun>>) {
    let ran = Mutex::new(Vec::new());
    let stop = Stop::new();
    let fates = roll(
        &one_wave_each(&["a b c", "d e", "f"]),
        Limits {
            parallel: 1,
            max_fail,
        },
        &stop,
        |host, _| {
            ran.lock().unwrap().push(host.to_string());
            if host.as_str() == stop_at {
                stop.request();
            }
            assert_ne!(host.as_str(), "e", "a fault of ours");
            bad.contains(host.as_str())
        },
        |failed| *failed,
        |turns| {
            let held = turns.len() == 5 && bad == "HOLD";
            held.then(|| NotRun::Held(vec!["mail waits".to_owned()]))
        },
        |_| {},
    );
    (ran.into_inner().unwrap(), fates)
}

#[test]
fn a_failure_stops_later_waves_and_not_its_own() {
    let (ran, fates) = rolled("a", 0, "");
    assert_eq!(ran, ["a", "b", "c"]);
    assert_eq!(fates[&host("d")], Err(NotRun::Failures));
    assert_eq!(fates[&host("f")], Err(NotRun::Failures));
}

#[test]
fn max_fail_allows_some_and_a_fault_of_ours_counts() {
    let (ran, fates) = rolled("a", 1, "");
    assert_eq!(ran, ["a", "b", "c", "d", "e"]);
    assert!(matches!(fates[&host("e")], Err(NotRun::Panicked(_))));
    assert_eq!(fates[&host("f")], Err(NotRun::Failures));
    let (ran, _) = rolled("a", 2, "");
    assert_eq!(ran.last().unwrap(), "f");
}

#[test]
fn a_stop_holds_the_rest_of_its_wave_and_all_later_ones() {
    let (ran, fates) = rolled("", 0, "b");
    assert_eq!(ran, ["a", "b"]);
    for name in ["c", "d", "e", "f"] {
        assert_eq!(fates[&host(name)], Err(NotRun::Stopped), "{name}");
    }
}

#[test]
fn the_caller_may_hold_later_waves_and_is_asked_between_them() {
    let (ran, fates) = rolled("HOLD", 1, "");
    assert_eq!(ran, ["a", "b", "c", "d", "e"]);
    let held = NotRun::Held(vec!["mail waits".to_owned()]);
    assert_eq!(fates[&host("f")], Err(held));
}
