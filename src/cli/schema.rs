//! `murder schema`.

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::exit::Exit;
use super::output;
use super::terminal::Terminal;
use crate::manifest;
use crate::notify::{notification_schema, state_schema};
use crate::plan::saved::plan_schema;
use crate::report::check::check_schema;
use crate::report::comparison::diff_schema;
use crate::report::events::events_schema;
use crate::report::history::history_schema;
use crate::report::history_all::history_all_schema;
use crate::report::json::{apply_schema, drift_schema, plan_report_schema};
use crate::report::lock::unlock_schema;
use crate::report::route_json::trace_schema;
use crate::report::verify_json::verify_schema;
use crate::session::live_file::live_schema;

/// Arguments of `murder schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Of which document.
    #[arg(value_enum, default_value_t = SchemaDocument::Manifest)]
    pub document: SchemaDocument,
}

/// The documents that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaDocument {
    /// The manifest.
    Manifest,
    /// A saved plan (`plan --out`).
    Plan,
    /// A plan as `plan` and `show` print it with `--format json`.
    PlanReport,
    /// What an apply did (`apply --format json`).
    Apply,
    /// What has drifted (`drift --format json`).
    Drift,
    /// The problems of a manifest (`check --format json`).
    Check,
    /// The history of a host (`history HOST --format json`).
    History,
    /// The history of all hosts (`history --format json`).
    HistoryAll,
    /// The difference of two manifests (`diff --format json`).
    Diff,
    /// A line of `--format jsonl`.
    Events,
    /// A live file (`observe --out`).
    Live,
    /// The routes of mail and the audit of the directory (`verify --format json`).
    Verify,
    /// A line of `trace --format json`.
    Trace,
    /// The lock of a host (`unlock --format json`).
    Unlock,
    /// What `drift --notify json:URL` sends.
    Notification,
    /// The state file of `drift --state`.
    State,
}

/// Runs the verb.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(arguments: &SchemaArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let schema = match arguments.document {
        SchemaDocument::Manifest => manifest::schema(),
        SchemaDocument::Plan => plan_schema(),
        SchemaDocument::PlanReport => plan_report_schema(),
        SchemaDocument::Apply => apply_schema(),
        SchemaDocument::Drift => drift_schema(),
        SchemaDocument::Check => check_schema(),
        SchemaDocument::History => history_schema(),
        SchemaDocument::HistoryAll => history_all_schema(),
        SchemaDocument::Diff => diff_schema(),
        SchemaDocument::Events => events_schema(),
        SchemaDocument::Live => live_schema(),
        SchemaDocument::Verify => verify_schema(),
        SchemaDocument::Trace => trace_schema(),
        SchemaDocument::Unlock => unlock_schema(),
        SchemaDocument::Notification => notification_schema(),
        SchemaDocument::State => state_schema(),
    };
    output::print(format!("{schema:#}\n").as_bytes(), terminal)?;
    Ok(Exit::Done)
}
