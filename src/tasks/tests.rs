//! Tasks by turns.

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::*;

const LONG: Duration = Duration::from_secs(600);

fn soon(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

/// Drives these, all at once.
fn all(tasks: Vec<Task<'_, ()>>) {
    let mut tasks = tasks.into_iter();
    drive(tasks.len(), || tasks.next());
}

#[test]
fn one_that_waits_for_ever_delays_nobody() {
    let (dead, _peer) = UnixStream::pair().unwrap();
    let (live, mut peer) = UnixStream::pair().unwrap();
    let (dead, live) = (Arc::new(dead), Arc::new(live));
    let ended = RefCell::new(Vec::new());
    all(vec![
        Box::pin(async {
            ready(&dead, PollFlags::IN, soon(200)).await;
            ended.borrow_mut().push("dead");
        }),
        Box::pin(async {
            ready(&live, PollFlags::IN, Instant::now() + LONG).await;
            ended.borrow_mut().push("live");
        }),
        Box::pin(async {
            sleep_until(soon(20)).await;
            peer.write_all(b"x").unwrap();
            ended.borrow_mut().push("slept");
        }),
    ]);
    assert_eq!(ended.into_inner(), ["slept", "live", "dead"]);
}

#[test]
fn no_more_than_allowed_at_once_and_all_in_the_end() {
    let (now, most, done) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let mut left = 20;
    drive(3, || {
        left -= 1;
        let task: Task<'_, ()> = Box::pin(async {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            sleep_until(soon(2)).await;
            now.set(now.get() - 1);
            done.set(done.get() + 1);
        });
        (left >= 0).then_some(task)
    });
    assert_eq!((most.get(), done.get()), (3, 20));
}

#[test]
fn what_blocks_is_done_elsewhere_and_rings_when_done() {
    let (sender, receiver) = channel();
    let here = std::thread::current().id();
    let ended = RefCell::new(Vec::new());
    all(vec![
        Box::pin(async {
            // It ends only once the other task has had its turn.
            let other = elsewhere(move || {
                receiver.recv_timeout(LONG).unwrap();
                std::thread::current().id()
            });
            assert_ne!(other.await, here);
            ended.borrow_mut().push("elsewhere");
        }),
        Box::pin(async {
            sender.send(()).unwrap();
            ended.borrow_mut().push("here");
        }),
    ]);
    assert_eq!(ended.into_inner(), ["here", "elsewhere"]);
}

#[test]
fn who_is_alone_needs_no_other_thread() {
    let here = std::thread::current().id();
    let there = block_on(elsewhere(|| std::thread::current().id()));
    assert_eq!(here, there);
    let mut once = Some(());
    drive(1, || {
        once.take()?;
        Some(Box::pin(async move {
            assert_eq!(elsewhere(|| std::thread::current().id()).await, here);
        }))
    });
}

#[test]
#[should_panic(expected = "boom")]
fn a_panic_elsewhere_is_the_tasks() {
    all(vec![
        Box::pin(elsewhere(|| panic!("boom"))),
        Box::pin(sleep_until(soon(1))),
    ]);
}

#[test]
fn a_blocking_call_within_a_task_leaves_its_driver_as_it_was() {
    let count = Cell::new(0);
    let nested = || -> Task<'_, ()> {
        Box::pin(async {
            block_on(sleep_until(soon(5)));
            sleep_until(soon(5)).await;
            count.set(count.get() + 1);
        })
    };
    all(vec![nested(), nested()]);
    assert_eq!(count.get(), 2);
}
