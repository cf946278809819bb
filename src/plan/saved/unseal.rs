//! The bytes of a saved plan: sealed by their digest when they are written, and refused where they were edited.

use super::texts::{TextId, Texts};
use super::{FORMAT, FORMAT_VERSION, PlanDocument, SavedPlan};
use crate::exchange::{self, LIVE_FORMAT, OtherFile};

/// So much of a file decides whether it is a saved plan.
const LOOKED_AT: usize = 4096;

/// Why a file is no saved plan that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanDamage {
    /// Its bytes are not those that were written.
    #[error("was edited: its digest does not match")]
    Edited,
    /// Another `murder` wrote it.
    #[error(
        "has format {format}, and this murder ({version}) reads format {FORMAT_VERSION}",
        format = .0,
        version = env!("CARGO_PKG_VERSION")
    )]
    Format(String),
    /// It has nothing in it.
    #[error("is empty")]
    Empty,
    /// It begins as a plan does.
    #[error("is not whole: its end is missing")]
    CutOff,
    /// It is something else.
    #[error("is no plan: it is {}", .0.words())]
    Other(OtherFile),
    /// It is whole, and this `murder` cannot use what it says.
    #[error("cannot be read: {0}")]
    Damaged(String),
}

impl PlanDamage {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Edited => {
                "a plan is never edited: change the manifest, and make a new one with `murder plan --out FILE`"
            }
            Self::Format(_) => {
                "use the `murder` that made it, or make a new one with `murder plan --out FILE`"
            }
            Self::Empty => {
                "the run that was to save it did not end, or the disk was full: make a new one with `murder plan --out FILE`"
            }
            Self::CutOff => "copy it again, or make a new one with `murder plan --out FILE`",
            Self::Other(OtherFile::LiveFile) => {
                "it says what hosts have: see what would change with `murder plan --live FILE`, and apply a plan of the \
                 hosts themselves"
            }
            Self::Other(OtherFile::Report) => {
                "a report is for programs, and cannot be applied: save a plan with `murder plan --out FILE`, and give that file"
            }
            Self::Other(_) => {
                "give the file that `murder plan --out FILE` wrote; a manifest is YAML, or JSON with `version` and `hosts`"
            }
            Self::Damaged(_) => "make a new one with `murder plan --out FILE`",
        }
    }
}

/// Whether a file says that it is a saved plan, whole or not. A manifest is not one.
#[must_use]
pub fn is_saved_plan(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    let head = String::from_utf8_lossy(head);
    let marks = [FORMAT, "\"digest\"", "sha256:", "\"format_version\""];
    let marked = marks.iter().filter(|mark| head.contains(**mark)).count();
    head.trim_start().starts_with(['{', '"']) && marked >= 2
}

/// Whether a file whose name is not that of YAML can be no manifest, so that it was given as a saved plan: it is empty, it is no
/// text, or it is JSON without any key that a manifest must have.
#[must_use]
pub fn is_no_manifest(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = String::from_utf8_lossy(head);
    let begin = text.trim_start();
    let has = |words: &[&str]| words.iter().any(|word| begin.contains(word));
    begin.is_empty()
        || head.contains(&0)
        || begin.starts_with('[')
        || begin.starts_with('{')
            && (has(&["\"format_version\"", "\"$schema\""])
                || !has(&["version", "hosts", "domains", "murder"]))
}

/// The bytes of a plan's file.
///
/// # Errors
/// None that a plan can cause; serde's, passed on.
pub(super) fn sealed(plan: &SavedPlan) -> Result<(Vec<u8>, String), serde_json::Error> {
    serde_json::to_vec(&PlanDocument::of(plan)).map(|document| exchange::sealed(&document))
}

/// Reads a plan's file.
///
/// # Errors
/// [`PlanDamage`] where it was edited, has another format, or cannot be read.
pub(super) fn unsealed(bytes: &[u8]) -> Result<SavedPlan, PlanDamage> {
    let (document, digest) =
        exchange::unsealed(bytes).ok_or_else(|| match OtherFile::of(bytes) {
            OtherFile::Empty => PlanDamage::Empty,
            OtherFile::CutOff => PlanDamage::CutOff,
            OtherFile::SavedPlan => PlanDamage::Edited,
            other => PlanDamage::Other(other),
        })?;
    let said = document_format(&document)?;
    if said != FORMAT_VERSION {
        return Err(PlanDamage::Format(said));
    }
    let document: PlanDocument = serde_json::from_slice(&document).map_err(damaged)?;
    Ok(document.plan(digest))
}

/// The version of the format, which is read before the rest.
fn document_format(document: &[u8]) -> Result<String, PlanDamage> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        format: String,
        format_version: String,
    }
    let versioned: Versioned = serde_json::from_slice(document).map_err(damaged)?;
    match versioned.format.as_str() {
        FORMAT => Ok(versioned.format_version),
        LIVE_FORMAT => Err(PlanDamage::Other(OtherFile::LiveFile)),
        _ => Err(PlanDamage::Format(versioned.format)),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn damaged(error: serde_json::Error) -> PlanDamage {
    PlanDamage::Damaged(error.to_string())
}

impl Texts {
    /// The text of a number.
    ///
    /// # Errors
    /// Where the plan has fewer texts.
    pub fn named(&self, number: TextId) -> Result<&str, PlanDamage> {
        self.get(number)
            .ok_or_else(|| PlanDamage::Damaged(format!("it has no text {}", number.0)))
    }
}
