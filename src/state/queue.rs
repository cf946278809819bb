//! How many mails wait on a host.

use serde::{Deserialize, Serialize};

use super::remark::Remark;

/// Messages in the queue of a Postfix. A host counts each kind to [`Queue::COUNTED`] at most, and one more means "more".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Queue {
    /// Messages that could not be delivered yet, and are tried again later.
    pub deferred: u32,
    /// Messages that are being delivered.
    pub active: u32,
}

impl Queue {
    /// A host counts no further.
    pub const COUNTED: u32 = 10_000;
    /// A queue without mail.
    pub const EMPTY: Self = Self {
        deferred: 0,
        active: 0,
    };

    /// The mails of two queues.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            deferred: self.deferred.saturating_add(other.deferred),
            active: self.active.saturating_add(other.active),
        }
    }

    /// A remark about mails that wait or are being delivered. None if the queue is empty.
    #[must_use]
    pub fn remark(self) -> Option<Remark> {
        let Self { deferred, active } = self;
        (deferred > 0 || active > 0).then(|| Remark {
            text: format!(
                "queue: {} deferred, {} active",
                shown(deferred),
                shown(active)
            ),
            hint: None,
        })
    }
}

fn shown(count: u32) -> String {
    if count > Queue::COUNTED {
        format!("{}+", Queue::COUNTED)
    } else {
        count.to_string()
    }
}
