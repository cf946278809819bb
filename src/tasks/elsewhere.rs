//! Work that no `poll` can wait for, on a thread of its own.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::ALONE;

/// What both threads know.
struct Shared<W, T> {
    work: Option<W>,
    done: Option<Result<T, Box<dyn Any + Send>>>,
    waker: Option<Waker>,
}

/// Does `work` on another thread, while this one goes on with its other tasks; right here, where it has none.
pub async fn elsewhere<T, W>(work: W) -> T
where
    T: Send + 'static,
    W: FnOnce() -> T + Send + 'static,
{
    if ALONE.get() {
        return work();
    }
    let shared = Arc::new(Mutex::new(Shared {
        work: Some(work),
        done: None,
        waker: None,
    }));
    let theirs = Arc::clone(&shared);
    let thread = std::thread::Builder::new()
        .name("elsewhere".to_owned())
        .spawn(move || perform(&theirs));
    if thread.is_err() {
        // It holds up the others, which is better than not to be done.
        perform(&shared);
    }
    let done = poll_fn(|context| {
        let mut shared = lock(&shared);
        match shared.done.take() {
            Some(done) => Poll::Ready(done),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    });
    done.await.unwrap_or_else(|panic| resume_unwind(panic))
}

fn perform<T, W: FnOnce() -> T>(shared: &Mutex<Shared<W, T>>) {
    let work = lock(shared).work.take();
    let Some(work) = work else { return };
    // A panic goes on in the task, which is the host's that it belongs to.
    let done = catch_unwind(AssertUnwindSafe(work));
    let mut shared = lock(shared);
    shared.done = Some(done);
    if let Some(waker) = shared.waker.take() {
        waker.wake();
    }
}

/// No work runs under this lock, so a poisoned one still holds whole data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
