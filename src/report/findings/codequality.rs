//! GitLab's Code Quality report: a list of issues (the part of the Code Climate specification that GitLab reads).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{by_level, place_of, rule_of, words};
use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::digest::sha256_hex;

/// An issue for each problem.
#[must_use]
pub fn codequality(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    // The same words in one file are told apart by their order: a line that moves keeps its fingerprint.
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let issues: Vec<Value> = by_level(diagnostics)
        .into_iter()
        .map(|diagnostic| {
            let place = place_of(diagnostic, sources);
            let first = sources.get(crate::diagnostic::SourceId(0));
            let file = place.as_ref().map(|place| place.file.as_str());
            let file = file.or(first.map(|source| source.name.as_str()));
            let file = file.unwrap_or("murder.yaml").trim_start_matches("./");
            let rule = rule_of(diagnostic);
            let what = format!("{rule}\n{file}\n{}", diagnostic.summary);
            let time = times.entry(what.clone()).or_default();
            *time += 1;
            json!({
                "description": words(diagnostic),
                "check_name": rule,
                "fingerprint": sha256_hex(format!("{what}\n{time}").as_bytes()),
                "severity": match diagnostic.level {
                    Severity::Error => "critical",
                    Severity::Warning => "minor",
                },
                "location": {
                    "path": file,
                    "lines": { "begin": place.map_or(1, |place| place.line) },
                },
            })
        })
        .collect();
    format!("{:#}\n", Value::Array(issues))
}
