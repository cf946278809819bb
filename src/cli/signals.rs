//! Ctrl-C: after the first, only the hosts that have begun are finished; the second ends the program.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::fleet::Stop;

/// The exit code of a program that a second Ctrl-C ends: 128 + SIGINT, as in shells.
const KILLED: i32 = 130;

/// Makes SIGINT and SIGTERM request a stop, and end the program at once if one was requested already. That is safe: a
/// host that has its whole payload completes the apply on its own.
///
/// # Errors
/// If the handlers cannot be set.
pub fn watch(stop: &Stop) -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(signal, KILLED, stop.flag())?;
        flag::register(signal, stop.flag())?;
    }
    Ok(())
}
