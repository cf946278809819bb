//! `murder drift`.

use std::process::ExitCode;

use clap::Args;

use super::Selection;

/// Arguments of `murder drift`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The manifest and the hosts meant.
    #[command(flatten)]
    pub selection: Selection,
}

/// Runs the verb.
#[must_use]
pub fn run(_arguments: &Arguments) -> ExitCode {
    ExitCode::from(1)
}
