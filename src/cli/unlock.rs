//! `murder unlock HOST`: who holds the lock, and what a dead apply left behind.

use std::path::PathBuf;

use clap::Args;

use super::apply::Format;
use super::exit::Exit;
use super::reach::Reach;
use super::single::{self, Single};
use super::survey;
use super::terminal::Terminal;
use super::wiring::{AlreadyReported, Loaded};
use crate::exchange::Ending;
use crate::name::HostName;
use crate::plan::{Failure, sweep};
use crate::report::lock::{self, Report, State};
use crate::state::Live;

/// Arguments of `murder unlock`.
#[derive(Debug, Args)]
#[command(
    after_help = "The lock is the kernel's, and dies with the process that holds it: there is \
                  never a dead one to break. What an apply leaves behind when it dies are \
                  temporary files; they alone are removed, which is why nothing is asked. What \
                  that apply had already done stays, and stays known, by its journal and the files \
                  of before beside those that it changed: the next `murder plan` shows what is left \
                  to do, and the next apply finishes it and removes them.\n\nExit codes: 0 free, or free again; 3 an apply is at work \
                  (nothing was done), or clearing away failed; 4 unreachable."
)]
pub struct Arguments {
    /// The host.
    pub host: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Lay this file over the manifest (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// The form of the answer.
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
        Ok((loaded, host)) => unlock(&loaded, &host, arguments, terminal),
        Err(AlreadyReported) => Exit::Refused,
    }
}

fn unlock(loaded: &Loaded, host: &HostName, arguments: &Arguments, terminal: &Terminal) -> Exit {
    let Ok(mut single) = Single::new(loaded, host, &arguments.reach, terminal) else {
        return Exit::Refused;
    };
    let live = match single.look(None) {
        Ok(observed) => observed.live,
        Err(error) => return single.say(error, terminal),
    };
    let at_work = live.lock.as_ref().is_some_and(|lock| lock.held);
    let (state, exit) = if at_work {
        (State::Held, Exit::Failed)
    } else if live.journal.is_none() && live.leftovers.is_empty() && !live.last_words {
        (State::Free, Exit::Done)
    } else {
        match clear(&mut single, &live, terminal) {
            Ok(()) => (State::Cleared, Exit::Done),
            Err(exit) => return exit,
        }
    };
    // What stays is read from the host, not guessed.
    let left = match (&state, &live.journal) {
        (State::Cleared, Some(_)) => match single.look(None) {
            Ok(observed) => Some(observed.live),
            Err(error) => return single.say(error, terminal),
        },
        _ => None,
    };
    let report = Report::new(host, state, live, left);
    let text = match arguments.format {
        Format::Json => lock::json(&report).map_err(|error| error.to_string()),
        Format::Text => {
            let mut text = String::new();
            lock::write(&report, terminal.color_out, &mut text)
                .map(|()| text)
                .map_err(|error| error.to_string())
        }
    };
    survey::deliver(text, terminal).or(exit)
}

/// Has the host clear away what dead applies left, under its lock.
fn clear(single: &mut Single<'_>, live: &Live, terminal: &Terminal) -> Result<(), Exit> {
    let orders = sweep(live, &single.contact.run);
    let performed = match single.perform(&orders) {
        Ok(performed) => performed,
        Err(error) => return Err(single.say(error, terminal)),
    };
    let (failure, exit) = match performed.ending {
        Ending::Done => return Ok(()),
        Ending::Stale(thing) => (
            Failure {
                summary: format!("{thing} changed while this looked"),
                detail: None,
                hint: Some("run `murder unlock` again".to_owned()),
            },
            Exit::Failed,
        ),
        Ending::PutBack(failure) | Ending::Untouched(failure) | Ending::Locked(failure) => {
            (failure, Exit::Failed)
        }
        Ending::HalfWay(failure) => (failure, Exit::HalfWay),
    };
    single.say_failure("not cleared", failure, terminal);
    Err(exit)
}
