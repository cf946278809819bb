//! `murder drift`: plan for cron.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use super::command_line::command_line;
use super::error::CliError;
use super::exit::Exit;
use super::notify::{Notifier, NotifyArguments};
use super::open::Watched;
use super::output::{self, Diff, PlanFormat, PlanOutput};
use super::reach::ReachArguments;
use super::shard::ShardArguments;
use super::terminal::Terminal;
use super::{Selection, StrangerArguments, open};
use crate::import::kept::kept_as_manifest;
use crate::plan::{Plan, Verdict};
use crate::replace_file::replace;
use crate::report::drift::DriftReport;
use crate::report::forge::Forge;
use crate::report::json;
use crate::report::metrics::{self, RunMetrics};
use crate::session::provenance;

/// The forms of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DriftFormat {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
    /// For programs: one event a line, as it happens.
    Jsonl,
    /// For reviews.
    Markdown,
}

/// How drift is shown.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct DriftOutput {
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = DriftFormat::Text)]
    pub format: DriftFormat,
    /// How much of each file is shown.
    #[arg(long, value_enum, value_name = "MUCH", default_value_t = Diff::Context)]
    pub diff: Diff,
    /// With `--format markdown`: the longest text, in bytes, or where it is posted: github, gitlab, bitbucket or azure.
    /// What is too long is left out, and named.
    #[arg(long, value_name = "FORGE|BYTES")]
    pub limit: Option<Forge>,
}

impl DriftArguments {
    /// Whether its output is a stream of events.
    #[must_use]
    pub fn writes_events(&self) -> bool {
        self.look.format == DriftFormat::Jsonl
    }
}

impl DriftOutput {
    /// The same for a plan. Events are no form of a plan.
    fn of_plan(self) -> PlanOutput {
        PlanOutput {
            format: match self.format {
                DriftFormat::Text => PlanFormat::Text,
                DriftFormat::Json | DriftFormat::Jsonl => PlanFormat::Json,
                DriftFormat::Markdown => PlanFormat::Markdown,
            },
            diff: self.diff,
            limit: self.limit,
        }
    }
}

/// Arguments of `murder drift`.
#[derive(Debug, Args)]
pub struct DriftArguments {
    /// The manifest and the selected hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
    /// The part of the hosts for this runner.
    #[command(flatten)]
    pub shard: ShardArguments,
    /// Report changes of the manifest that are not applied yet too, and return exit code 2 for them.
    #[arg(long)]
    pub pending: bool,
    /// Write metrics into this file, for the textfile collector of Prometheus' node_exporter. There its name must end in
    /// `.prom`.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub metrics: Option<PathBuf>,
    /// Print the manifest that keeps what was changed on the hosts, also what is held there: each value in the widest layer
    /// (`defaults`, `modules.ROLE`, a site, a range, a host) that is right for every host that it holds for, with its place.
    #[arg(long, conflicts_with_all = ["metrics", "notify", "format", "diff", "pending"])]
    pub as_manifest: bool,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: ReachArguments,
    /// How drift is shown.
    #[command(flatten)]
    pub look: DriftOutput,
    /// Who is told.
    #[command(flatten)]
    pub notify: NotifyArguments,
}

/// Runs the verb. It prints nothing if every host answered, none was changed, and Postfix runs on all of them, because
/// cron sends all output as mail. A JSON document is printed in any case.
///
/// # Errors
/// If no host could be contacted, or standard output cannot be written.
pub fn run(arguments: &DriftArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    if arguments.as_manifest {
        return as_manifest(arguments, terminal);
    }
    arguments.look.of_plan().check()?;
    let notifier = Notifier::begin(&arguments.notify, terminal)?;
    let mut said = String::new();
    let ended = look(arguments, &notifier, &mut said, terminal);
    let exit = match &ended {
        Ok(exit) => *exit,
        Err(error) => error.exit(),
    };
    notifier.end(exit, &said, terminal);
    ended
}

/// Prints what was changed on the hosts as a manifest. Its exit code is about the hosts that gave no answer alone.
fn as_manifest(arguments: &DriftArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let selection = arguments.selection.of_stranger(arguments.stranger);
    let (loaded, plan) = open::without_holds(&selection, &arguments.reach, terminal)?;
    let (text, lacking) = kept_as_manifest(&loaded, &plan);
    for line in lacking {
        terminal.report(&format!("warning: {line}"));
    }
    let mut exit = Exit::Done;
    for (host, verdict) in &plan.hosts {
        if let Verdict::Unreachable { error } | Verdict::Failed { error } = &verdict.verdict {
            terminal.report(&format!("warning: {host}: {}", error.summary));
            exit = exit.or(Exit::of_verdict(&verdict.verdict, Exit::Done));
        }
    }
    output::deliver(Ok(text), exit, terminal)
}

