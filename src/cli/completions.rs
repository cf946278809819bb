//! `murder completions`.

use std::process::ExitCode;

use clap::Args;

/// Arguments of `murder completions`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the verb.
#[must_use]
pub fn run(_arguments: &Arguments) -> ExitCode {
    ExitCode::from(1)
}
