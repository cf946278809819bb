//! The reports of several runs as the report of one: those of plans, of drift, or of applies, as JSON.

use serde_json::{Map, Value};

/// What reports are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// `plan --format json`.
    Plan,
    /// `drift --format json`.
    Drift,
    /// `apply --format json`.
    Apply,
}

/// A report of several runs.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedReport {
    /// The report, as one run would have it.
    pub document: Value,
    /// What it is about. None where no run had a host.
    pub kind: Option<ReportKind>,
    /// The reports that say what their plan means for mail. That is left out: each knows the changes of its own hosts
    /// alone, and together they do not say what all changes mean.
    pub judged: Vec<String>,
}

/// Merges reports, each with its name for messages.
///
/// # Errors
/// What keeps them from being one report.
pub fn merge(reports: &[(String, Value)]) -> Result<MergedReport, String> {
    let Some((first, document)) = reports.first() else {
        return Err("there is no report".to_owned());
    };
    let mut whole = match document {
        Value::Object(map) => map.clone(),
        _ => return Err(format!("`{first}` is no report of murder")),
    };
    let mut hosts: Map<String, Value> = Map::new();
    let mut summary: Option<Map<String, Value>> = None;
    let (mut kind, mut judged) = (None, Vec::new());
    whole.remove("mail");
    for (name, report) in reports {
        same_heads((first, document), (name, report))?;
        let Some(own) = report.get("hosts").and_then(Value::as_object) else {
            return Err(format!(
                "`{name}` is no report of murder: it has no `hosts`"
            ));
        };
        if report.get("mail").is_some() {
            judged.push(name.clone());
        }
        if let Some(figures) = report.get("summary").and_then(Value::as_object) {
            add(summary.get_or_insert_default(), figures);
        }
        for (host, value) in own {
            let of_host = kind_of(value);
            let of_host = of_host
                .ok_or_else(|| format!("`{name}` is no report of plans, drift or applies"))?;
            if *kind.get_or_insert(of_host) != of_host {
                return Err(format!(
                    "`{name}` is a report of another verb than the ones before it"
                ));
            }
            if hosts.insert(host.clone(), value.clone()).is_some() {
                return Err(format!(
                    "`{host}` is in two reports; the second one is `{name}`"
                ));
            }
        }
    }
    hosts.sort_keys();
    if let Some(summary) = summary {
        whole.insert("summary".to_owned(), summary.into());
    }
    whole.insert("hosts".to_owned(), hosts.into());
    Ok(MergedReport {
        document: whole.into(),
        kind,
        judged,
    })
}

/// Demands that two reports are of one murder, and of one form.
fn same_heads(one: (&str, &Value), other: (&str, &Value)) -> Result<(), String> {
    for key in ["format_version", "murder"] {
        let (first, second) = (one.1.get(key), other.1.get(key));
        if second.is_none_or(|second| !second.is_string()) {
            let name = other.0;
            return Err(format!(
                "`{name}` is no report of murder: it has no `{key}`"
            ));
        }
        if first != second {
            return Err(format!("`{}` and `{}` differ in `{key}`", one.0, other.0));
        }
    }
    Ok(())
}

/// Every figure is a count, so those of all reports are added.
fn add(sum: &mut Map<String, Value>, figures: &Map<String, Value>) {
    for (name, figure) in figures {
        let before = sum.get(name).and_then(Value::as_u64).unwrap_or(0);
        let more = figure.as_u64().unwrap_or(0);
        sum.insert(name.clone(), (before + more).into());
    }
}

fn kind_of(host: &Value) -> Option<ReportKind> {
    let has = |key: &str| host.get(key).is_some();
    match (has("outcome"), has("verdict"), has("generation")) {
        (true, ..) => Some(ReportKind::Apply),
        (_, true, true) => Some(ReportKind::Drift),
        (_, true, false) => Some(ReportKind::Plan),
        _ => None,
    }
}
