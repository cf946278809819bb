//! What `check` found, as JSON for programs.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::schema::written;
use crate::diagnostic::{Diagnostic, Severity, Sources, Span};

/// The version of the form: a new field raises the minor number, a removed or changed one the major number.
const FORMAT_VERSION: &str = "1.0";

/// What `check` prints with `--format json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder check")]
struct CheckDocument<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'static str,
    /// Whether there is no error.
    ok: bool,
    /// The manifest's `murder`. Null where the manifest cannot be understood.
    murder: Option<&'a str>,
    /// How many hosts the manifest has. Null where it cannot be understood.
    hosts: Option<usize>,
    diagnostics: Vec<DiagnosticView<'a>>,
}

/// A problem.
#[derive(Serialize, JsonSchema)]
struct DiagnosticView<'a> {
    level: Severity,
    /// One fact.
    summary: &'a str,
    /// Where it is. Null where it is about no place.
    at: Option<PlaceView<'a>>,
    /// Other places that it is about.
    related: Vec<PlaceView<'a>>,
    /// The evidence.
    detail: Option<&'a str>,
    /// What to do.
    hint: Option<&'a str>,
}

/// A place in a file.
#[derive(Serialize, JsonSchema)]
struct PlaceView<'a> {
    file: String,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    /// What the place has to do with the problem.
    label: &'a str,
}

impl<'a> PlaceView<'a> {
    fn of(sources: &Sources, (span, label): &'a (Span, String)) -> Self {
        let place = sources.place(*span);
        Self {
            file: place.file,
            line: place.line,
            column: place.column,
            label,
        }
    }
}

/// The JSON Schema of [`json`] (`murder schema check`).
#[must_use]
pub fn check_schema() -> Value {
    written::<CheckDocument<'_>>()
}

/// The problems of a manifest as a JSON document that ends with a line end. `murder` is its name and how many hosts it
/// has. None where it cannot be understood.
///
/// # Errors
/// None that a diagnostic can cause; serde's, passed on.
pub fn json(
    murder: Option<(&str, usize)>,
    diagnostics: &[Diagnostic],
    sources: &Sources,
) -> Result<String, serde_json::Error> {
    let document = CheckDocument {
        format_version: FORMAT_VERSION,
        ok: !diagnostics.iter().any(|one| one.level == Severity::Error),
        murder: murder.map(|(name, _)| name),
        hosts: murder.map(|(_, hosts)| hosts),
        diagnostics: diagnostics.iter().map(|one| view(one, sources)).collect(),
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

fn view<'a>(diagnostic: &'a Diagnostic, sources: &Sources) -> DiagnosticView<'a> {
    let related = diagnostic.related.iter();
    DiagnosticView {
        level: diagnostic.level,
        summary: &diagnostic.summary,
        at: diagnostic.at.as_ref().map(|at| PlaceView::of(sources, at)),
        related: related.map(|at| PlaceView::of(sources, at)).collect(),
        detail: diagnostic.detail.as_deref(),
        hint: diagnostic.hint.as_deref(),
    }
}
