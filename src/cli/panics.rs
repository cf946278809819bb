//! Reports a panic, a bug of `murder`, by its place alone.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::{Location, set_hook};

use crate::fleet::panic_words;

/// Reports panics from now on by their place. Rust's own report has the text of the panic, which may hold a secret: that of a
/// text sliced at a wrong place has the text.
pub fn report_by_place() {
    set_hook(Box::new(|panic| {
        let mut text = report(panic.location(), panic_words(panic.payload()));
        // Names of functions alone, and only where `RUST_BACKTRACE` asks for them.
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text.push_str(&format!("\n{backtrace}"));
        }
        // There is no other stream that could report that this one is closed.
        let _ = writeln!(std::io::stderr(), "{text}");
    }));
}

fn report(place: Option<&Location<'_>>, words: Option<&'static str>) -> String {
    let place = place.map_or_else(
        || "an unknown place".to_owned(),
        |place| format!("{}:{}", place.file(), place.line()),
    );
    let words = words.map_or_else(String::new, |words| format!(": {words}"));
    format!(
        "error: internal error of `murder` at {place}{words}\n  = help: please report this as a bug, with the output of `RUST_BACKTRACE=1 murder ...`"
    )
}
