//! Runs work for many hosts in parallel, with limits on hosts and threads.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use async_executor::LocalExecutor;
use async_io::block_on;

use super::{Stop, panic_words};
use crate::name::HostName;
use crate::task::Task;

/// Something happened on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where.
    pub host: HostName,
    /// What.
    pub said: EventKind,
}

/// What an event reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
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
    /// A stop was requested before its turn.
    Stopped,
    /// Too many hosts failed before its turn.
    Failures,
    /// The caller let no further batch begin: why, a clause for each cause.
    Held(Vec<String>),
    /// Its work panicked: a bug of `murder`. Other hosts are not affected.
    Panicked(String),
    /// No thread could be started.
    NoThread(String),
}

/// How many hosts at once, and on how many threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Width {
    /// Hosts at once.
    pub parallel: usize,
    /// Threads that run the work; as many as hosts if the work blocks its thread.
    pub threads: usize,
}

/// Sends the events of one host.
#[derive(Debug, Clone)]
pub struct Say<'a> {
    host: &'a HostName,
    sender: Option<Sender<Event>>,
}

impl Say<'_> {
    /// Reports what the host is doing now.
    pub fn at(&self, words: &str) {
        if self.sender.is_some() {
            self.say(EventKind::At(words.to_owned()));
        }
    }

    fn say(&self, said: EventKind) {
        let Some(sender) = &self.sender else { return };
        // The receiver is gone only while the whole run ends.
        let _ = sender.send(Event {
            host: self.host.clone(),
            said,
        });
    }
}

/// Does `work` for each host on at most `parallel` threads, and gives the results in the order
/// of the hosts' names. `on_event` runs on the calling thread, in the order of arrival. After a stop
/// is requested, no further host begins, and the function waits for those that began.
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
    let work = &work;
    let width = Width {
        parallel,
        threads: parallel,
    };
    run_tasks(
        hosts,
        width,
        stop,
        |host, say| Box::pin(async move { work(host, &|words| say.at(words)) }),
        Some(&mut on_event),
    )
}

/// The same for work that waits: each thread runs its share of the hosts at once. Without `on_event`, the calling
/// thread is one of these.
pub fn run_tasks<'a, T, W>(
    hosts: &'a [HostName],
    width: Width,
    stop: &Stop,
    work: W,
    on_event: Option<&mut dyn FnMut(Event)>,
) -> BTreeMap<HostName, Result<T, NotRun>>
where
    T: Send + 'a,
    W: Fn(&'a HostName, Say<'a>) -> Task<'a, T> + Sync,
{
    let waiting = Mutex::new(hosts.iter());
    let results = Mutex::new(BTreeMap::new());
    let (sender, events) = channel::<Event>();
    let sender = on_event.is_some().then_some(sender);
    let mut no_thread = None;
    let at_once = width.parallel.min(hosts.len()).max(1);
    let threads = width.threads.clamp(1, at_once);
    let driver = |number: usize, sender: Option<Sender<Event>>| {
        let share = at_once / threads + usize::from(number < at_once % threads);
        let next = || match stop.is_requested() {
            true => None,
            false => lock(&waiting).next(),
        };
        let hosts_in_turn = || async {
            while let Some(host) = next() {
                let result = one(host, &work, sender.clone()).await;
                lock(&results).insert(host.clone(), result);
            }
        };
        side_by_side(share, hosts_in_turn);
    };
    std::thread::scope(|scope| {
        let first = usize::from(on_event.is_none());
        for number in first..threads {
            let sender = sender.clone();
            let driver = &driver;
            let thread = std::thread::Builder::new()
                .name(format!("hosts-{number}"))
                .spawn_scoped(scope, move || driver(number, sender));
            if let Err(error) = thread {
                // The remaining threads do all the work.
                no_thread = Some(error.to_string());
                break;
            }
        }
        drop(sender);
        match on_event {
            Some(on_event) => events.into_iter().for_each(on_event),
            None => driver(0, None),
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let no_thread = no_thread.filter(|_| !stop.is_requested());
    let why = no_thread.map_or(NotRun::Stopped, NotRun::NoThread);
    for host in hosts {
        results.entry(host.clone()).or_insert(Err(why.clone()));
    }
    results
}

/// Runs `count` futures on this thread at once, until all have ended.
fn side_by_side<F: Future<Output = ()>>(count: usize, future: impl Fn() -> F) {
    let executor = LocalExecutor::new();
    let tasks: Vec<_> = (0..count).map(|_| executor.spawn(future())).collect();
    block_on(executor.run(async {
        for task in tasks {
            task.await;
        }
    }));
}

/// Runs the work of one host; a panic ends only this host.
async fn one<'a, T>(
    host: &'a HostName,
    work: &(impl Fn(&'a HostName, Say<'a>) -> Task<'a, T> + Sync),
    sender: Option<Sender<Event>>,
) -> Result<T, NotRun> {
    let say = Say { host, sender };
    say.say(EventKind::Began);
    let mut task = None;
    // After a panic only the state of this host may be inconsistent, and it is not used again.
    let result = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let task = task.get_or_insert_with(|| work(host, say.clone()));
            task.as_mut().poll(context)
        }));
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await;
    say.say(EventKind::Ended);
    result.map_err(|panic| {
        let words = panic_words(&*panic);
        NotRun::Panicked(
            words
                .unwrap_or("a panic, whose text is not shown, as it may hold a secret")
                .to_owned(),
        )
    })
}

/// No work runs under these locks, so the data of a poisoned one is consistent.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
