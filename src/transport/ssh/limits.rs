//! Limits how many handshakes with one address run at once.
//!
//! sshd drops connections at random once ten have not logged in yet (`MaxStartups 10:30:100`, sshd_config(5)). A jump
//! host sees all connections of a run: without the limit it refused a third of 50 logins.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Below the ten that sshd accepts, so that other users can log in meanwhile.
const AT_ONCE: usize = 8;

/// The handshakes of a run.
#[derive(Debug)]
pub struct HandshakeLimits {
    at_once: usize,
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    /// How many handshakes run, by address.
    busy: BTreeMap<String, usize>,
    /// The tasks that wait, for any address.
    waiting: Vec<Waker>,
}

impl Default for HandshakeLimits {
    fn default() -> Self {
        Self::new(AT_ONCE)
    }
}

impl HandshakeLimits {
    /// With another limit than the default.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self {
            at_once: at_once.max(1),
            places: Mutex::default(),
        }
    }

    /// Waits for a turn with `address`. Dropping the result ends it.
    pub(super) async fn turn<'a>(&'a self, address: &str) -> Turn<'a> {
        poll_fn(|context| {
            let mut places = self.places();
            let count = places.busy.entry(address.to_owned()).or_default();
            if *count < self.at_once {
                *count += 1;
                return Poll::Ready(());
            }
            places.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
        Turn {
            limits: self,
            address: address.to_owned(),
        }
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one handshake.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    limits: &'a HandshakeLimits,
    address: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut places = self.limits.places();
        if let Some(count) = places.busy.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                places.busy.remove(&self.address);
            }
        }
        let waiting = std::mem::take(&mut places.waiting);
        drop(places);
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use async_io::block_on;

    use super::*;

    #[test]
    fn no_more_than_the_limit_at_once_for_each_address() {
        let limits = HandshakeLimits::new(3);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let _turn = block_on(limits.turn("bastion:22"));
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
            let _other = block_on(limits.turn("other:22"));
        });
        assert_eq!(most.into_inner(), 3);
        assert!(limits.places().busy.is_empty());
    }
}
