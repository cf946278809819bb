//! A host's history, as text for people and as JSON for programs.
//!
//! The JSON form has `format_version`, `host`, `murder` and `generation` (the current one; both null
//! where nothing is managed) and `generations`, the newest first: each with `generation`, `murder`,
//! `applied` (`by`, `at`, `revision`, and `plan_digest`, `reason` and `job` where they are known), `changed` (`service`, `thing`, `action`), and `not_probed` and `fault_remains` where
//! they are true. A thing of another instance than the default one has `instance` beside `service`, as in plans.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::json::FORMAT_VERSION;
use super::json::ServiceView;
use super::line::{Line, Tone};
use super::schema::written;
use crate::history::{Action, Changed, HistoryEntry};
use crate::ledger::{Applied, Ledger};
use crate::name::HostName;
use crate::thing::Thing;

/// The history of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    host: HostName,
    murder: Option<String>,
    generation: Option<u64>,
    generations: Vec<HistoryEntry>,
}

impl History {
    /// The history of a host whose ledger this is; `entries` come oldest first.
    #[must_use]
    pub fn new(host: &HostName, ledger: Option<&Ledger>, mut entries: Vec<HistoryEntry>) -> Self {
        entries.reverse();
        Self {
            host: host.clone(),
            murder: ledger.map(|ledger| ledger.murder.clone()),
            generation: ledger.map(|ledger| ledger.generation),
            generations: entries,
        }
    }

    /// Keeps only one generation, and gives whether there is one.
    pub fn only(&mut self, number: u64) -> bool {
        let found = self
            .generations
            .iter()
            .any(|entry| entry.generation == number);
        if found {
            self.generations.retain(|entry| entry.generation == number);
        }
        found
    }

    /// The message about a generation that is not kept.
    #[must_use]
    pub fn missing(&self, number: u64) -> String {
        let numbers = self.generations.iter().map(|entry| entry.generation);
        let kept = match (numbers.clone().min(), numbers.max()) {
            (Some(oldest), Some(newest)) if oldest == newest => format!("only {oldest} is kept"),
            (Some(oldest), Some(newest)) => format!("{oldest} to {newest} are kept"),
            _ => "none is kept".to_owned(),
        };
        format!(
            "generation {number} of {} is not kept ({kept}): `murder history {}` lists them",
            self.host, self.host
        )
    }
}

/// What `history HOST` prints with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder history of a host")]
struct HistoryDocument<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'static str,
    host: &'a HostName,
    /// The murder that owns the host. Null where nothing is managed.
    murder: Option<&'a str>,
    /// The current one. Null where nothing is managed.
    generation: Option<u64>,
    /// The newest first.
    generations: Vec<GenerationView<'a>>,
}

/// One generation of a host.
#[derive(Serialize, JsonSchema)]
pub(super) struct GenerationView<'a> {
    /// Its number.
    generation: u64,
    /// The murder that owned the host.
    murder: &'a str,
    /// Who applied it, when, and from what.
    applied: &'a Applied,
    /// The things that changed, in the order of the steps.
    changed: Vec<ChangedView<'a>>,
    /// Whether the running services could not be asked after the apply.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_probed: bool,
    /// Whether a fault that the host had before the apply was still there after it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fault_remains: bool,
}

#[derive(Serialize, JsonSchema)]
struct ChangedView<'a> {
    #[serde(flatten)]
    service: ServiceView<'a>,
    thing: &'a Thing,
    action: Action,
}

impl<'a> GenerationView<'a> {
    pub(super) fn of(entry: &'a HistoryEntry) -> Self {
        let changed = |one: &'a Changed| ChangedView {
            service: ServiceView::of(&one.service),
            thing: &one.thing,
            action: one.action,
        };
        Self {
            generation: entry.generation,
            murder: &entry.murder,
            applied: &entry.applied,
            changed: entry.changed.iter().map(changed).collect(),
            not_probed: entry.not_probed,
            fault_remains: entry.fault_remains,
        }
    }
}

/// The JSON Schema of [`json`] (`murder schema history`).
#[must_use]
pub fn history_schema() -> Value {
    written::<HistoryDocument<'_>>()
}

