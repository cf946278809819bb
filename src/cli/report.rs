//! `murder report merge`: the reports of several runners as one, with one exit code.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::error::CliError;
use super::exit::Exit;
use super::output::{deliver, serialised};
use super::terminal::Terminal;
use crate::load;
use crate::report::merge::{MergedReport, ReportKind, merge};

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
    let mut reports = Vec::new();
    for path in &arguments.files {
        let name = path.display().to_string();
        let bytes = load::read_plan(path).map_err(|problem| CliError::arguments(vec![problem]))?;
        let report: Value = serde_json::from_slice(&bytes)
            .map_err(|error| CliError::message(format!("`{name}` is no JSON: {error}")))?;
        reports.push((name, report));
    }
    let merged = merge(&reports).map_err(CliError::message)?;
    let text = serde_json::to_string_pretty(&merged.document).map(|text| text + "\n");
    deliver(serialised(text), exit(&merged, arguments), terminal)
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
    exits.fold(Exit::Done, Exit::or)
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
