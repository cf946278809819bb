//! Waiting for a piece of work, and no longer than until a deadline.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use async_io::Timer;

/// What the work returns; `None` where it has not ended at `deadline`.
pub(in crate::transport) async fn until<T>(
    deadline: Instant,
    work: impl Future<Output = T>,
) -> Option<T> {
    let mut work = pin!(work);
    let mut alarm = pin!(Timer::at(deadline));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => alarm.as_mut().poll(context).map(|_| None),
    })
    .await
}
