//! `murder completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::error::CliError;
use super::exit::Exit;
use super::terminal::Terminal;
use super::{Cli, output};

/// Arguments of `murder completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell that the script is for.
    pub shell: Shell,
}

/// Runs the verb.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(arguments: &CompletionsArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "murder", &mut script);
    output::print(&script, terminal)?;
    Ok(Exit::Done)
}
