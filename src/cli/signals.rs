//! Ctrl-C: after the first, only the hosts that have begun are finished; the second ends the program.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::fleet::Stop;

/// The last signal of this process, 0 before there was one.
static LAST: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// What the number of a signal is added to for the exit code, as in shells: SIGINT gives 130, SIGTERM 143.
const KILLED: i32 = 128;

/// Makes SIGINT and SIGTERM request a stop, and end the program at once if one was requested already. That is safe: a
/// host that has its whole payload completes the apply on its own.
///
/// # Errors
/// If the handlers cannot be set.
pub fn watch(stop: &Stop) -> std::io::Result<()> {
    for (signal, number) in [(SIGINT, 2), (SIGTERM, 15)] {
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(signal, KILLED + signal, stop.flag())?;
        flag::register_usize(signal, Arc::clone(&LAST), number)?;
        flag::register(signal, stop.flag())?;
    }
    Ok(())
}

/// Whether the last signal was SIGTERM.
#[must_use]
pub fn is_terminated() -> bool {
    LAST.load(Ordering::SeqCst) == 15
}
