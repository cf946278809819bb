//! Orders that change nothing but remove what dead applies left: the host takes its lock, cleans up, and releases the lock.

use crate::exchange::{Expects, Orders, Run};
use crate::state::Live;

/// The orders that remove leftovers. The ledger stays, and so does the pending ledger of an apply that did
/// not end: the next apply finishes its work.
#[must_use]
pub fn sweep(live: &Live, run: &Run) -> Orders {
    Orders::empty(run, Expects::of(live))
}
