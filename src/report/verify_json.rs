//! What `verify` found, for programs: JSON, and SARIF for the pages of code review.

use serde::Serialize;
use serde_json::{Value, json};

use super::verify::VerifyCounts;
use crate::mail::EndAction;
use crate::verify::{FailureEffect, Finding, FindingCode, FindingSeverity, MailFailure};
use crate::visible::visible_json;

#[derive(Serialize)]
struct FindingView<'a> {
    code: &'static str,
    severity: &'static str,
    addresses: &'a [String],
    entries: &'a [String],
    hosts: &'a [String],
    text: &'a str,
    help: &'a str,
    /// A trace, as `trace --format json` prints it.
    evidence: Option<Value>,
}

#[derive(Serialize)]
struct SummaryView {
    addresses: usize,
    entries: usize,
    by_verdict: serde_json::Map<String, Value>,
    accepted: usize,
}

#[derive(Serialize)]
struct ReportView<'a> {
    format_version: &'static str,
    summary: SummaryView,
    findings: Vec<FindingView<'a>>,
    /// What failures do to mail, if it was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    what_if: Vec<EffectView<'a>>,
}

#[derive(Serialize)]
struct EffectView<'a> {
    without: &'a str,
    deferred: usize,
    bounced: usize,
    #[serde(rename = "loop")]
    looped: usize,
    not_modelled: usize,
    examples: &'a [String],
}

/// The report as JSON.
///
/// # Errors
/// If it cannot be serialised.
pub fn json(
    findings: &[Finding],
    counts: VerifyCounts<'_>,
    effects: &[(MailFailure, FailureEffect)],
    evidence: &dyn Fn(&Finding) -> Option<Value>,
) -> Result<String, serde_json::Error> {
    let verdicts = counts.by_verdict.iter();
    let by_verdict =
        verdicts.map(|(verdict, count)| (EndAction::word(*verdict).to_owned(), json!(count)));
    let report = ReportView {
        format_version: "1.0",
        summary: SummaryView {
            addresses: counts.addresses,
            entries: counts.entries,
            by_verdict: by_verdict.collect(),
            accepted: counts.accepted,
        },
        findings: findings
            .iter()
            .map(|finding| FindingView {
                code: finding.code.word(),
                severity: finding.code.severity().word(),
                addresses: &finding.addresses,
                entries: &finding.entries,
                hosts: &finding.hosts,
                text: &finding.text,
                help: &finding.help,
                evidence: evidence(finding),
            })
            .collect(),
        what_if: effects.iter().map(effect_view).collect(),
    };
    let text = serde_json::to_string_pretty(&report)?;
    Ok(format!("{}\n", visible_json(&text)))
}

fn effect_view((failure, effect): &(MailFailure, FailureEffect)) -> EffectView<'_> {
    EffectView {
        without: &failure.name,
        deferred: effect.deferred,
        bounced: effect.bounced,
        looped: effect.looped,
        not_modelled: effect.not_modelled,
        examples: &effect.examples,
    }
}

/// The most results that pages of code review take from one file.
const MOST_RESULTS: usize = 25_000;

/// The report in SARIF 2.1.0. `manifest` is the file to which the findings are pinned.
///
/// # Errors
/// If it cannot be serialised.
pub fn sarif(findings: &[Finding], manifest: &str) -> Result<String, serde_json::Error> {
    let level = |code: FindingCode| match code.severity() {
        FindingSeverity::Error => "error",
        FindingSeverity::Warning => "warning",
    };
    let rules: Vec<Value> = FindingCode::ALL
        .iter()
        .map(|code| {
            json!({
                "id": code.word(),
                "shortDescription": {"text": code.summary()},
                "defaultConfiguration": {"level": level(*code)},
            })
        })
        .collect();
    let results: Vec<Value> = findings
        .iter()
        .take(MOST_RESULTS)
        .map(|finding| {
            let named = finding.entries.iter().chain(&finding.hosts);
            let logical: Vec<Value> = named
                .map(|name| json!({"fullyQualifiedName": name}))
                .collect();
            json!({
                "ruleId": finding.code.word(),
                "level": level(finding.code),
                "message": {"text": format!("{}\n{}", finding.text, finding.help)},
                "locations": [{
                    "physicalLocation": {
                        "artifactLocation": {"uri": manifest},
                        "region": {"startLine": 1},
                    },
                    "logicalLocations": logical,
                }],
            })
        })
        .collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "murder verify",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    });
    let text = serde_json::to_string_pretty(&report)?;
    Ok(format!("{}\n", visible_json(&text)))
}
