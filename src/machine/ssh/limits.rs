//! At most so many handshakes at once with one address.
//!
//! sshd drops connections that have not logged in yet at random from the eleventh on (`MaxStartups
//! 10:30:100`, sshd_config(5)), and a bastion sees all of ours: a third of 50 logins was lost.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

/// Well below the ten that sshd bears, so that other people can log in too.
const AT_ONCE: usize = 8;

/// Who is in a handshake with whom.
#[derive(Debug)]
pub struct HandshakeLimits {
    at_once: usize,
    busy: Mutex<BTreeMap<String, usize>>,
    freed: Condvar,
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
            busy: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Waits for a turn with `address`; it lasts as long as what comes back.
    pub(super) fn turn<'a>(&'a self, address: &str) -> Turn<'a> {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let count = busy.entry(address.to_owned()).or_default();
            if *count < self.at_once {
                *count += 1;
                return Turn {
                    limits: self,
                    address: address.to_owned(),
                };
            }
            busy = self
                .freed
                .wait(busy)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A place among those who may shake hands.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    limits: &'a HandshakeLimits,
    address: String,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut busy = self
            .limits
            .busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = busy.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                busy.remove(&self.address);
            }
        }
        drop(busy);
        self.limits.freed.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_more_than_the_limit_at_once_for_each_address() {
        let limits = HandshakeLimits::new(3);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let _turn = limits.turn("bastion:22");
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
            let _other = limits.turn("other:22");
        });
        assert_eq!(most.into_inner(), 3);
        assert!(limits.busy.lock().unwrap().is_empty());
    }
}
