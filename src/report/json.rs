//! Reports as JSON, for programs.
//!
//! The form is versioned by `format_version`, `MAJOR.MINOR`: a new field raises the minor number,
//! so readers ignore what they do not know; a removed or changed one raises the major number. Nothing in it is secret: texts are
//! masked as in the text form.
//!
//! A plan has `format_version`, `murder`, `summary` (the figures of [`Summary`]) and `hosts`: by
//! name, `verdict` (`converged`, `changes`, `unreachable`, `failed`) with `steps` and `refusals`
//! or `error`, and `remarks`. A step has its kind in `step`; a change has its kind in `action`,
//! with `before` and `after` as far as there is one. An apply has `hosts` with an `outcome` each.

use serde::Serialize;

use super::Summary;
use crate::outcome::Applied;
use crate::plan::{Change, Failure, FileState, HostPlan, Plan, Step, Verdict};
use crate::secret::mask;
use crate::thing::Thing;

#[derive(Serialize)]
struct PlanDocument<'a> {
    format_version: &'a str,
    murder: &'a str,
    summary: Summary,
    hosts: &'a std::collections::BTreeMap<crate::name::HostName, crate::plan::HostVerdict>,
}

/// A plan as a JSON document that ends with a line end.
///
/// # Errors
/// None that a plan can cause; serde's, passed on.
pub fn of_plan(plan: &Plan) -> Result<String, serde_json::Error> {
    let plan = masked(plan.clone());
    pretty(&PlanDocument {
        format_version: plan.format_version,
        murder: &plan.murder,
        summary: Summary::of(&plan),
        hosts: &plan.hosts,
    })
}

/// What an apply did, as a JSON document that ends with a line end.
///
/// # Errors
/// None that a report can cause; serde's, passed on.
pub fn of_apply(applied: &Applied) -> Result<String, serde_json::Error> {
    let mut applied = applied.clone();
    for outcome in applied.hosts.values_mut() {
        if let Some(failure) = outcome.failure_mut() {
            mask_failure(failure);
        }
        if let Some(plan) = outcome.remaining_mut() {
            mask_host(plan);
        }
    }
    pretty(&applied)
}

fn pretty(document: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| text + "\n")
}

/// The plan with everything masked by its key. The plan is masked where it is made; text that
/// leaves the program is masked again, since a slip there would be read by many.
fn masked(mut plan: Plan) -> Plan {
    for host in plan.hosts.values_mut() {
        match &mut host.verdict {
            Verdict::Converged => {}
            Verdict::Changes(plan) => mask_host(plan),
            Verdict::Unreachable { error } | Verdict::Failed { error } => mask_failure(error),
        }
        for remark in &mut host.remarks {
            remark.text = mask::mask_secrets(&remark.text);
        }
    }
    plan
}

fn mask_host(plan: &mut HostPlan) {
    for step in &mut plan.steps {
        match step {
            Step::File { path, change, .. } => {
                each(change, |state| mask_state(path.as_str(), state));
            }
            Step::Delete { path, before, .. } => mask_state(path.as_str(), before),
            Step::Value { thing, change, .. } => {
                let name = match thing {
                    Thing::Parameter(name) | Thing::Option(_, name) => name.to_string(),
                    Thing::File(_) | Thing::Service(_) | Thing::Field(..) => String::new(),
                };
                each(change, |value| *value = mask::mask_value(&name, value));
            }
            Step::Sweep { .. }
            | Step::Index { .. }
            | Step::Check
            | Step::Reload { .. }
            | Step::Restart { .. }
            | Step::Probe { .. }
            | Step::TakeOver { .. }
            | Step::Release { .. } => {}
        }
    }
}

fn each<T>(change: &mut Change<T>, mut work: impl FnMut(&mut T)) {
    match change {
        Change::Create { after } => work(after),
        Change::Update { before, after } => {
            work(before);
            work(after);
        }
        Change::Delete { before } => work(before),
    }
}

fn mask_state(path: &str, state: &mut FileState) {
    if let Some(text) = &mut state.text {
        *text = mask::mask_file(path, text);
    }
}

fn mask_failure(failure: &mut Failure) {
    failure.summary = mask::mask_secrets(&failure.summary);
    if let Some(detail) = &mut failure.detail {
        *detail = mask::mask_secrets(detail);
    }
}
