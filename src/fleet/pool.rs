//! Hosts side by side on a bounded number of threads.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use super::Stop;
use crate::name::HostName;

/// Something happened on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where.
    pub host: HostName,
    /// What.
    pub said: Said,
}

/// What there is to say while the work goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Its turn has come.
    Began,
    /// What it is at: `connecting`, `observing`.
    At(String),
    /// Its turn is over.
    Ended,
}

/// Why there is no result of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRun {
    /// A stop was wished before its turn.
    Stopped,
    /// Its work panicked: a fault of `murder`, and that host's alone.
    Panicked(String),
    /// No thread could be had.
    NoThread(String),
}

/// Does `work` for each host on at most `parallel` threads, and gives the results in the order
/// of the hosts' names. `on_event` runs on the calling thread, in the order of arrival. Once a stop
/// is wished no further host begins; those that began are waited for.
pub fn run<T, W>(
    hosts: &[HostName],
    parallel: usize,
    stop: &Stop,
    work: W,
    mut on_event: impl FnMut(Event),
) -> BTreeMap<HostName, Result<T, NotRun>>
where
    T: Send,
    W: Fn(&HostName, &dyn Fn(&str)) -> T + Sync,
{
    let waiting = Mutex::new(hosts.iter());
    let results = Mutex::new(BTreeMap::new());
    let (sender, events) = channel::<Event>();
    let mut no_thread = None;
    let worker = |sender: Sender<Event>| {
        while !stop.is_wished() {
            let next = lock(&waiting).next();
            let Some(host) = next else { break };
            let result = one(host, &work, &sender);
            lock(&results).insert(host.clone(), result);
        }
    };
    std::thread::scope(|scope| {
        for number in 0..parallel.max(1).min(hosts.len()) {
            let sender = sender.clone();
            let worker = &worker;
            let thread = std::thread::Builder::new()
                .name(format!("host-{number}"))
                .spawn_scoped(scope, move || worker(sender));
            if let Err(error) = thread {
                // Fewer threads do the same work, only later.
                no_thread = Some(error.to_string());
                break;
            }
        }
        drop(sender);
        events.into_iter().for_each(&mut on_event);
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    for host in hosts {
        results.entry(host.clone()).or_insert_with(|| {
            Err(match &no_thread {
                Some(error) if !stop.is_wished() => NotRun::NoThread(error.clone()),
                _ => NotRun::Stopped,
            })
        });
    }
    results
}

/// One host's turn; a panic ends it and nothing else.
fn one<T>(
    host: &HostName,
    work: &(impl Fn(&HostName, &dyn Fn(&str)) -> T + Sync),
    sender: &Sender<Event>,
) -> Result<T, NotRun> {
    let say = |said: Said| {
        // Nobody listens any more only while the whole run is being torn down.
        let _ = sender.send(Event {
            host: host.clone(),
            said,
        });
    };
    say(Said::Began);
    // What the closure leaves behind when it panics is that host's, which is given up.
    let result = catch_unwind(AssertUnwindSafe(|| {
        work(host, &|words| say(Said::At(words.to_owned())))
    }));
    say(Said::Ended);
    result.map_err(|panic| {
        let words = panic
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        NotRun::Panicked(words.unwrap_or_else(|| "a panic without words".to_owned()))
    })
}

/// No work runs under these locks, so a poisoned one still holds whole data.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
