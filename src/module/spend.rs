//! What the rendering of a template has cost so far: a count, and no clock, so that a template ends in the same way
//! everywhere.

use std::cell::Cell;

use tera::{Error, TeraResult};

/// What all loops of one rendering may cost together.
const MOST: u64 = 256 << 20;

thread_local! {
    /// What the rendering of this thread has cost so far.
    static SPENT: Cell<u64> = const { Cell::new(0) };
}

/// Begins a rendering on this thread.
pub(super) fn begin() {
    SPENT.set(0);
}

/// Adds to what the rendering of this thread has cost.
///
/// # Errors
/// Where it is too much.
pub(super) fn spend(cost: u64) -> TeraResult<()> {
    let spent = SPENT.get().saturating_add(cost);
    SPENT.set(spent);
    if spent > MOST {
        return Err(Error::message("its loops take too many steps"));
    }
    Ok(())
}
