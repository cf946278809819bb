//! The wish to stop, shared between threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Set once by Ctrl-C: hosts in flight finish, no other one begins.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Not wished yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wishes it; for good.
    pub fn wish(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it is wished.
    #[must_use]
    pub fn is_wished(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself, for a signal handler, which may do no more than set it.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Sleeps, and wakes at once when a stop is wished.
    pub fn sleep(&self, pause: Duration) {
        let end = Instant::now() + pause;
        while !self.is_wished() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
