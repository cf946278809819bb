//! Reads reports in JSON back, to show them as the verb that wrote them would have. What a report leaves out (hashes, ledgers)
//! is not shown by any form.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::merge::{MergedReport, ReportKind};
use crate::attribution::{Attribution, HostNotes};
use crate::ledger::{Applied, LEDGER_VERSION, Ledger};
use crate::name::{HostName, TableType};
use crate::outcome::{ApplyResult, Outcome};
use crate::plan::{
    Condition, Expects, HostPlan, HostVerdict, OwnNames, Plan, Refusal, Step, Verdict,
};

/// A report, read back.
#[derive(Debug)]
pub enum ReadReport {
    /// Of `plan`.
    Plan(Plan),
    /// Of `drift`, with what else it knew of hosts.
    Drift(Plan, BTreeMap<HostName, HostNotes>),
    /// Of `apply`.
    Apply(ApplyResult),
}

/// What a report of drift has of a host beside its plan.
#[derive(Deserialize)]
struct Notes {
    generation: Option<u64>,
    applied: Option<Applied>,
    changes: Vec<Attribution>,
}

/// Reads a report.
///
/// # Errors
/// Which host's part cannot be read, and why.
pub fn read(report: &MergedReport) -> Result<ReadReport, String> {
    let document = &report.document;
    let murder = document.get("murder").and_then(Value::as_str);
    let murder = murder.unwrap_or_default().to_owned();
    // A run without hosts: only that of an apply has no figures.
    let kind = report.kind.unwrap_or(match document.get("summary") {
        Some(_) => ReportKind::Plan,
        None => ReportKind::Apply,
    });
    Ok(match kind {
        ReportKind::Apply => ReadReport::Apply(ApplyResult {
            murder,
            hosts: each(document, outcome)?,
        }),
        ReportKind::Plan => ReadReport::Plan(plan(murder, document)?),
        ReportKind::Drift => ReadReport::Drift(plan(murder, document)?, each(document, notes)?),
    })
}

/// What a function makes of the report of each host.
fn each<T>(
    document: &Value,
    one: impl Fn(&Map<String, Value>) -> Result<T, String>,
) -> Result<BTreeMap<HostName, T>, String> {
    let hosts = document.get("hosts").and_then(Value::as_object);
    let hosts = hosts.into_iter().flatten();
    hosts
        .map(|(name, value)| {
            let cannot = |why: String| format!("the report of `{name}` cannot be read: {why}");
            let host = HostName::new(name.clone()).map_err(|error| cannot(error.to_string()))?;
            let value = value.as_object().ok_or_else(|| cannot(String::new()))?;
            Ok((host, one(value).map_err(cannot)?))
        })
        .collect()
}

fn plan(murder: String, document: &Value) -> Result<Plan, String> {
    let own_names = each(document, |host| field::<OwnNames>(host, "own_names"))?;
    Ok(Plan {
        murder,
        hosts: each(document, verdict)?,
        own_names: own_names
            .into_iter()
            .filter(|(_, own)| *own != OwnNames::default())
            .collect(),
    })
}

fn notes(host: &Map<String, Value>) -> Result<HostNotes, String> {
    let notes: Notes = value(Value::Object(host.clone()))?;
    Ok(HostNotes {
        observed: 0,
        generation: notes.generation,
        applied: notes.applied,
        running: BTreeMap::new(),
        changes: notes.changes,
    })
}

fn outcome(host: &Map<String, Value>) -> Result<Outcome, String> {
    match host.get("outcome").and_then(Value::as_str) {
        Some("remains") => {
            let plan = host.get("plan").and_then(Value::as_object);
            Ok(Outcome::Remains {
                plan: Box::new(host_plan(plan.ok_or("it has no `plan`")?, false)?),
            })
        }
        Some("refused") => Ok(Outcome::Refused {
            refusals: refusals(host)?,
        }),
        _ => value(Value::Object(host.clone())),
    }
}

fn verdict(host: &Map<String, Value>) -> Result<HostVerdict, String> {
    let verdict = match host.get("verdict").and_then(Value::as_str) {
        Some("changes") => {
            let drifted = field::<Option<Condition>>(host, "condition")?;
            let drifted = drifted == Some(Condition::Drifted);
            Verdict::Changes(Box::new(host_plan(host, drifted)?))
        }
        _ => value(Value::Object(host.clone()))?,
    };
    Ok(HostVerdict {
        verdict,
        remarks: field(host, "remarks")?,
        stopped: field(host, "stopped")?,
        held: field(host, "held")?,
        orphans: field(host, "orphans")?,
        queue: field(host, "queue")?,
    })
}

