//! What plan, apply and drift begin with: look at every host that is meant.

use std::collections::BTreeMap;

use super::exit::Exit;
use super::progress::Progress;
use super::selection;
use super::terminal::{PlanFormat, Terminal};
use super::wiring::{Loaded, Planner};
use super::{Selection, wiring};
use crate::diagnostic::{Diagnostic, Sources};
use crate::fleet::{self, Event, NotRun, Stop, Width};
use crate::name::HostName;
use crate::plan::{Failure, HostVerdict, Plan, Verdict};
use crate::report::{self, Detail};

/// Loads the manifest and chooses the hosts; what is wrong has been said.
///
/// # Errors
/// [`Exit::Refused`]: no host was contacted.
pub fn open(selected: &Selection, terminal: &Terminal) -> Result<(Loaded, Vec<HostName>), Exit> {
    let loaded =
        wiring::load(selected, terminal).map_err(|wiring::AlreadyReported| Exit::Refused)?;
    let hosts =
        selection::select(&loaded.murder, selected).map_err(|errors| refuse(&errors, terminal))?;
    Ok((loaded, hosts))
}

/// Says errors that stand in no source.
pub fn refuse(errors: &[Diagnostic], terminal: &Terminal) -> Exit {
    for error in errors {
        terminal.report(&error.render(&Sources::default(), terminal.color_err));
    }
    Exit::Refused
}

/// Looks at the hosts, side by side.
#[must_use]
pub fn look(
    murder: &str,
    hosts: &[HostName],
    eyes: &(impl Planner + ?Sized),
    parallel: usize,
    terminal: &Terminal,
) -> Plan {
    let mut progress = Progress::new(terminal, "looking at", hosts.len());
    // Looking may be broken off at any moment: nothing handles signals here, so Ctrl-C just ends it.
    let listens = progress.listens();
    let width = Width {
        parallel,
        threads: eyes.threads(parallel.min(hosts.len())),
    };
    let mut show = |event: Event| progress.show(&event);
    let results = fleet::run_tasks(
        hosts,
        width,
        &Stop::new(),
        |host, say| Box::pin(async move { eyes.look(host, &|words| say.at(words)).await }),
        listens.then_some(&mut show),
    );
    let verdicts: BTreeMap<HostName, HostVerdict> = results
        .into_iter()
        .map(|(host, result)| (host, result.unwrap_or_else(not_run)))
        .collect();
    Plan {
        murder: murder.to_owned(),
        hosts: verdicts,
    }
}

fn not_run(why: NotRun) -> HostVerdict {
    let words = match why {
        NotRun::Stopped => "it was stopped before its turn".to_owned(),
        NotRun::Panicked(words) | NotRun::NoThread(words) => words,
    };
    HostVerdict {
        verdict: Verdict::Failed {
            error: own_fault(words),
        },
        remarks: Vec::new(),
        stopped: false,
    }
}

/// A fault of the program itself, on one host.
#[must_use]
pub fn own_fault(words: String) -> Failure {
    Failure {
        summary: "murder itself failed here".to_owned(),
        detail: Some(words),
        hint: Some("this is a fault of murder: please report it with these words".to_owned()),
    }
}

/// A plan in the format that was asked for.
///
/// # Errors
/// What serialising or writing into a string cannot give for a plan; in words.
pub fn shown(
    plan: &Plan,
    format: PlanFormat,
    detail: Detail,
    color: bool,
) -> Result<String, String> {
    let mut text = String::new();
    match format {
        PlanFormat::Text => report::text::write_plan(plan, detail, color, &mut text)
            .map_err(|error| error.to_string())?,
        PlanFormat::Markdown => report::markdown::write_plan(plan, detail, &mut text)
            .map_err(|error| error.to_string())?,
        PlanFormat::Json => {
            text = report::json::of_plan(plan).map_err(|error| error.to_string())?;
        }
    }
    Ok(text)
}

/// Prints data that was made, or says why it was not; [`Exit::Refused`] where it could not be.
pub fn deliver(text: Result<String, String>, terminal: &Terminal) -> Exit {
    match text {
        Ok(text) if terminal.print(&text) => Exit::Done,
        Ok(_) => Exit::Refused,
        Err(error) => {
            terminal.error(&error);
            Exit::Refused
        }
    }
}

/// How a plan ends the program: changes count as `pending`.
#[must_use]
pub fn verdict(plan: &Plan, pending: Exit) -> Exit {
    plan.hosts
        .values()
        .map(|host| match &host.verdict {
            Verdict::Converged => Exit::Done,
            Verdict::Changes(_) => pending,
            Verdict::Unreachable { .. } => Exit::Unreachable,
            Verdict::Failed { .. } => Exit::Failed,
        })
        .fold(Exit::Done, Exit::or)
}
