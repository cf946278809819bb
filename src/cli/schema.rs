//! `murder schema`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;

use crate::manifest;

/// Arguments of `murder schema`.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the verb. A pipe that is closed early is the reader's own affair.
#[must_use]
pub fn run(_arguments: &Arguments) -> ExitCode {
    match writeln!(io::stdout().lock(), "{:#}", manifest::schema()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    }
}
