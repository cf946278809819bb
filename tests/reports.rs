//! Holds every report that a test makes against the JSON Schema of its verb (`murder schema`).

use std::process::{Command, Output};

use murder::report::check::check_schema;
use murder::report::comparison::diff_schema;
use murder::report::history::history_schema;
use murder::report::history_all::history_all_schema;
use murder::report::json::{apply_schema, drift_schema, plan_report_schema};
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
    let report: Value = serde_json::from_slice(stdout)
        .unwrap_or_else(|error| panic!("{words:?}: {error}: {}", String::from_utf8_lossy(stdout)));
    if let Some(schema) = schema_of(&words, &report) {
        assert_eq!(valid::invalid(&report, &schema), None, "{words:?}");
    }
}

/// The schema of a verb's report. None where the verb has no schema.
fn schema_of(words: &[&str], report: &Value) -> Option<Value> {
    let verbs = [
        "plan", "show", "apply", "rollback", "release", "hold", "unhold", "forget", "drift",
        "check", "diff", "history", "verify", "trace", "unlock",
    ];
    let verb = words.iter().find(|word| verbs.contains(word));
    match *verb.unwrap_or_else(|| panic!("which verb? {words:?}")) {
        "plan" | "show" => Some(plan_report_schema()),
        "apply" | "rollback" | "release" => Some(apply_schema()),
        "drift" => Some(drift_schema()),
        "check" => Some(check_schema()),
        "diff" => Some(diff_schema()),
        "history" if report.get("host").is_some() => Some(history_schema()),
        "history" => Some(history_all_schema()),
        _ => None,
    }
}
