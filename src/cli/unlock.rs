//! `murder unlock HOST`: shows who holds the lock, and removes the temporary files of an interrupted apply.

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::manifest_arguments::ManifestArguments;
use super::open;
use super::output::{self, Format};
use super::reach::ReachArguments;
use super::terminal::Terminal;
use crate::exchange::{Ending, NotDone};
use crate::plan::{Failure, sweep};
use crate::report::lock::{self, Report, State};
use crate::session::SessionError;
use crate::session::one_host::OneHost;
use crate::state::Live;

/// Arguments of `murder unlock`.
#[derive(Debug, Args)]
#[command(
    after_help = "The kernel frees the lock when the process that holds it ends, so a lock is never stale. \
                  `unlock` removes only temporary files of an interrupted apply, so it does not ask. The \
                  changes of that apply stay, with its journal and the previous version of each file that \
                  it changed: the next `murder plan` shows what is left to do, and the next apply finishes \
                  it and removes these files.\n\nExit codes: 0 the lock is free; 3 another apply is running \
                  (nothing was changed), or the files could not be removed; 4 the host could not be reached."
)]
pub struct UnlockArguments {
    /// The host.
    pub host: String,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// The format of the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: ReachArguments,
}

/// Runs the verb.
///
/// # Errors
/// If the host does not answer, or the files cannot be removed.
pub fn run(arguments: &UnlockArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let (path, overlays) = (&arguments.manifest.path, &arguments.manifest.overlay);
    let (loaded, host) = open::one_host(&arguments.host, path, overlays, terminal)?;
    let reach = arguments.reach.options();
    let mut one_host = open::session_of_host(&loaded, &host, &reach, terminal)?;
    let no_answer = |error: SessionError| CliError::session(error, &loaded.sources);
    let live = one_host.ask(None).map_err(no_answer)?.live;
    let at_work = live.lock.as_ref().is_some_and(|lock| lock.held);
    let (state, exit) = if at_work {
        (State::Held, Exit::Failed)
    } else if live.journal.is_none() && live.leftovers.is_empty() && !live.last_words {
        (State::Free, Exit::Done)
    } else {
        clear(&mut one_host, &live)?;
        (State::Cleared, Exit::Done)
    };
    // The host is asked again for what is left.
    let left = match (&state, &live.journal) {
        (State::Cleared, Some(_)) => Some(one_host.ask(None).map_err(no_answer)?.live),
        _ => None,
    };
    let report = Report::new(&host, state, live, left);
    let text = match arguments.format {
        Format::Json => output::serialised(lock::json(&report)),
        Format::Text => output::written(|text| lock::write(&report, terminal.color_out, text)),
    };
    output::deliver(text, exit, terminal)
}

/// Makes the host remove the temporary files of interrupted applies, under its lock.
fn clear(one_host: &mut OneHost<'_>, live: &Live) -> Result<(), CliError> {
    let orders = sweep(live, &one_host.contact.session.run);
    let performed = match one_host.perform(&orders) {
        Ok(performed) => performed,
        Err(error) => {
            let sources = &one_host.contact.loaded.sources;
            return Err(CliError::session(one_host.no_answer(error), sources));
        }
    };
    let Ending::NotDone(why) = performed.ending else {
        return Ok(());
    };
    let exit = Exit::of_not_done(&why);
    let failure = match why {
        NotDone::Stale { thing } => Failure {
            summary: format!("{thing} changed on the host at the same time"),
            detail: None,
            hint: Some("run `murder unlock` again".to_owned()),
        },
        NotDone::PutBack { error }
        | NotDone::Untouched { error }
        | NotDone::Locked { error }
        | NotDone::HalfWay { error } => error,
    };
    let failure = one_host.contact.session.scrub(failure);
    Err(CliError::host(
        &one_host.host.name,
        "not cleared",
        failure,
        exit,
    ))
}
