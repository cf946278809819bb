//! `murder completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::exit::Exit;
use super::terminal::Terminal;

/// Arguments of `murder completions`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell that the script is for.
    pub shell: Shell,
}

/// Runs the verb.
#[must_use]
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "murder", &mut script);
    if terminal.print(&String::from_utf8_lossy(&script)) {
        Exit::Done
    } else {
        Exit::Refused
    }
}
