//! Ctrl-C: after the first, only the hosts that have begun are finished; the second ends the program with a report.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

use super::terminal::Terminal;

use crate::fleet::Stop;

/// The last signal of this process, 0 before there was one.
static LAST: AtomicI32 = AtomicI32::new(0);

/// What the number of a signal is added to for the exit code, as in shells: SIGINT gives 130, SIGTERM 143.
const KILLED: i32 = 128;

/// Makes the first SIGINT or SIGTERM request a stop. The second one calls `report`, and ends the program. That is safe: a
/// host that has its whole payload completes the apply on its own. A third one ends the program at once, also while
/// `report` waits for a reader of its output.
///
/// # Errors
/// If the handlers cannot be set.
pub fn watch(stop: &Stop, report: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let stop = stop.clone();
    let watch = move || {
        let mut report = Some(report);
        for signal in signals.forever() {
            LAST.store(signal, Ordering::SeqCst);
            if !stop.is_requested() {
                stop.request();
                continue;
            }
            let code = KILLED + signal;
            let Some(report) = report.take() else {
                exit(code);
            };
            let reports = thread::Builder::new().spawn(move || {
                report();
                exit(code);
            });
            if reports.is_err() {
                exit(code);
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(watch)
        .map(drop)
}

/// Calls `on_signal` with the exit code of each SIGINT and SIGTERM, on a thread of its own. Where it returns true, the
/// program ends with that code.
///
/// # Errors
/// If the handlers cannot be set.
pub fn each(mut on_signal: impl FnMut(i32) -> bool + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let watch = move || {
        for signal in signals.forever() {
            if on_signal(KILLED + signal) {
                exit(KILLED + signal);
            }
        }
    };
    thread::Builder::new()
        .name("events".to_owned())
        .spawn(watch)
        .map(drop)
}

/// Makes SIGINT and SIGTERM end a verb that only reads: with a last line on standard error, and the exit code of the signal. It prints
/// its report at once at its end, so that nothing of it was printed before.
pub fn end_reading(terminal: &Terminal) {
    let at_end = *terminal;
    let watched = each(move |_| {
        at_end.say("interrupted: nothing was changed, and no report was made");
        true
    });
    if let Err(error) = watched {
        terminal.say(&format!(
            "warning: Ctrl-C will end the program without a message: {error}"
        ));
    }
}

/// Whether the last signal was SIGTERM.
#[must_use]
pub fn is_terminated() -> bool {
    LAST.load(Ordering::SeqCst) == SIGTERM
}
