//! `murder history HOST`: what was applied to a host, when, by whom, and from what.

use std::path::PathBuf;

use clap::Args;

use super::apply::Format;
use super::exit::Exit;
use super::reach::Reach;
use super::single::{self, Single};
use super::terminal::Terminal;
use super::wiring::Loaded;
use super::{survey, wiring};
use crate::exchange::HistoryQuestion;
use crate::name::HostName;
use crate::report::history::{self, History};

/// Arguments of `murder history`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The host.
    pub host: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Lay this file over the manifest (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// Only this generation, with each thing that it changed (as `-v` does for all).
    #[arg(long, value_name = "N")]
    pub generation: Option<u64>,
    /// The form of the list.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: Reach,
}

/// Runs the verb.
#[must_use]
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    match single::load(
        &arguments.host,
        &arguments.path,
        &arguments.overlay,
        terminal,
    ) {
        Ok((loaded, host)) => list(&loaded, &host, arguments, terminal),
        Err(wiring::AlreadyReported) => Exit::Refused,
    }
}

fn list(loaded: &Loaded, host: &HostName, arguments: &Arguments, terminal: &Terminal) -> Exit {
    let Ok(mut single) = Single::new(loaded, host, &arguments.reach, terminal) else {
        return Exit::Refused;
    };
    let observed = match single.look(Some(HistoryQuestion::Entries)) {
        Ok(observed) => observed,
        Err(error) => return single.say(error, terminal),
    };
    for remark in &observed.live.remarks {
        terminal.say(&format!("warning: {}", remark.text));
    }
    let mut history = History::new(host, observed.live.ledger.as_ref(), observed.entries);
    if let Some(number) = arguments.generation
        && !history.only(number)
    {
        terminal.error(&history.missing(number));
        return Exit::Refused;
    }
    let whole = terminal.verbose || arguments.generation.is_some();
    survey::deliver(
        match arguments.format {
            Format::Json => history::json(&history).map_err(|error| error.to_string()),
            Format::Text => {
                let mut text = String::new();
                history::write(&history, whole, terminal.color_out, &mut text)
                    .map(|()| text)
                    .map_err(|error| error.to_string())
            }
        },
        terminal,
    )
}
