//! Work that waits, many pieces on one thread.
//!
//! A thread for each host cost a quarter of a millisecond of CPU for each: OpenSSL seeds random generators in
//! every thread, the allocator begins an arena, and each answer of a host wakes one. So what waits for hosts is
//! written as futures, and a few threads drive them all, each by one `poll`. There is no more to it than that:
//! a task waits for one thing at a time, and whoever has a single one calls [`block_on`].
//!
//! What cannot be waited for by `poll` (names, agents, people, other programs) is done [`elsewhere`]: it must
//! not hold up the tasks beside it.

mod drive;
mod elsewhere;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use rustix::event::PollFlags;

pub use drive::{block_on, drive};
pub use elsewhere::elsewhere;

/// A piece of work; it stays on the thread that began it.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What a task waits for.
struct Wait {
    fd: Option<(Arc<dyn AsFd>, PollFlags)>,
    until: Instant,
}

thread_local! {
    /// What the task that is being polled has just begun to wait for: its driver takes it from here.
    static ASKED: RefCell<Option<Wait>> = const { RefCell::new(None) };
    /// Whether the task that is being polled is the only one of this thread.
    static ALONE: Cell<bool> = const { Cell::new(true) };
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.fd.as_ref().map(|(_, flags)| flags);
        write!(f, "Wait({flags:?})")
    }
}

/// Waits until a descriptor is ready, and no longer than to a moment. It may end early: look again.
pub async fn ready<D: AsFd + 'static>(fd: &Arc<D>, flags: PollFlags, until: Instant) {
    let mut asked = false;
    poll_fn(|_| {
        if asked {
            return Poll::Ready(());
        }
        asked = true;
        let fd: Arc<dyn AsFd> = Arc::clone(fd) as _;
        ask(Wait {
            fd: Some((fd, flags)),
            until,
        });
        Poll::Pending
    })
    .await;
}

/// Waits until a moment.
pub async fn sleep_until(until: Instant) {
    poll_fn(|_| {
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        ask(Wait { fd: None, until });
        Poll::Pending
    })
    .await;
}

fn ask(wait: Wait) {
    ASKED.with_borrow_mut(|asked| *asked = Some(wait));
}

fn asked() -> Option<Wait> {
    ASKED.with_borrow_mut(Option::take)
}

/// Polls with what a task may know of its thread, and puts that back.
fn with_alone<T>(alone: bool, poll: impl FnOnce() -> T) -> T {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _back = Back(ALONE.replace(alone));
    poll()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
