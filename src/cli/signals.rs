//! Ctrl-C: after the first, only the hosts that have begun are finished; the second ends the program with a report.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

use super::terminal::{self, Terminal};
use crate::fleet::Stop;
use crate::replace_file;

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

/// How many signals may wait for a reader of the output or for a disk. The next one ends the program at once.
const WAITING: usize = 2;

/// Calls `on_signal` with the exit code of each SIGINT and SIGTERM, each on a thread of its own. Where it returns true, the
/// program ends with that code, after a file that is being replaced is whole. If two of these calls wait, the next signal ends the
/// program at once.
///
/// # Errors
/// If the handlers cannot be set.
pub fn each(on_signal: impl Fn(i32) -> bool + Send + Sync + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let on_signal = Arc::new(on_signal);
    let waiting = Arc::new(AtomicUsize::new(0));
    let watch = move || {
        for signal in signals.forever() {
            let code = KILLED + signal;
            if waiting.fetch_add(1, Ordering::SeqCst) >= WAITING {
                exit(code);
            }
            let (on_signal, waiting) = (Arc::clone(&on_signal), Arc::clone(&waiting));
            let answers = thread::Builder::new().spawn(move || {
                if on_signal(code) {
                    let _whole = replace_file::whole();
                    exit(code);
                }
                waiting.fetch_sub(1, Ordering::SeqCst);
            });
            if answers.is_err() {
                exit(code);
            }
        }
    };
    thread::Builder::new()
        .name("events".to_owned())
        .spawn(watch)
        .map(drop)
}

/// Makes SIGINT and SIGTERM end a verb that only reads: with the exit code of the signal, and a last line on standard error that says
/// whether a part of the report may be printed.
pub fn end_reading(terminal: &Terminal) {
    let at_end = *terminal;
    let watched = each(move |_| {
        at_end.say(match terminal::has_printed() {
            false => "interrupted: nothing was changed, and no report was made",
            true => "interrupted: nothing was changed, and the report may be cut off",
        });
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
