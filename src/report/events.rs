//! What happens in a run, as lines of JSON (`--format jsonl`), and their JSON Schema.

use schemars::JsonSchema;
use serde::Serialize;

use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::{Cause, Change, Failure, HostPlan, HostVerdict, Step, Verdict};
use crate::secret::mask;

/// The version of the lines: a new field or event raises the minor number, so readers ignore what they do not know.
const FORMAT_VERSION: &str = "1.0";

/// One line: what happened, and when.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "an event of murder")]
struct EventLine<'a> {
    /// RFC 3339, in UTC, by the client's clock.
    time: &'a str,
    #[serde(flatten)]
    event: &'a RunEvent,
}

/// Something that happened in a run. The first event is `start`, the last one `end`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// The manifest, or the saved plan, is read, and hosts are contacted from now on.
    Start {
        /// `MAJOR.MINOR`.
        format_version: String,
        /// `apply` or `drift`.
        verb: String,
        /// The manifest's `murder`.
        murder: String,
        /// How many hosts are selected.
        hosts: usize,
    },
    /// The turn of a host has come.
    Begin {
        /// What is done to it.
        stage: Stage,
        /// Which.
        host: String,
    },
    /// What is done on a host now.
    At {
        /// What is done to it.
        stage: Stage,
        /// Which.
        host: String,
        /// Such as `connecting`.
        words: String,
    },
    /// A host was observed and compared.
    Verdict {
        /// Which.
        host: String,
        /// `converged`, `changes`, `maintenance`, `unreachable` or `failed`.
        verdict: String,
        /// As `drift` counts it: `converged`, `held`, `maintenance`, `pending`, `drifted`, `stopped`, `unreachable` or
        /// `failed`.
        condition: String,
        /// What would change on it, in order.
        changes: Vec<ChangeEvent>,
        /// Why `apply` refuses it: the kinds of refusals.
        refusals: Vec<String>,
        /// Why there is no answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorEvent>,
    },
    /// The hosts of a wave begin.
    Wave {
        /// From 1.
        number: usize,
        /// How many waves there are.
        waves: usize,
        /// Its hosts.
        hosts: Vec<String>,
    },
    /// The outcome of a host is known.
    Outcome {
        /// Which.
        host: String,
        /// As in `--format json`: `done`, `converged`, `put_back`, `stale`, `unreachable`, `interrupted` …
        outcome: String,
        /// What went wrong.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<ErrorEvent>,
    },
    /// The run has ended.
    End {
        /// The exit code.
        exit: u8,
        /// Whether a signal ended it, or kept hosts from their turn.
        interrupted: bool,
    },
}

/// What is done to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is observed.
    Observe,
    /// A plan is applied to it.
    Apply,
}

/// One change of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChangeEvent {
    /// `create`, `update` or `delete`.
    pub action: String,
    /// A file's path, or the name of a value as plans show it.
    pub thing: String,
    /// Why.
    pub cause: Cause,
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ErrorEvent {
    /// One fact.
    pub summary: String,
    /// The evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// The JSON Schema of each line (`murder schema events`).
#[must_use]
pub fn events_schema() -> serde_json::Value {
    super::schema::written::<EventLine<'_>>()
}

impl RunEvent {
    /// The line of the event, without its line end.
    ///
    /// # Errors
    /// None that an event can cause; serde's, passed on.
    pub fn line(&self, time: &str) -> Result<String, serde_json::Error> {
        serde_json::to_string(&EventLine { time, event: self })
    }

    /// The first event of a run.
    #[must_use]
    pub fn start(verb: &str, murder: &str, hosts: usize) -> Self {
        Self::Start {
            format_version: FORMAT_VERSION.to_owned(),
            verb: verb.to_owned(),
            murder: murder.to_owned(),
            hosts,
        }
    }

    /// The difference of a host.
    #[must_use]
    pub fn of_verdict(host: &HostName, verdict: &HostVerdict) -> Self {
        let (word, plan, error) = match &verdict.verdict {
            Verdict::Converged => ("converged", None, None),
            Verdict::Changes(plan) => ("changes", Some(plan), None),
            Verdict::Maintenance(_) => ("maintenance", None, None),
            Verdict::Unreachable { error } => ("unreachable", None, Some(error)),
            Verdict::Failed { error } => ("failed", None, Some(error)),
        };
        let refusals = plan.iter().flat_map(|plan| &plan.refusals);
        Self::Verdict {
            host: host.to_string(),
            verdict: word.to_owned(),
            condition: word_of(&verdict.condition()),
            changes: plan.map_or_else(Vec::new, |plan| changes(plan)),
            refusals: refusals.map(|refusal| word_of(&refusal.kind)).collect(),
            error: error.map(ErrorEvent::of),
        }
    }

    /// The outcome of a host.
    #[must_use]
    pub fn of_outcome(host: &HostName, outcome: &Outcome) -> Self {
        let value = serde_json::to_value(outcome).unwrap_or_default();
        let word = value.get("outcome").and_then(serde_json::Value::as_str);
        Self::Outcome {
            host: host.to_string(),
            outcome: word.unwrap_or_default().to_owned(),
            error: outcome.failure().map(ErrorEvent::of),
        }
    }
}

impl ErrorEvent {
    fn of(failure: &Failure) -> Self {
        Self {
            summary: mask::mask_secrets(&failure.summary),
            detail: failure.detail.as_deref().map(mask::mask_secrets),
            hint: failure.hint.clone(),
        }
    }
}

/// The word by which serde writes a value that is a word.
fn word_of(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn changes(plan: &HostPlan) -> Vec<ChangeEvent> {
    let steps = plan.steps.iter();
    let changes = steps.filter_map(|step| {
        let (action, thing, cause) = match step {
            Step::File {
                path,
                change,
                cause,
                ..
            } => (action(change), path.to_string(), cause),
            Step::Value {
                service,
                thing,
                change,
                cause,
            } => (action(change), service.shown(thing), cause),
            Step::Delete { path, cause, .. } => ("delete", path.to_string(), cause),
            _ => return None,
        };
        Some(ChangeEvent {
            action: action.to_owned(),
            thing,
            cause: *cause,
        })
    });
    changes.collect()
}

fn action<T>(change: &Change<T>) -> &'static str {
    match change {
        Change::Create { .. } => "create",
        Change::Update { .. } => "update",
        Change::Delete { .. } => "delete",
    }
}
