//! Reports as JSON, for programs.
//!
//! The form is versioned by `format_version`, `MAJOR.MINOR`: a new field raises the minor number,
//! so readers ignore what they do not know; a removed or changed one raises the major number. It is
//! not the form in which a plan is stored: [`view`] names each field that is public, and masks
//! every text. No secret, and no hash of bytes that may hold one, is in it.
//!
//! A plan has `format_version`, `murder`, `summary` (the figures of [`Summary`]) and `hosts`: by
//! name, `verdict` (`converged`, `changes`, `unreachable`, `failed`) with `steps` and `refusals`
//! or `error`, its `condition` (`converged`, `pending`, `drifted`, `stopped`, `unreachable`, `failed`), `remarks`, and the
//! `queue` (`deferred` and `active` messages, each counted to 10001 at most) where the host
//! says it. A step has its kind in `step`, its `service`, and the
//! `instance` of Postfix where that is not the default one; a change has its kind in `action`, with `before` and `after` as far as there is one. A refusal has its `kind`, a `summary`, and the
//! `flag` of `apply` that lifts it, where there is one. An apply has `hosts` with an `outcome` each.
//! `murder schema` prints the JSON Schema of each.

mod drift_view;
mod outcome_view;
mod view;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::drift::DriftReport;
use super::schema::written;
use super::summary::Summary;
use crate::name::HostName;
use crate::outcome::ApplyResult;
use crate::plan::Plan;
use crate::plan::mail_change::MailChange;
use crate::plan::saved::DirectoryKind;
use drift_view::DriftView;
use outcome_view::OutcomeView;
use view::HostView;

pub(super) use view::ServiceView;

/// The version of the JSON forms of reports.
pub const FORMAT_VERSION: &str = "1.4";

/// What `plan` and `show` print with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder plan")]
struct PlanDocument<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'a str,
    /// The manifest's `murder`.
    murder: &'a str,
    summary: Summary,
    hosts: BTreeMap<&'a HostName, HostView<'a>>,
    /// What it means for mail, where that was asked. The verb adds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<PlanMail>,
}

/// What a plan means for mail.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the schema of what `MailReport` holds")]
enum PlanMail {
    /// The directory could not be read.
    NotRead {
        /// Why.
        failure: String,
    },
    /// Judged by this run.
    Judged(MailChange),
    /// Judged when the plan was saved.
    Saved(SavedMail),
}

/// What a saved plan means for mail, by the directory of that time.
#[derive(Serialize, JsonSchema)]
struct SavedMail {
    #[serde(flatten)]
    means: MailChange,
    /// When: RFC 3339, UTC.
    judged_at: String,
    judged_by: DirectoryKind,
}

/// What `apply` prints with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder apply")]
struct ApplyDocument<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'a str,
    /// The manifest's `murder`.
    murder: &'a str,
    hosts: BTreeMap<&'a HostName, OutcomeView<'a>>,
}

/// What `drift` prints with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder drift")]
struct DriftDocument<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'a str,
    /// The manifest's `murder`.
    murder: &'a str,
    summary: Summary,
    hosts: BTreeMap<&'a HostName, DriftView<'a>>,
}

/// The JSON Schema of [`of_plan`] (`murder schema plan-report`).
#[must_use]
pub fn plan_report_schema() -> Value {
    written::<PlanDocument<'_>>()
}

/// The JSON Schema of [`of_apply`] (`murder schema apply`).
#[must_use]
pub fn apply_schema() -> Value {
    written::<ApplyDocument<'_>>()
}

/// The JSON Schema of [`of_drift`] (`murder schema drift`).
#[must_use]
pub fn drift_schema() -> Value {
    written::<DriftDocument<'_>>()
}

/// A plan as a JSON document that ends with a line end.
///
/// # Errors
/// None that a plan can cause; serde's, passed on.
pub fn of_plan(plan: &Plan) -> Result<String, serde_json::Error> {
    let hosts = plan.hosts.iter();
    pretty(&PlanDocument {
        format_version: FORMAT_VERSION,
        murder: &plan.murder,
        summary: Summary::of(plan),
        hosts: hosts
            .map(|(name, host)| (name, HostView::of(host, plan.own_names.get(name))))
            .collect(),
        mail: None,
    })
}

/// What `drift` found, as a JSON document that ends with a line end: that of the plan, with more for each host.
///
/// # Errors
/// As [`of_plan`].
pub fn of_drift(report: &DriftReport<'_>) -> Result<String, serde_json::Error> {
    let hosts = report.plan.hosts.iter();
    pretty(&DriftDocument {
        format_version: FORMAT_VERSION,
        murder: &report.plan.murder,
        summary: Summary::of(report.plan),
        hosts: hosts
            .map(|(name, host)| {
                (
                    name,
                    DriftView::of(
                        host,
                        report.plan.own_names.get(name),
                        report.notes.get(name),
                        report.now,
                    ),
                )
            })
            .collect(),
    })
}

/// What an apply did, as a JSON document that ends with a line end.
///
/// # Errors
/// None that a report can cause; serde's, passed on.
pub fn of_apply(applied: &ApplyResult) -> Result<String, serde_json::Error> {
    let hosts = applied.hosts.iter();
    pretty(&ApplyDocument {
        format_version: FORMAT_VERSION,
        murder: &applied.murder,
        hosts: hosts
            .map(|(name, outcome)| (name, OutcomeView::of(outcome)))
            .collect(),
    })
}

fn pretty(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| text + "\n")
}
