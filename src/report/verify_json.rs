//! What `verify` found, for programs: JSON, and SARIF for the pages of code review.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::findings::sarif::{RESULTS, SarifResult, document, physical, rule};
use super::route_json::TraceView;
use super::schema::written;
use super::verify::VerifyCounts;
use crate::mail::EndAction;
use crate::verify::{FailureEffect, Finding, FindingCode, FindingSeverity, MailFailure};
use crate::visible::visible_json;

#[derive(Serialize, JsonSchema)]
struct FindingView<'a> {
    code: &'static str,
    severity: &'static str,
    addresses: &'a [String],
    entries: &'a [String],
    hosts: &'a [String],
    text: &'a str,
    help: &'a str,
    /// A trace, as `trace --format json` prints it.
    #[schemars(with = "Option<TraceView<'_>>")]
    evidence: Option<Value>,
}

#[derive(Serialize, JsonSchema)]
struct SummaryView {
    /// Addresses that were tried.
    addresses: usize,
    /// Entries of the directory.
    entries: usize,
    /// How many addresses end in each way.
    by_verdict: BTreeMap<&'static str, usize>,
    /// Findings of the baseline, which are left out.
    accepted: usize,
}

/// What `verify` prints with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder verify")]
struct ReportView<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'static str,
    summary: SummaryView,
    findings: Vec<FindingView<'a>>,
    /// What failures do to mail, if it was asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    what_if: Vec<EffectView<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct EffectView<'a> {
    without: &'a str,
    deferred: usize,
    bounced: usize,
    #[serde(rename = "loop")]
    looped: usize,
    not_modelled: usize,
    examples: &'a [String],
}

/// How many hosts and entries a result in SARIF names; a finding can have all entries of a directory.
const NAMES: usize = 100;

/// The JSON Schema of [`json`](fn@json) (`murder schema verify`).
#[must_use]
pub fn verify_schema() -> Value {
    written::<ReportView<'_>>()
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
    let by_verdict = verdicts.map(|(verdict, count)| (EndAction::word(*verdict), *count));
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

/// The report in SARIF 2.1.0, pinned to a file of the manifest. Gives how many findings the limit of code scanning left out, too.
#[must_use]
pub fn sarif(findings: &[Finding], file: &str) -> (String, usize) {
    let level = |code: FindingCode| match code.severity() {
        FindingSeverity::Error => "error",
        FindingSeverity::Warning => "warning",
    };
    let rules = FindingCode::ALL.iter();
    let rules = rules.map(|code| {
        let mut rule = rule(code.word(), code.summary(), level(*code));
        rule["help"] = json!({ "text": code.page(), "markdown": code.page() });
        rule
    });
    let mut all: Vec<&Finding> = findings.iter().collect();
    all.sort_by_key(|finding| finding.code.severity());
    let shown = all.get(..RESULTS.min(all.len())).unwrap_or_default();
    let results = shown.iter().map(|finding| {
        let named = finding.hosts.iter().chain(&finding.entries);
        let logical = named
            .take(NAMES)
            .map(|name| json!({ "fullyQualifiedName": name }));
        let mut location = physical(file, 1, None);
        location["logicalLocations"] = logical.collect();
        SarifResult {
            rule: finding.code.word().to_owned(),
            level: level(finding.code),
            text: format!("{}\n{}", finding.text, finding.help),
            location,
            related: Vec::new(),
        }
    });
    let rules: Vec<Value> = rules.collect();
    let text = document(&rules, &results.collect::<Vec<_>>());
    (visible_json(&text), all.len() - shown.len())
}
