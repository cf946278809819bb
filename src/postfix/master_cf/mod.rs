//! master.cf: its text, and the services that Postfix reads from it.

mod edit;
mod entry;
mod pattern;

use std::sync::{Arc, Mutex, PoisonError};

use super::line_problem::LineProblem;
use super::line_problem::LineProblemKind;
use super::lines::logical_lines;
use super::text::beginning;
use crate::name::ServiceName;

pub use entry::MasterEntry;
pub use entry::parts::check_option;
pub use entry::parts::command_of;

pub(crate) use entry::COLUMN_NAMES;
pub(crate) use pattern::Pattern;

pub(crate) use edit::Change;
pub(crate) use edit::change;

/// The text of master.cf, and the services that Postfix reads from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MasterCf {
    text: Vec<u8>,
    entries: Vec<MasterEntry>,
    problems: Vec<LineProblem>,
}

impl MasterCf {
    /// Reads master.cf from any bytes. Faults of which Postfix warns, or at which it stops with a fatal error, are in
    /// [`problems`](Self::problems).
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut entries: Vec<MasterEntry> = Vec::new();
        let mut problems = Vec::new();
        for line in logical_lines(text) {
            let shown = || beginning(&line.text);
            let mut problem = |kind, text| {
                problems.push(LineProblem {
                    line: line.first,
                    kind,
                    text,
                });
            };
            if line.dropped {
                problem(
                    LineProblemKind::LeadingBlank,
                    format!(
                        "logical line must not start with white space, and is ignored: `{}`",
                        shown()
                    ),
                );
                continue;
            }
            match MasterEntry::parse(&line.text) {
                Ok((entry, complaints)) => {
                    for complaint in complaints {
                        let service = format!("{}/{}", entry.name(), entry.kind());
                        problem(kind_of(&complaint), format!("{complaint} in `{service}`"));
                    }
                    if entries
                        .iter()
                        .any(|other| other.matches(entry.word(0), entry.word(1)))
                    {
                        problem(
                            LineProblemKind::Duplicate,
                            format!(
                                "`{}/{}` is defined again; Postfix uses the last entry",
                                entry.name(),
                                entry.kind()
                            ),
                        );
                    }
                    entries.push(entry);
                }
                Err(why) => problem(LineProblemKind::Malformed, format!("{why}: `{}`", shown())),
            }
        }
        Self {
            text: text.to_vec(),
            entries,
            problems,
        }
    }

    /// [`parse`](Self::parse), but equal texts are parsed once: many hosts have the same long master.cf.
    #[must_use]
    pub fn shared(text: &[u8]) -> Arc<Self> {
        static LAST: Mutex<Option<Arc<MasterCf>>> = Mutex::new(None);
        let last = || LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last().clone().filter(|known| known.text == text);
        known.unwrap_or_else(|| {
            let parsed = Arc::new(Self::parse(text));
            *last() = Some(Arc::clone(&parsed));
            parsed
        })
    }

    /// The entry of a service; the last one wins, as in master(8).
    #[must_use]
    pub fn service(&self, service: &ServiceName) -> Option<MasterEntry> {
        self.entry(service).cloned()
    }

    /// The entry of a service for reading.
    pub(crate) fn entry(&self, service: &ServiceName) -> Option<&MasterEntry> {
        let (name, kind) = service.parts();
        self.entries
            .iter()
            .rfind(|entry| entry.matches(name.as_bytes(), kind.as_bytes()))
    }

    /// All entries in the order of the file, duplicates included.
    #[must_use]
    pub fn services(&self) -> &[MasterEntry] {
        &self.entries
    }

    /// The faults of which Postfix warns, or at which it stops, in the order of the lines.
    #[must_use]
    pub fn problems(&self) -> &[LineProblem] {
        &self.problems
    }

    /// The file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.text
    }
}

/// How bad a complaint about an entry is: postconf(1) warns of each; master(8) stops with a fatal error at wrong braces.
fn kind_of(complaint: &str) -> LineProblemKind {
    if complaint.starts_with("missing '}'") || complaint.starts_with("syntax error after '}'") {
        LineProblemKind::Malformed
    } else {
        LineProblemKind::BadOption
    }
}

#[cfg(test)]
mod tests;
