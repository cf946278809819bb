//! The histories of all hosts in one list, the newest first: as text, JSON and CSV (RFC 4180, with line feeds alone).
//!
//! The JSON form has `format_version`, `murder`, and `generations`: each with `host`, `generation`, `murder`, `applied` and
//! `changed`, as in the history of one host.
//!
//! CSV has a column for each cell, also where all its cells are empty; text leaves such columns out, and says before a
//! reason and a job what they are.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::history::{GenerationView, counted, shortened};
use super::json::FORMAT_VERSION;
use super::line::{Line, Tone};
use super::schema::written;
use crate::history::HistoryEntry;
use crate::name::HostName;

/// The histories of the hosts of a murder.
#[derive(Debug)]
pub struct HistoryOfAll {
    murder: String,
    generations: Vec<OfHost>,
}

/// One generation of one host.
#[derive(Debug)]
struct OfHost {
    host: HostName,
    entry: HistoryEntry,
}

/// What `history` prints of all hosts with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder history of all hosts")]
struct HistoriesDocument<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'static str,
    /// The manifest's `murder`.
    murder: &'a str,
    /// The newest first.
    generations: Vec<OfHostView<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct OfHostView<'a> {
    host: &'a HostName,
    #[serde(flatten)]
    generation: GenerationView<'a>,
}

/// The JSON Schema of [`HistoryOfAll::json`] (`murder schema history-all`).
#[must_use]
pub fn history_all_schema() -> Value {
    written::<HistoriesDocument<'_>>()
}

impl HistoryOfAll {
    /// Of the entries of each host.
    #[must_use]
    pub fn new(murder: &str, entries: BTreeMap<HostName, Vec<HistoryEntry>>) -> Self {
        let mut generations: Vec<OfHost> = entries
            .into_iter()
            .flat_map(|(host, entries)| {
                let of_host = move |entry| OfHost {
                    host: host.clone(),
                    entry,
                };
                entries.into_iter().map(of_host)
            })
            .collect();
        // All times are UTC to the second, so their texts are in their order.
        generations.sort_by(|left, right| {
            let key = |one: &OfHost| (one.entry.applied.at.clone(), one.entry.generation);
            key(right).cmp(&key(left)).then(left.host.cmp(&right.host))
        });
        Self {
            murder: murder.to_owned(),
            generations,
        }
    }

    /// As a JSON document that ends with a line end.
    ///
    /// # Errors
    /// None that a history can cause; serde's, passed on.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let generations = self.generations.iter().map(|one| OfHostView {
            host: &one.host,
            generation: GenerationView::of(&one.entry),
        });
        let document = HistoriesDocument {
            format_version: FORMAT_VERSION,
            murder: &self.murder,
            generations: generations.collect(),
        };
        serde_json::to_string_pretty(&document).map(|text| text + "\n")
    }

    /// As text, a line for each generation.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, color: bool, out: &mut impl Write) -> fmt::Result {
        let mut rows: Vec<[String; COLUMNS.len()]> = self.generations.iter().map(row).collect();
        for row in &mut rows {
            for (cell, name) in row.iter_mut().zip(COLUMNS) {
                if matches!(name, "reason" | "job") && !cell.is_empty() {
                    *cell = format!("{name}: {cell}");
                }
            }
        }
        let width = |column: usize| {
            let lengths = rows.iter().filter_map(|row| row.get(column));
            lengths.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).filter(|(_, width)| **width > 0);
            let cells: Vec<String> = cells
                .map(|(text, width)| format!("{text:<width$}"))
                .collect();
            Line::new(Tone::Plain, cells.join("  ").trim_end()).write(out, color)?;
        }
        Ok(())
    }

    /// As CSV, with the names of the columns in the first line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn csv(&self, out: &mut impl Write) -> fmt::Result {
        writeln!(out, "{}", COLUMNS.join(","))?;
        for one in &self.generations {
            let cells: Vec<String> = row(one).iter().map(|text| cell(text)).collect();
            writeln!(out, "{}", cells.join(","))?;
        }
        Ok(())
    }
}

/// The columns of text and CSV.
const COLUMNS: [&str; 8] = [
    "at",
    "host",
    "generation",
    "by",
    "revision",
    "changed",
    "reason",
    "job",
];

fn row(one: &OfHost) -> [String; COLUMNS.len()] {
    let applied = &one.entry.applied;
    [
        applied.at.clone(),
        one.host.to_string(),
        one.entry.generation.to_string(),
        applied.by.clone(),
        shortened(&applied.revision),
        counted(&one.entry),
        applied.reason.clone().unwrap_or_default(),
        applied.job.clone().unwrap_or_default(),
    ]
}

/// A cell of CSV. A program for tables would take one that begins with a sign for a formula.
fn cell(text: &str) -> String {
    let text = crate::visible::visible(text);
    let text = match text.starts_with(['=', '+', '-', '@']) {
        true => format!("'{text}"),
        false => text,
    };
    match text.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}
