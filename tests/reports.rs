//! Holds every report that a test makes against the JSON Schema of its verb (`murder schema`).

use std::process::{Command, Output};

use murder::report::check::check_schema;
use murder::report::comparison::diff_schema;
use murder::report::history::history_schema;
use murder::report::history_all::history_all_schema;
use murder::report::json::{apply_schema, drift_schema, plan_report_schema};
use murder::report::lock::unlock_schema;
use murder::report::route_json::trace_schema;
use murder::report::verify_json::verify_schema;
use serde_json::Value;

#[path = "saved/valid.rs"]
pub mod valid;

/// Runs the program, and holds its report against the schema.
pub trait Judged {
    #[track_caller]
    fn judged(&mut self) -> Output;
}

impl Judged for Command {
    #[track_caller]
    fn judged(&mut self) -> Output {
        let output = self.output().unwrap();
        let words: Vec<String> = self
            .get_args()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        judge(&words, &output.stdout);
        output
    }
}

/// Demands that what the program printed with these arguments is as the schema says, if it is a report as JSON.
#[track_caller]
pub fn judge<W: AsRef<str>>(words: &[W], stdout: &[u8]) {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let is_json = words.contains(&"--format=json")
        || words.windows(2).any(|pair| pair == ["--format", "json"]);
    // Where a run ends before it has a report, it prints none.
    if !is_json || stdout.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(stdout);
    // `trace` prints a report for each address, on a line of its own.
    let is_trace = words.contains(&"trace");
    let reports: Vec<&str> = if is_trace {
        text.lines().collect()
    } else {
        vec![&text]
    };
    for report in reports {
        let report: Value = serde_json::from_str(report)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {report}"));
        let Some(schema) = schema_of(&words, &report) else {
            continue;
        };
        assert_eq!(valid::invalid(&report, &schema), None, "{words:?}");
        let unknown = valid::unknown(&report, &schema);
        assert_eq!(unknown, None, "{words:?}: the schema does not have it");
    }
}

/// The schema of a verb's report. None where what is printed is no report: an error in JSON.
fn schema_of(words: &[&str], report: &Value) -> Option<Value> {
    let verbs = [
        "plan", "show", "apply", "rollback", "release", "hold", "unhold", "forget", "drift",
        "check", "diff", "history", "verify", "trace", "unlock", "report",
    ];
    let verb = words.iter().find(|word| verbs.contains(word));
    Some(
        match *verb.unwrap_or_else(|| panic!("which verb? {words:?}")) {
            "plan" | "show" => plan_report_schema(),
            "apply" | "rollback" | "release" | "hold" | "unhold" | "forget" => apply_schema(),
            "drift" => drift_schema(),
            "check" => check_schema(),
            "diff" => diff_schema(),
            "history" if report.get("host").is_some() => history_schema(),
            "history" => history_all_schema(),
            "verify" => verify_schema(),
            "trace" => trace_schema(),
            "unlock" => unlock_schema(),
            _ => {
                let mut hosts = report["hosts"].as_object()?.values();
                let host = hosts.next()?;
                match (host.get("outcome"), host.get("generation")) {
                    (Some(_), _) => apply_schema(),
                    (None, Some(_)) => drift_schema(),
                    (None, None) => plan_report_schema(),
                }
            }
        },
    )
}
