//! `murder schema`.

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::output;
use super::terminal::Terminal;
use crate::manifest;

/// Arguments of `murder schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {}

/// Runs the verb.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(_arguments: &SchemaArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    output::print(format!("{:#}\n", manifest::schema()).as_bytes(), terminal)?;
    Ok(Exit::Done)
}
