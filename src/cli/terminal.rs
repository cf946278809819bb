//! The two output streams: data on standard output, messages on standard error; colours and bars on terminals.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use clap::{Args, ValueEnum};

use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::visible::{printed, visible_json};

/// Whether something was written to standard output.
static HAS_PRINTED: AtomicBool = AtomicBool::new(false);

/// Whether this process has begun to write to standard output. A reader that is slow may not have all of it.
#[must_use]
pub fn has_printed() -> bool {
    HAS_PRINTED.load(Ordering::SeqCst)
}

/// How much is printed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Talk {
    /// When to use colours.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, global = true)]
    pub color: Color,
    /// Print more: each step on each host.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Print only errors, and no progress.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// The form of messages on standard error.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Log::Text, global = true)]
    pub log: Log,
}

/// The form of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// For people.
    Text,
    /// A line of JSON for each message, with `time`, `level` and `message`: for journald and Loki.
    Json,
}

/// How output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams, and what may be printed on each.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether standard output may be coloured.
    pub color_out: bool,
    /// Whether standard error may be coloured.
    pub color_err: bool,
    /// Whether progress bars are drawn on standard error.
    pub bars: bool,
    /// See [`Talk::verbose`].
    pub verbose: bool,
    /// See [`Talk::quiet`].
    pub quiet: bool,
    /// See [`Talk::log`].
    pub log: Log,
}

impl Terminal {
    /// Looks at the streams and the environment: `NO_COLOR` (no-color.org), `TERM=dumb`, and `CI`.
    #[must_use]
    pub fn new(talk: &Talk) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let plain =
            is_set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let (out, err) = (
            std::io::stdout().is_terminal(),
            std::io::stderr().is_terminal(),
        );
        let color = |terminal: bool| match talk.color {
            Color::Auto => terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        Self {
            color_out: color(out),
            color_err: color(err) && talk.log == Log::Text,
            bars: err && !plain && !is_set("CI") && !talk.quiet && talk.log == Log::Text,
            verbose: talk.verbose,
            quiet: talk.quiet,
            log: talk.log,
        }
    }

    /// Writes a text for people to standard output, see [`printed`]. A closed pipe is no error.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn print_text(&self, text: &str) -> std::io::Result<()> {
        self.print(printed(text, self.color_out).as_bytes())
    }

    /// Writes data for programs to standard output, as it is. A closed pipe (`| head`) is no error.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn print(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        HAS_PRINTED.store(true, Ordering::SeqCst);
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Prints problems of the manifest, with `--quiet` the errors alone.
    pub fn diagnostics<'a>(
        &self,
        diagnostics: impl IntoIterator<Item = &'a Diagnostic>,
        sources: &Sources,
    ) {
        for diagnostic in diagnostics {
            if self.quiet && diagnostic.level == Severity::Warning {
                continue;
            }
            let text = diagnostic.render(sources, self.color_err);
            if self.log == Log::Json {
                let level = match diagnostic.level {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                log_line(level, &text);
                continue;
            }
            // An empty line separates a problem of several lines from the next text.
            let end = if text.contains('\n') { "\n" } else { "" };
            let text = printed(&text, self.color_err);
            // Standard error may be closed, and no other stream could report that.
            let _ = writeln!(std::io::stderr().lock(), "{text}{end}");
        }
    }

    /// Prints a message, unless `-q` is given.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.report(text);
        }
    }

    /// Prints a message if `-v` is given.
    pub fn detail(&self, text: &str) {
        if self.verbose {
            self.report(text);
        }
    }

    /// Prints a text on standard error, also with `-q`.
    pub fn report(&self, text: &str) {
        if self.log == Log::Json {
            let warns = text.starts_with("warning:");
            log_line(if warns { "warning" } else { "info" }, text);
            return;
        }
        let text = printed(text.trim_end_matches('\n'), self.color_err);
        // Standard error may be closed, and no other stream could report that.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// Writes one message as a line of JSON.
fn log_line(level: &str, text: &str) {
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let message = text
        .trim()
        .trim_start_matches("warning: ")
        .trim_start_matches("error: ");
    let line = serde_json::json!({"time": time, "level": level, "message": message});
    // Standard error may be closed, and no other stream could report that.
    let _ = writeln!(
        std::io::stderr().lock(),
        "{}",
        visible_json(&line.to_string())
    );
}
