//! Ctrl-C: the first finishes the hosts in flight, the second stops at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::fleet::Stop;

/// The exit code of a program that a second Ctrl-C ends: 128 + SIGINT, as shells have it.
const KILLED: i32 = 130;

/// Lets SIGINT and SIGTERM wish a stop, and end the program at once when one was wished already.
/// That is safe too: a host that has its whole payload finishes by itself.
///
/// # Errors
/// Where the handlers cannot be set.
pub fn watch(stop: &Stop) -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(signal, KILLED, stop.flag())?;
        flag::register(signal, stop.flag())?;
    }
    Ok(())
}
