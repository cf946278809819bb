//! Orders that change nothing: the host takes the lock, removes what dead applies left, and lets go.

use crate::exchange::{Expects, Orders, Run};
use crate::state::Live;

/// The orders that clear a host of leftovers. Its ledger stays, and so does what is known of the
/// apply that did not end: the next one finishes its work.
#[must_use]
pub fn sweep(live: &Live, run: &Run) -> Orders {
    Orders::empty(run, Expects::of(live))
}