/// The steps and refusals of a host. Whether an index that is missing counts as drift depends on the generation of the
/// ledger, which a report leaves out: `drifted` is what the report says.
fn host_plan(host: &Map<String, Value>, drifted: bool) -> Result<HostPlan, String> {
    let ledger = Ledger {
        version: LEDGER_VERSION,
        host_key: None,
        murder: String::new(),
        generation: if drifted { 2 } else { 1 },
        services: BTreeMap::new(),
        applied: None,
        hosts: Vec::new(),
        facts: None,
    };
    let steps = host.get("steps").and_then(Value::as_array);
    let steps = steps.into_iter().flatten();
    Ok(HostPlan {
        steps: steps.map(step).collect::<Result<_, _>>()?,
        refusals: refusals(host)?,
        ..HostPlan::empty(ledger, Expects::default())
    })
}

fn refusals(host: &Map<String, Value>) -> Result<Vec<Refusal>, String> {
    field(host, "refusals")
}

/// A step in the form of a plan in memory: its service is one word, and each file has a hash. Hashes are not in a report;
/// here they only say whether two texts differ.
fn step(step: &Value) -> Result<Step, String> {
    let mut step = step.as_object().ok_or("a step is no object")?.clone();
    let service = match step.remove("instance") {
        Some(instance) => Some(instance),
        None => step.get("service").cloned(),
    };
    step.extend(service.map(|service| ("service".to_owned(), service)));
    let masked = step.remove("masked_differs").is_some();
    if step.get("step").and_then(Value::as_str) == Some("file")
        && let Some(change) = step.get_mut("change")
    {
        for (state, sha256) in [("before", ""), ("after", if masked { "other" } else { "" })] {
            if let Some(state) = change.get_mut(state) {
                hashed(state, sha256);
            }
        }
    }
    if step.get("step").and_then(Value::as_str) == Some("delete") {
        if let Some(before) = step.get_mut("before") {
            hashed(before, "");
        }
        let suffix = step.remove("index_suffix");
        let suffix = suffix.as_ref().and_then(Value::as_str);
        let index_type = suffix.and_then(TableType::of_index_suffix);
        step.insert("index_type".to_owned(), value_of(&index_type)?);
    }
    value(Value::Object(step))
}

/// Adds a hash to the state of a file.
fn hashed(state: &mut Value, sha256: &str) {
    if let Some(state) = state.as_object_mut() {
        state.insert("sha256".to_owned(), sha256.into());
    }
}

/// A field, or the default of its type where it is absent.
fn field<T: DeserializeOwned + Default>(
    host: &Map<String, Value>,
    name: &str,
) -> Result<T, String> {
    match host.get(name) {
        None => Ok(T::default()),
        Some(found) => value(found.clone()).map_err(|why| format!("`{name}`: {why}")),
    }
}

fn value<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn value_of(of: &impl serde::Serialize) -> Result<Value, String> {
    serde_json::to_value(of).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use proptest::prelude::*;

    use super::*;
    use crate::plan::tests as any_plan;
    use crate::report::{Detail, json, merge, text};

    /// What is read back from the JSON of a plan.
    fn back(plan: &Plan) -> (Plan, String) {
        let json = json::of_plan(plan).unwrap();
        let document = serde_json::from_str(&json).unwrap();
        let merged = merge::merge(&[("one.json".to_owned(), document)]).unwrap();
        match read(&merged) {
            Ok(ReadReport::Plan(plan)) => (plan, json),
            other => panic!("{other:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_plan_that_is_read_back_shows_the_same(plan in any_plan::plan()) {
            let (read, json) = back(&plan);
            prop_assert_eq!(&json::of_plan(&read).unwrap(), &json);
            for detail in [Detail::Summary, Detail::Context, Detail::Full] {
                let shown = |plan: &Plan| {
                    let mut shown = String::new();
                    text::write_plan(plan, detail, false, &mut shown).unwrap();
                    shown
                };
                prop_assert_eq!(shown(&read), shown(&plan));
            }
        }
    }
}
