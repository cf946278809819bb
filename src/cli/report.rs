//! `murder report merge`: the reports of several runners as one, with one exit code.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::command_line::quoted;
use super::drift;
use super::error::CliError;
use super::exit::Exit;
use super::output::{self, Diff, PlanFormat, PlanOutput, deliver, serialised};
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::load;
use crate::report::drift::DriftReport;
use crate::report::forge::Forge;
use crate::report::merge::{MergedReport, ReportKind, merge};
use crate::report::read_back::{ReadReport, read};

/// Arguments of `murder report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// What to do with reports.
    #[command(subcommand)]
    pub what: ReportVerb,
}

/// What to do with reports.
#[derive(Debug, Subcommand)]
pub enum ReportVerb {
    /// Merge the JSON reports of shards into the report of one run, and end with its exit code.
    Merge(MergeArguments),
}

/// Arguments of `murder report merge`.
#[derive(Debug, Args)]
pub struct MergeArguments {
    /// What `plan`, `drift` or `apply` printed with `--format json` in each shard.
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// The format of the report. Text and Markdown have the words of the verb that wrote the reports.
    #[arg(long, value_enum, default_value_t = PlanFormat::Json)]
    pub format: PlanFormat,
    /// Reports of plans and drift, as text or Markdown: how much of each file is shown.
    #[arg(long, value_enum, value_name = "MUCH", default_value_t = Diff::Context)]
    pub diff: Diff,
    /// With `--format markdown`: the longest text, in bytes, or where it is posted: github, gitlab, bitbucket or azure.
    /// What is too long is left out, and named.
    #[arg(long, value_name = "FORGE|BYTES")]
    pub limit: Option<Forge>,
    /// Reports of plans: return exit code 2 if changes are pending, as `plan` does.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Reports of drift: return exit code 2 for changes of the manifest that are not applied, as `drift` does.
    #[arg(long)]
    pub pending: bool,
}

/// Runs the verb.
///
/// # Errors
/// If a file cannot be read, or is no report that belongs to the others.
pub fn run(arguments: &ReportArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let ReportVerb::Merge(arguments) = &arguments.what;
    arguments.look().check()?;
    let mut reports = Vec::new();
    for path in &arguments.files {
        let name = path.display().to_string();
        let bytes = load::read_plan(path).map_err(|problem| CliError::arguments(vec![problem]))?;
        let report: Value = serde_json::from_slice(&bytes)
            .map_err(|error| CliError::message(format!("`{name}` is no JSON: {error}")))?;
        reports.push((name, report));
    }
    let merged = merge(&reports).map_err(CliError::message)?;
    if !merged.judged.is_empty() {
        terminal.report(&format!(
            "warning: what the plans mean for mail is left out ({}): each shard knows the changes of its own hosts alone\n  help: judge the changes of all hosts by one plan without `--shard`",
            merged.judged.join(", ")
        ));
    }
    let text = text(&merged, arguments, terminal);
    deliver(text, exit(&merged, arguments), terminal)
}

impl MergeArguments {
    fn look(&self) -> PlanOutput {
        PlanOutput {
            format: self.format,
            diff: self.diff,
            limit: self.limit,
        }
    }

    /// The command that shows all of it.
    fn command(&self) -> String {
        let files = self
            .files
            .iter()
            .map(|path| quoted(&path.display().to_string()));
        let files: Vec<String> = files.collect();
        format!("murder report merge {} --format text", files.join(" "))
    }
}

/// The report in the form that was asked for.
fn text(
    merged: &MergedReport,
    arguments: &MergeArguments,
    terminal: &Terminal,
) -> Result<String, CliError> {
    let (look, command) = (arguments.look(), arguments.command());
    if look.format == PlanFormat::Json {
        let text = serde_json::to_string_pretty(&merged.document);
        return serialised(text.map(|text| text + "\n"));
    }
    let read = read(merged).map_err(|why| {
        let problem = Diagnostic::error(why)
            .hint("`--format json` merges reports of any release; to show them, use the `murder` that wrote them");
        CliError::arguments(vec![problem])
    })?;
    match read {
        ReadReport::Plan(plan) => look.plan(&plan, &command, None, terminal),
        ReadReport::Drift(plan, notes) => {
            let report = DriftReport {
                plan: &plan,
                notes: &notes,
                pending: arguments.pending,
                now: "",
            };
            drift::text(look, &report, &command, terminal)
        }
        ReadReport::Apply(applied) => output::text_of_applied(&applied, look, &command, terminal),
    }
}