/// As a JSON document that ends with a line end.
///
/// # Errors
/// None that a history can cause; serde's, passed on.
pub fn json(history: &History) -> Result<String, serde_json::Error> {
    let generations = history.generations.iter();
    let document = HistoryDocument {
        format_version: FORMAT_VERSION,
        host: &history.host,
        murder: history.murder.as_deref(),
        generation: history.generation,
        generations: generations.map(GenerationView::of).collect(),
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

/// As text, the newest generation first and the current one marked; `whole` lists each thing that
/// a generation changed.
///
/// # Errors
/// Those of `out`.
pub fn write(history: &History, whole: bool, color: bool, out: &mut impl Write) -> fmt::Result {
    let host = &history.host;
    let Some(current) = history.generation else {
        let text = format!("{host}: `murder` manages nothing on this host: it has no ledger");
        return Line::new(Tone::Plain, text).write(out, color);
    };
    let murder = history.murder.as_deref().unwrap_or_default();
    let title = format!("{host}, of the murder {murder}, is at generation {current}");
    Line::new(Tone::Title, title).write(out, color)?;
    let rows: Vec<Row> = history.generations.iter().map(Row::of).collect();
    let width = |cell: fn(&Row) -> &str| {
        let lengths = rows.iter().map(|row| cell(row).chars().count());
        lengths.max().unwrap_or_default()
    };
    let number = width(|row| &row.number);
    let by = width(|row| &row.by);
    let revision = width(|row| &row.revision);
    for (row, entry) in rows.iter().zip(&history.generations) {
        let is_current = entry.generation == current;
        let (mark, tone) = if is_current {
            ('*', Tone::Added)
        } else {
            (' ', Tone::Plain)
        };
        let text = format!(
            "{mark} {:>number$}  {}  {:<by$}  {:<revision$}  {}",
            row.number, entry.applied.at, row.by, row.revision, row.changes
        );
        Line::new(tone, text.trim_end()).write(out, color)?;
        let (reason, job) = (&entry.applied.reason, &entry.applied.job);
        for (word, text) in [("reason", reason), ("job", job)] {
            if let Some(text) = text {
                let text = format!("      {word}: {text}");
                Line::new(Tone::Faint, text).write(out, color)?;
            }
        }
        if whole {
            for changed in &entry.changed {
                let (mark, word) = spoken(changed.action);
                let thing = changed.service.shown(&changed.thing);
                let text = format!("      {mark} {word} {thing}");
                Line::new(Tone::Plain, text).write(out, color)?;
            }
        }
    }
    if history
        .generations
        .iter()
        .all(|entry| entry.generation != current)
        && !whole
    {
        let text =
            "  the current generation was not saved: `murder rollback` cannot go back to it later";
        Line::new(Tone::Warning, text).write(out, color)?;
    }
    Ok(())
}

struct Row {
    number: String,
    by: String,
    revision: String,
    changes: String,
}

impl Row {
    fn of(entry: &HistoryEntry) -> Self {
        let revision = match entry.applied.revision.as_str() {
            "" => "no revision".to_owned(),
            revision => shortened(revision),
        };
        Self {
            number: entry.generation.to_string(),
            by: entry.applied.by.clone(),
            revision,
            changes: counted(entry),
        }
    }
}

/// A revision with its commit cut to what people compare by eye.
pub(super) fn shortened(revision: &str) -> String {
    let is_commit =
        |word: &str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    revision
        .split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| {
            let plain = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let end = &word[plain.len()..];
            if is_commit(plain) {
                format!("{}{end}", &plain[..12])
            } else {
                word.to_owned()
            }
        })
        .collect()
}

/// `2 created, 1 updated`.
pub(super) fn counted(entry: &HistoryEntry) -> String {
    let mut counts: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for changed in &entry.changed {
        let (place, word) = match changed.action {
            Action::Create => (0, "created"),
            Action::Update => (1, "updated"),
            Action::Delete => (2, "deleted"),
            Action::TakeOver => (3, "taken over"),
            Action::Release => (4, "released"),
        };
        counts.entry(place).or_insert((0, word)).0 += 1;
    }
    let mut parts: Vec<String> = counts
        .values()
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    if parts.is_empty() {
        parts.push("nothing changed: finished the work of an earlier apply".to_owned());
    }
    if entry.fault_remains {
        parts.push("fault remained".to_owned());
    }
    if entry.not_probed {
        parts.push("not probed".to_owned());
    }
    parts.join(", ")
}

/// The mark and the word that plans use.
fn spoken(action: Action) -> (char, &'static str) {
    match action {
        Action::Create => ('+', "create"),
        Action::Update => ('~', "update"),
        Action::Delete => ('-', "delete"),
        Action::TakeOver => ('=', "take over"),
        Action::Release => ('=', "release"),
    }
}
