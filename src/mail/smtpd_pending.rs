//! What a list of restrictions of smtpd(8) decides, and what it leaves for the lists after it.

use super::maps::Hit;
use super::reply::Reply;

/// The result of a list of restrictions.
#[derive(Debug)]
pub(super) enum SmtpdVerdict {
    Dunno,
    Permit,
    Reject(Reply, Option<Hit>),
}

/// An answer to RCPT, and the entry that decided.
pub(super) type Deferral = (Reply, Option<Hit>);

/// What restrictions leave for those after them.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Whether the tables of the recipient's class were asked.
    pub(super) is_listed: bool,
    /// What a recipient is answered that all restrictions would accept (`defer_if_permit`).
    pub(super) if_permit: Option<Deferral>,
    /// What a recipient is answered that a restriction refuses for good (`defer_if_reject`).
    pub(super) if_reject: Option<Deferral>,
    /// Whether refusals are only logged (`warn_if_reject`).
    pub(super) warns: bool,
}

impl Pending {
    /// Whether the recipient is deferred, if the restrictions after these permit it and if they refuse it.
    pub(super) fn is_decided(&self) -> bool {
        self.if_permit.is_some() && self.if_reject.is_some()
    }

    /// Keeps the first deferral of its kind.
    pub(super) fn defer(&mut self, is_if_permit: bool, reply: Reply, hit: Option<Hit>) {
        // smtpd_check.c: a warning must not refuse, but what a restriction might have permitted is not refused for good.
        let slot = match is_if_permit {
            true if self.warns => return,
            true => &mut self.if_permit,
            false => &mut self.if_reject,
        };
        slot.get_or_insert((reply, hit));
    }
}

impl Pending {
    /// The answer to a recipient that a restriction refuses.
    pub(super) fn refused(self, reply: Reply, hit: Option<Hit>) -> Deferral {
        match self.if_reject {
            Some(deferral) if reply.code >= 500 => deferral,
            _ => (reply, hit),
        }
    }
}