/// The exit code that one run with these hosts would have.
fn exit(merged: &MergedReport, arguments: &MergeArguments) -> Exit {
    let waits = |flag: bool| if flag { Exit::Pending } else { Exit::Done };
    let hosts = merged.document.get("hosts").and_then(Value::as_object);
    let hosts = hosts.into_iter().flat_map(|hosts| hosts.values());
    let exits = hosts.map(|host| match merged.kind {
        Some(ReportKind::Plan) => of_plan(host, waits(arguments.detailed_exitcode)),
        Some(ReportKind::Drift) => of_drift(host, waits(arguments.pending)),
        Some(ReportKind::Apply) => of_apply(host),
        None => Exit::Done,
    });
    let exit = exits.fold(Exit::Done, Exit::or);
    let orphaned = || merged.document.pointer("/summary/orphaned");
    match merged.kind {
        // As `drift`, which says that they are to be forgotten.
        Some(ReportKind::Drift) if orphaned().and_then(Value::as_u64) > Some(0) => {
            exit.or(Exit::Pending)
        }
        _ => exit,
    }
}

/// See [`Exit::of_verdict`].
fn of_plan(host: &Value, pending: Exit) -> Exit {
    let refused = || {
        let refusals = host.get("refusals").and_then(Value::as_array);
        refusals.is_some_and(|all| !all.is_empty())
    };
    match word(host, "verdict") {
        "converged" | "maintenance" => Exit::Done,
        "changes" if refused() => Exit::Refused,
        "changes" => pending,
        "unreachable" => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

/// See [`Exit::of_condition`].
fn of_drift(host: &Value, pending: Exit) -> Exit {
    match word(host, "condition") {
        "converged" | "held" | "maintenance" => Exit::Done,
        "pending" => pending,
        "drifted" | "stopped" => Exit::Pending,
        "unreachable" => Exit::Unreachable,
        _ => Exit::Failed,
    }
}

/// See [`Exit::of_outcome`].
fn of_apply(host: &Value) -> Exit {
    let allowed = host.get("allowed").and_then(Value::as_bool) == Some(true);
    match word(host, "outcome") {
        "converged" | "maintenance" | "already_applied" | "done" | "not_probed"
        | "fault_remains" => Exit::Done,
        "unreachable" if allowed => Exit::Done,
        "unreachable" | "detached" => Exit::Unreachable,
        "interrupted" => Exit::Interrupted,
        "remains" | "half_way" => Exit::HalfWay,
        "refused" => Exit::Refused,
        "not_attempted" => match word(host, "why") {
            "earlier_failure" => Exit::Done,
            "interrupted" => Exit::Interrupted,
            "deferred_mail" => Exit::Pending,
            _ => Exit::Refused,
        },
        _ => Exit::Failed,
    }
}

fn word<'v>(host: &'v Value, key: &str) -> &'v str {
    host.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::exchange::NotDone;
    use crate::outcome::{Outcome, Postponed};
    use crate::plan::{Condition, Failure};

    #[test]
    fn outcomes_and_conditions_have_the_code_of_a_run() {
        let error = || Failure {
            summary: "x".to_owned(),
            detail: None,
            hint: None,
        };
        let unreachable = |allowed| Outcome::Unreachable {
            error: error(),
            allowed,
        };
        let postponed = [
            Postponed::EarlierFailure,
            Postponed::Interrupted,
            Postponed::Refused,
            Postponed::Declined,
            Postponed::DeferredMail,
        ];
        let stale = NotDone::Stale {
            thing: "main.cf".to_owned(),
        };
        let mut outcomes = vec![
            Outcome::Converged,
            Outcome::AlreadyApplied,
            Outcome::Interrupted,
            Outcome::Done {
                log: Vec::new(),
                stopped: Vec::new(),
            },
            Outcome::Detached { error: error() },
            Outcome::Failed { error: error() },
            Outcome::Refused {
                refusals: Vec::new(),
            },
            Outcome::NotDone(stale),
            unreachable(true),
            unreachable(false),
        ];
        outcomes.extend(postponed.map(Postponed::outcome));
        for outcome in outcomes {
            let value = serde_json::to_value(&outcome).unwrap();
            assert_eq!(of_apply(&value), Exit::of_outcome(&outcome), "{value}");
        }
        for condition in Condition::ALL {
            let value = serde_json::json!({ "condition": condition });
            for pending in [Exit::Done, Exit::Pending] {
                assert_eq!(
                    of_drift(&value, pending),
                    Exit::of_condition(condition, pending)
                );
            }
        }
    }
}
