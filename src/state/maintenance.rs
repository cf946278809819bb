//! A time during which a host is not contacted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::mask::mask_secrets;

/// Until when a host is not contacted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Maintenance {
    /// The moment at which it is due to end: RFC 3339, UTC.
    pub until: String,
    /// Why.
    pub reason: String,
}

impl Maintenance {
    /// The same, with a reason that names no secret.
    #[must_use]
    pub fn masked(&self) -> Self {
        Self {
            until: self.until.clone(),
            reason: mask_secrets(&self.reason),
        }
    }

    /// Whether it was due to end before `now` (RFC 3339, UTC). The host is not contacted until its manifest says no more of it.
    #[must_use]
    pub fn is_overdue(&self, now: &str) -> bool {
        self.until.as_str() <= now
    }
}
