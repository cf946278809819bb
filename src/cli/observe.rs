//! `murder observe`: reads the hosts into a file from which `plan --live` plans without keys and secrets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::reach::ReachArguments;
use super::save::write;
use super::shard::ShardArguments;
use super::terminal::Terminal;
use super::{Selection, ask, open};
use crate::name::HostName;
use crate::plan::{Failure, Plan, Verdict};
use crate::report::line::count;
use crate::session::live_file::{HostObservation, LiveFileDocument};
use crate::session::worker;

/// Arguments of `murder observe`.
#[derive(Debug, Args)]
pub struct ObserveArguments {
    /// The manifest and the selected hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// The part of the hosts for this runner.
    #[command(flatten)]
    pub shard: ShardArguments,
    /// The file for what is found. It holds no secret, and may be published.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: PathBuf,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: ReachArguments,
}

/// Runs the verb.
///
/// # Errors
/// If no host was contacted, or the file cannot be written.
pub fn run(arguments: &ObserveArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let selection = arguments.selection.clone().of_shard(arguments.shard);
    let (loaded, hosts) = open::hosts(&selection, terminal)?;
    let reach = arguments.reach.of_selection(&selection);
    let ask = Box::new(ask::passphrase);
    let (observer, warnings) = worker::observer(&loaded, &hosts, &reach, ask)
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&warnings, &loaded.sources);
    let murder = &loaded.murder;
    let plan = open::plan(murder, &hosts, &*observer, reach.parallel, terminal);
    let mut records = observer.records();
    let mut found = BTreeMap::new();
    let mut exit = Exit::Done;
    for (host, verdict) in &plan.hosts {
        if matches!(verdict.verdict, Verdict::Maintenance(_)) {
            // It was not asked; a plan says so by the manifest.
            continue;
        }
        let (observation, own) = match (records.remove(host), &verdict.verdict) {
            (Some(record), _) => (HostObservation::Observed(Box::new(record)), Exit::Done),
            (None, verdict) => not_observed(host, verdict, terminal),
        };
        exit = exit.or(own);
        found.insert(host.clone(), observation);
    }
    let answered = found
        .values()
        .filter(|one| matches!(one, HostObservation::Observed(_)));
    let answered = answered.count();
    let document = LiveFileDocument::new(plan.murder.clone(), found);
    let (bytes, digest) = document
        .to_bytes()
        .map_err(|error| CliError::message(error.to_string()))?;
    let file = arguments.out.display();
    write(&arguments.out, &bytes)
        .map_err(|error| CliError::message(format!("cannot write `{file}`: {error}")).or(exit))?;
    terminal.say(&format!(
        "observed {answered} of {}; saved to `{file}` (sha256:{digest})",
        of_all(&plan)
    ));
    Ok(exit)
}

fn of_all(plan: &Plan) -> String {
    count(plan.hosts.len(), "host")
}

/// Says why a host was not observed.
fn not_observed(
    host: &HostName,
    verdict: &Verdict,
    terminal: &Terminal,
) -> (HostObservation, Exit) {
    let say = |word: &str, failure: &Failure| {
        let detail = failure.detail.as_deref().unwrap_or_default();
        let line = format!("{host}: {word}: {}", failure.summary);
        terminal.report(format!("{line}\n{detail}").trim_end());
    };
    match verdict {
        Verdict::Unreachable { error } => {
            say("unreachable", error);
            (
                HostObservation::Unreachable(error.clone()),
                Exit::Unreachable,
            )
        }
        Verdict::Failed { error } => {
            say("failed", error);
            (HostObservation::Failed(error.clone()), Exit::Failed)
        }
        Verdict::Converged | Verdict::Changes(_) | Verdict::Maintenance(_) => {
            let error = Failure {
                summary: "it has no record".to_owned(),
                detail: None,
                hint: None,
            };
            say("failed", &error);
            (HostObservation::Failed(error), Exit::Failed)
        }
    }
}
