//! Fleets of fake hosts.

use async_io::Timer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

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

fn place(roles: &[&str], phase: Phase) -> Place {
    Place {
        roles: roles.iter().map(|name| role(name)).collect(),
        retired: false,
        phase,
    }
}

#[test]
fn results_come_by_name_and_no_more_threads_work_than_allowed() {
    let all: Vec<HostName> = (0..40).rev().map(|n| host(&format!("h{n:02}"))).collect();
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    // Nobody passes before four have come, so fewer threads than allowed would hang here.
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
fn a_panic_is_one_hosts_failure() {
    let results = run(
        &hosts("a b c"),
        2,
        &Stop::new(),
        |host, _| assert_ne!(host.as_str(), "b", "boom"),
        |_| {},
    );
    assert_eq!(results[&host("a")], Ok(()));
    assert_eq!(results[&host("c")], Ok(()));
    let Err(NotRun::Panicked(words)) = &results[&host("b")] else {
        panic!("{results:?}");
    };
    assert!(words.contains("boom"), "{words}");
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
