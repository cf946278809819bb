//! What resolving needs to know of a role; the role's module says it.

use std::collections::BTreeSet;

/// The capability of holding mailboxes and shared folders.
pub const MAILBOXES: &str = "mailboxes";
/// The capability of being where other hosts send what is not their own.
pub const SMART_HOST: &str = "smart-host";

/// A role, as its module declares it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Role {
    /// What a host with the role can do for others.
    pub provides: BTreeSet<String>,
    /// Whether a murder has one host with it at most.
    pub at_most_one: bool,
    /// The names of its variables.
    pub vars: BTreeSet<String>,
    /// Those of them that hold a text: `version: 10` is `10` as it was written, and no number.
    pub texts: BTreeSet<String>,
    /// Whether its module exists but is wrong, which is reported on its own. Then nothing more is known of the role,
    /// and no problem is reported for what relies on it.
    pub unusable: bool,
}
