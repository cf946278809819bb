//! Who polls tasks: one at a time until it is done, or many by turns.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Task, Wait, asked, with_alone};

/// Does one piece of work, and waits for it.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = with_alone(true, || work.as_mut().poll(&mut context)) {
            return done;
        }
        match asked() {
            Some(wait) => block(&wait),
            None => std::thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block(wait: &Wait) {
    let patience = wait.until.saturating_duration_since(Instant::now());
    match &wait.fd {
        None => std::thread::sleep(patience),
        Some((fd, flags)) => {
            let mut fds = [PollFd::from_borrowed_fd(fd.as_fd(), *flags)];
            sleep(&mut fds, Some(patience));
        }
    }
}

/// Polls once. An interrupted poll is an early return, which every loop bears; a broken one shows at the next
/// read.
fn sleep(fds: &mut [PollFd<'_>], patience: Option<Duration>) {
    let timeout = patience.and_then(|patience| Timespec::try_from(patience).ok());
    let _ = poll(fds, timeout.as_ref());
}

/// Does what `next` gives until it gives no more, at most `at_once` by turns.
pub fn drive<'a>(at_once: usize, mut next: impl FnMut() -> Option<Task<'a, ()>>) {
    let bell = if at_once > 1 { Bell::new() } else { None };
    let Some(bell) = bell else {
        while let Some(task) = next() {
            block_on(task);
        }
        return;
    };
    let mut running: Vec<Running<'a>> = Vec::new();
    loop {
        while running.len() < at_once {
            let Some(task) = next() else { break };
            let mut task = Running::new(task, &bell);
            if !task.poll() {
                running.push(task);
            }
        }
        if running.is_empty() {
            return;
        }
        let mut ready = bell.wait(&running).into_iter();
        running.retain_mut(|task| !(ready.next().unwrap_or(true) && task.poll()));
    }
}

/// A task that has begun.
struct Running<'a> {
    task: Task<'a, ()>,
    ring: Arc<Ring>,
    waker: Waker,
    wait: Option<Wait>,
}

impl<'a> Running<'a> {
    fn new(task: Task<'a, ()>, bell: &Bell) -> Self {
        let ring = Arc::new(Ring {
            rung: AtomicBool::new(false),
            rope: Arc::clone(&bell.rope),
        });
        Self {
            task,
            waker: Waker::from(Arc::clone(&ring)),
            ring,
            wait: None,
        }
    }

    /// Goes on with it; whether it is done.
    fn poll(&mut self) -> bool {
        let mut context = Context::from_waker(&self.waker);
        let done = with_alone(false, || self.task.as_mut().poll(&mut context)).is_ready();
        self.wait = asked();
        done
    }

    /// Whether what it waits for has come, but for descriptors.
    fn is_due(&self, now: Instant) -> bool {
        self.ring.rung.swap(false, Ordering::AcqRel)
            || self.wait.as_ref().is_some_and(|wait| wait.until <= now)
    }
}

/// One thread's bell: other threads ring it, and `poll` hears it.
struct Bell {
    rope: Arc<UnixStream>,
    clapper: UnixStream,
}

/// One task's right to ring it.
struct Ring {
    rung: AtomicBool,
    rope: Arc<UnixStream>,
}

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // Where there is no room for one more byte it is ringing already.
            let _ = (&*self.rope).write(&[0]);
        }
    }
}

impl Bell {
    /// None where there are no more descriptors.
    fn new() -> Option<Self> {
        let (rope, clapper) = UnixStream::pair().ok()?;
        rope.set_nonblocking(true).ok()?;
        clapper.set_nonblocking(true).ok()?;
        Some(Self {
            rope: Arc::new(rope),
            clapper,
        })
    }

    /// Waits until a task can go on, and says of each whether it can.
    fn wait(&self, running: &[Running<'_>]) -> Vec<bool> {
        let waits = || running.iter().map(|task| task.wait.as_ref());
        let first = waits().flatten().map(|wait| wait.until).min();
        let mut fds = vec![PollFd::new(&self.clapper, PollFlags::IN)];
        let watched = waits().flatten().filter_map(|wait| wait.fd.as_ref());
        fds.extend(watched.map(|(fd, flags)| PollFd::from_borrowed_fd(fd.as_fd(), *flags)));
        let patience = first.map(|first| first.saturating_duration_since(Instant::now()));
        sleep(&mut fds, patience);
        let mut came = fds.iter().map(|fd| !fd.revents().is_empty());
        if came.next().unwrap_or(false) {
            // Before the rings are looked at: one that comes now is heard next time.
            let mut strokes = [0; 64];
            while matches!((&self.clapper).read(&mut strokes), Ok(count) if count == strokes.len())
            {
            }
        }
        let now = Instant::now();
        running
            .iter()
            .map(|task| {
                let has_fd = task.wait.as_ref().is_some_and(|wait| wait.fd.is_some());
                let came = has_fd && came.next().unwrap_or(false);
                task.is_due(now) || came
            })
            .collect()
    }
}