/// Looks at the hosts, writes the metrics, and tells who is to be told; `said` becomes the report as text.
fn look(
    arguments: &DriftArguments,
    notifier: &Notifier,
    said: &mut String,
    terminal: &Terminal,
) -> Result<Exit, CliError> {
    let selection = arguments.selection.of_stranger(arguments.stranger);
    let selection = selection.of_shard(arguments.shard);
    let events = arguments.writes_events();
    let watched = open::watched(&selection, &arguments.reach, events, terminal)?;
    let now = provenance::run(SystemTime::now()).at;
    let report = DriftReport {
        plan: &watched.plan,
        notes: &watched.notes,
        pending: arguments.pending,
        now: &now,
    };
    // A notification says it once; cron sends this by mail at each run.
    if !notifier.tells() {
        warn_of_overdue(report.plan, &now, terminal);
    }
    let exit = exit(report.plan, arguments.pending);
    let wrote = match &arguments.metrics {
        Some(path) => write_metrics(path, &report, &watched),
        None => Ok(()),
    };
    // None of these keeps the others from their turn.
    let told = notifier.tell(&watched, terminal);
    let printed = print(arguments, &report, exit, terminal);
    *said = report.brief();
    let done = wrote.and(told);
    let ended = done.map_err(|error| error.or(exit)).and(printed);
    match &watched.events {
        Some(events) => events.ended(ended),
        None => ended,
    }
}

/// Warns of maintenances that were due to end, although `drift` prints no other warning of the manifest.
fn warn_of_overdue(plan: &Plan, now: &str, terminal: &Terminal) {
    for (host, verdict) in &plan.hosts {
        if let Verdict::Maintenance(one) = &verdict.verdict
            && one.is_overdue(now)
            && terminal.quiet
        {
            terminal.report(&format!(
                "warning: the maintenance of `{host}` is overdue: it was due to end at {}",
                one.until
            ));
        }
    }
}

/// Writes the metrics of the run.
fn write_metrics(path: &Path, report: &DriftReport<'_>, watched: &Watched) -> Result<(), CliError> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let run = RunMetrics {
        revision: watched.loaded.revision(),
        ended: since.map_or(0, |since| since.as_secs()),
        phases: watched.phases.clone(),
        before: &before,
    };
    let text = metrics::write(report, &run);
    replace(path, text.as_bytes(), Some(0o644)).map_err(|error| {
        CliError::message(format!(
            "cannot write the metrics to {}: {error}",
            path.display()
        ))
    })
}

/// Prints the report where there is something to say.
fn print(
    arguments: &DriftArguments,
    report: &DriftReport<'_>,
    exit: Exit,
    terminal: &Terminal,
) -> Result<Exit, CliError> {
    if arguments.writes_events() {
        return Ok(exit);
    }
    let look = arguments.look.of_plan();
    if exit == Exit::Done && look.format != PlanFormat::Json {
        return Ok(exit);
    }
    let selection = arguments.selection.of_stranger(arguments.stranger);
    let command = command_line("drift", &selection, &arguments.reach, None);
    output::deliver(text(look, report, &command, terminal), exit, terminal)
}

/// The exit code of all hosts; `pending` says whether changes of the manifest that are not applied count.
fn exit(plan: &Plan, pending: bool) -> Exit {
    let waits = if pending { Exit::Pending } else { Exit::Done };
    let orphaned = match plan.orphans().is_empty() {
        true => Exit::Done,
        false => Exit::Pending,
    };
    let hosts = plan.hosts.values();
    hosts
        .map(|host| Exit::of_condition(host.condition(), waits))
        .fold(orphaned, Exit::or)
}

/// What drift found, in the form that was asked for. `command` is the one that shows all of it.
///
/// # Errors
/// None that a report can cause.
pub fn text(
    look: PlanOutput,
    report: &DriftReport<'_>,
    command: &str,
    terminal: &Terminal,
) -> Result<String, CliError> {
    let (detail, color) = (look.diff.into(), terminal.color_out);
    match look.format {
        PlanFormat::Json => output::serialised(json::of_drift(report)),
        PlanFormat::Markdown => look.plan(&report.shown(), command, None, terminal),
        PlanFormat::Text => output::written(|text| report.write(detail, color, text)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::name::HostName;
    use crate::plan::HostVerdict;
    use crate::report::drift;

    #[test]
    fn a_stopped_postfix_ends_with_2() {
        let plan = |stopped| Plan {
            murder: "example.org".to_owned(),
            hosts: BTreeMap::from([(
                HostName::new("a.example.org").unwrap(),
                HostVerdict {
                    stopped,
                    ..HostVerdict::of(Verdict::Converged)
                },
            )]),
            own_names: BTreeMap::new(),
        };
        for pending in [false, true] {
            assert_eq!(exit(&plan(true), pending), Exit::Pending);
            assert_eq!(exit(&plan(false), pending), Exit::Done);
        }
        assert_eq!(drift::sentence(&plan(true)), "1 host: 1 stopped");
    }
}
