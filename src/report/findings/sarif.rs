//! SARIF 2.1.0, within the limits that GitHub documents for code scanning.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{by_level, place_of, rule_of, uri, words};
use crate::diagnostic::{Diagnostic, Severity, Sources, Span};

/// Results that code scanning shows of a run; it takes 25,000, and shows the first 5,000.
pub const RESULTS: usize = 5000;

/// Related places of a result; code scanning shows 100 locations.
const PLACES: usize = 20;

/// A result: what is wrong, and where.
pub(in crate::report) struct SarifResult {
    /// The rule's id.
    pub rule: String,
    /// `error` or `warning`.
    pub level: &'static str,
    pub text: String,
    pub location: Value,
    pub related: Vec<Value>,
}

/// A rule of a document, with what it says and the level that its results usually have.
pub(in crate::report) fn rule(id: &str, summary: &str, level: &str) -> Value {
    json!({
        "id": id,
        "shortDescription": { "text": summary },
        "defaultConfiguration": { "level": level },
    })
}

/// A document with one run.
pub(in crate::report) fn document(rules: &[Value], results: &[SarifResult]) -> String {
    let results: Vec<Value> = results
        .iter()
        .map(|one| {
            let mut result = json!({
                "ruleId": one.rule,
                "ruleIndex": rules.iter().position(|rule| rule["id"] == one.rule.as_str()),
                "level": one.level,
                "message": { "text": one.text },
                // Code scanning refuses a result without a place.
                "locations": [one.location],
            });
            if !one.related.is_empty() {
                result["relatedLocations"] = json!(one.related);
            }
            result
        })
        .collect();
    let whole = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "murder",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{whole:#}\n")
}

/// One run of `murder check`. Gives how many problems the limit left out, too.
#[must_use]
pub fn sarif(diagnostics: &[Diagnostic], sources: &Sources) -> (String, usize) {
    let all = by_level(diagnostics);
    let shown = all.get(..RESULTS.min(all.len())).unwrap_or_default();
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    for diagnostic in shown {
        let id = rule_of(diagnostic);
        let words = id.replace('-', " ");
        let value = rule(&id, &words, level(diagnostic));
        rules.entry(id).or_insert(value);
    }
    let results = shown.iter().map(|diagnostic| SarifResult {
        rule: rule_of(diagnostic),
        level: level(diagnostic),
        text: words(diagnostic),
        location: location(diagnostic, sources),
        related: related(diagnostic, sources),
    });
    let rules: Vec<Value> = rules.into_values().collect();
    let text = document(&rules, &results.collect::<Vec<_>>());
    (text, all.len() - shown.len())
}

fn level(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.level {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn location(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    match place_of(diagnostic, sources) {
        Some(place) => physical(&place.file, place.line, Some(place.column)),
        None => {
            let first = sources.get(crate::diagnostic::SourceId(0));
            physical(first.map_or("murder.yaml", |source| &source.name), 1, None)
        }
    }
}

pub(in crate::report) fn physical(file: &str, line: usize, column: Option<usize>) -> Value {
    let mut region = json!({ "startLine": line });
    if let Some(column) = column {
        region["startColumn"] = json!(column);
    }
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(file) },
        "region": region,
    } })
}

fn related(diagnostic: &Diagnostic, sources: &Sources) -> Vec<Value> {
    let place = |(number, (span, label)): (usize, &(Span, String))| {
        let place = sources.place(*span);
        if place.file.is_empty() {
            return None;
        }
        let mut value = physical(&place.file, place.line, Some(place.column));
        value["id"] = json!(number);
        if !label.is_empty() {
            value["message"] = json!({ "text": crate::visible::visible(label) });
        }
        Some(value)
    };
    let all = diagnostic.related.iter().take(PLACES).enumerate();
    all.filter_map(place).collect()
}
