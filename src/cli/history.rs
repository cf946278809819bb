//! `murder history [HOST]`: what was applied to a host or to all hosts, when, by whom, and from what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::exit::Exit;
use super::manifest_arguments::ManifestArguments;
use super::output;
use super::reach::ReachArguments;
use super::terminal::Terminal;
use super::{ask, open};
use crate::exchange::HistoryQuestion;
use crate::load::LinkScope;
use crate::report::history::{self, History};
use crate::report::history_all::HistoryOfAll;
use crate::session::SessionError;
use crate::session::histories::histories;
use crate::session::murder::MurderSession;
use crate::visible::visible;

/// Arguments of `murder history`.
#[derive(Debug, Args)]
pub struct HistoryArguments {
    /// The host. Without it, the generations of all hosts are listed by time. A single argument that is `.`, has a `/`, or is a file
    /// or folder is the manifest.
    pub host: Option<String>,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Show only this generation, with each change (`-v` shows the changes of all generations).
    #[arg(long, value_name = "N")]
    pub generation: Option<u64>,
    /// The format of the list.
    #[arg(long, value_enum, default_value_t = HistoryFormat::Text)]
    pub format: HistoryFormat,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: ReachArguments,
}

/// The forms of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
    /// For tables: all hosts.
    Csv,
}

/// Runs the verb.
///
/// # Errors
/// If the host gives no answer, or has no such generation.
pub fn run(arguments: &HistoryArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    match arguments.host.as_deref() {
        None => of_all(&arguments.manifest.path, arguments, terminal),
        Some(path) if is_path(path) && arguments.manifest.path == Path::new(".") => {
            of_all(Path::new(path), arguments, terminal)
        }
        Some(host) => of_one(host, arguments, terminal),
    }
}

/// Whether a single argument is a manifest and no host.
fn is_path(text: &str) -> bool {
    text == "." || text.contains('/') || Path::new(text).exists()
}

fn of_one(host: &str, arguments: &HistoryArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let (path, overlays) = (&arguments.manifest.path, &arguments.manifest.overlay);
    let (loaded, host) = open::one_host(host, path, overlays, terminal)?;
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
        HistoryFormat::Csv => {
            return Err(CliError::message(
                "`--format csv` lists all hosts: leave out the host",
            ));
        }
        HistoryFormat::Json => output::serialised(history::json(&history)),
        HistoryFormat::Text => {
            output::written(|text| history::write(&history, whole, terminal.color_out, text))
        }
    };
    output::deliver(text, Exit::Done, terminal)
}

/// The generations of all hosts, the newest first. A host that gives no answer is reported, and sets the exit code.
fn of_all(
    path: &Path,
    arguments: &HistoryArguments,
    terminal: &Terminal,
) -> Result<Exit, CliError> {
    if arguments.generation.is_some() {
        return Err(CliError::message("`--generation` is of one host: name it"));
    }
    let loaded = open::manifest(
        path,
        &arguments.manifest.overlay,
        LinkScope::Anywhere,
        &[],
        terminal,
    )?;
    let (hosts, resting) = open::contactable(&loaded);
    for host in resting {
        terminal.say(&format!("{host}: in maintenance, not contacted"));
    }
    let reach = arguments.reach.options();
    let none = BTreeSet::new();
    let contact = MurderSession::new(&loaded, &hosts, &reach, none, Box::new(ask::passphrase))
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&contact.warnings, &loaded.sources);
    let (mut entries, mut exit) = (BTreeMap::new(), Exit::Done);
    for (host, answer) in histories(&contact, &hosts, reach.parallel) {
        match answer {
            Ok(of_host) => {
                entries.insert(host, of_host);
            }
            Err(error) => {
                let error = CliError::session(SessionError::Host(host, error), &loaded.sources);
                exit = exit.or(error.print(terminal));
            }
        }
    }
    let all = HistoryOfAll::new(&loaded.murder.name, entries);
    let text = match arguments.format {
        HistoryFormat::Json => output::serialised(all.json()),
        HistoryFormat::Csv => output::written(|text| all.csv(text)),
        HistoryFormat::Text => output::written(|text| all.write(terminal.color_out, text)),
    };
    output::deliver(text, exit, terminal)
}
