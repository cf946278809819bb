//! Ctrl-C: after the first, only the hosts that have begun are finished; the second ends the program with a report.

use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

use super::terminal::{self, Terminal};
use crate::fleet::Stop;
use crate::replace_file;

/// The last signal of this process, 0 before there was one.
static LAST: AtomicI32 = AtomicI32::new(0);

/// What a signal does now.
static PHASE: Mutex<Phase> = Mutex::new(Phase::Reads(None));

/// What a signal does.
enum Phase {
    /// It ends the program, as nothing was changed: after this, which gets the exit code, and may refuse to end.
    Reads(Option<AtEnd>),
    /// It does nothing more, as the program ends.
    Ends,
    /// It is reported by what changes the hosts.
    Changes,
}

/// What is done before the program ends.
type AtEnd = Box<dyn FnMut(i32) -> bool + Send>;

fn phase() -> MutexGuard<'static, Phase> {
    PHASE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the number of a signal is added to for the exit code, as in shells: SIGINT gives 130, SIGTERM 143.
const KILLED: i32 = 128;

/// Calls this with the exit code before a signal ends the program, as long as no host is changed. The program goes on where it
/// returns false.
pub fn before_end(at_end: impl FnMut(i32) -> bool + Send + 'static) {
    if let Phase::Reads(known) = &mut *phase() {
        *known = Some(Box::new(at_end));
    }
}

/// From now on hosts are changed. Where a signal ends the program already, this never returns.
fn begin_changes() {
    let ends = {
        let mut phase = phase();
        let ends = matches!(*phase, Phase::Ends);
        if !ends {
            *phase = Phase::Changes;
        }
        ends
    };
    if ends {
        loop {
            thread::park();
        }
    }
}

/// Makes the first SIGINT or SIGTERM request a stop. The second one calls `report`, and ends the program. That is safe: a
/// host that has its whole payload completes the apply on its own. A third one ends the program at once, also while
/// `report` waits for a reader of its output.
///
/// # Errors
/// If the handlers cannot be set.
pub fn watch(stop: &Stop, report: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    // No signal is lost between this handler and the one before.
    let signals = Signals::new([SIGINT, SIGTERM]);
    begin_changes();
    let mut signals = signals?;
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
fn each(on_signal: impl Fn(i32) -> bool + Send + Sync + 'static) -> std::io::Result<()> {
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
    end(terminal, || match terminal::has_printed() {
        false => "interrupted: nothing was changed, and no report was made",
        true => "interrupted: nothing was changed, and the report may be cut off",
    });
}

/// The same for a verb that changes hosts after it has read them, and shown what it will do: until [`watch`].
pub fn end_before_changes(terminal: &Terminal) {
    end(terminal, || "interrupted: nothing was changed on any host");
}

fn end(terminal: &Terminal, last_line: impl Fn() -> &'static str + Send + Sync + 'static) {
    let at_end = *terminal;
    let watched = each(move |code| {
        let mut phase = phase();
        let ends = match &mut *phase {
            Phase::Reads(at_end) => at_end.as_mut().is_none_or(|at_end| at_end(code)),
            Phase::Ends | Phase::Changes => false,
        };
        if ends {
            at_end.say(last_line());
            *phase = Phase::Ends;
        }
        ends
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
