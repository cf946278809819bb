//! Standard output is data, standard error is talk; colours and bars only where they belong.

use std::io::{ErrorKind, IsTerminal, Write};

use clap::{Args, ValueEnum};

use super::Color;

/// How much is said.
#[derive(Debug, Clone, Copy, Args)]
pub struct Talk {
    /// When to colour.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, global = true)]
    pub color: Color,
    /// Say more: each step on each host.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Say less: errors only, no progress.
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// What `--format` may be for a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
    /// For reviews.
    Markdown,
}

/// The two streams and what they may carry.
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
            color_err: color(err),
            bars: err && !plain && !is_set("CI") && !talk.quiet,
            verbose: talk.verbose,
            quiet: talk.quiet,
        }
    }

    /// Writes data; whether it could be written. A reader that has seen enough (`| head`) is no error.
    #[must_use]
    pub fn print(&self, text: &str) -> bool {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => true,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => true,
            Err(error) => {
                self.error(&format!("standard output cannot be written: {error}"));
                false
            }
        }
    }

    /// Says what the user should know, unless told to be quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            talk(text);
        }
    }

    /// Says what only `-v` asks for.
    pub fn detail(&self, text: &str) {
        if self.verbose {
            talk(text);
        }
    }

    /// Passes on a diagnostic that is rendered already, be it quiet or not.
    pub fn report(&self, text: &str) {
        talk(text);
    }

    /// Says what went wrong.
    pub fn error(&self, text: &str) {
        if self.color_err {
            talk(&format!("\u{1b}[1;31merror\u{1b}[0m: {text}"));
        } else {
            talk(&format!("error: {text}"));
        }
    }
}

/// There is nobody left to tell when standard error is closed.
fn talk(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}
