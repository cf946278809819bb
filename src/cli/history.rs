//! `murder history HOST`: what was applied to a host, when, by whom, and from what.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::open;
use super::output::{self, Format};
use super::reach::ReachArguments;
use super::terminal::Terminal;
use crate::exchange::HistoryQuestion;
use crate::report::history::{self, History};
use crate::visible::visible;

/// Arguments of `murder history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// The host.
    pub host: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Merge this file into the manifest; its values win (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// Show only this generation, with each change (`-v` shows the changes of all generations).
    #[arg(long, value_name = "N")]
    pub generation: Option<u64>,
    /// The format of the list.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: ReachArguments,
}

/// Runs the verb.
///
/// # Errors
/// If the host gives no answer, or has no such generation.
pub fn run(arguments: &HistoryArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let (path, overlays) = (&arguments.path, &arguments.overlay);
    let (loaded, host) = open::one_host(&arguments.host, path, overlays, terminal)?;
    let reach = arguments.reach.options();
    let mut one_host = open::session_of_host(&loaded, &host, &reach, terminal)?;
    let observed = one_host
        .look(Some(HistoryQuestion::Entries))
        .map_err(|error| CliError::session(one_host.no_answer(error), &loaded.sources))?;
    for remark in &observed.live.remarks {
        terminal.say(&format!("warning: {}", visible(&remark.text)));
    }
    let mut history = History::new(&host, observed.live.ledger.as_ref(), observed.entries);
    if let Some(number) = arguments.generation
        && !history.only(number)
    {
        return Err(CliError::message(history.missing(number)));
    }
    let whole = terminal.verbose || arguments.generation.is_some();
    let text = match arguments.format {
        Format::Json => output::serialised(history::json(&history)),
        Format::Text => {
            output::written(|text| history::write(&history, whole, terminal.color_out, text))
        }
    };
    output::deliver(text, Exit::Done, terminal)
}
