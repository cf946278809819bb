//! main.cf: its text, and the parameters that Postfix reads from it.

mod edit;

use std::collections::BTreeMap;

use super::line_problem::LineProblem;
use super::line_problem::LineProblemKind;
use super::lines::logical_lines;
use super::text::beginning;
use super::text::collapse;
use super::text::lossy;
use super::text::split_name_value;

pub(crate) use edit::Change;
pub(crate) use edit::change;

/// The text of main.cf, and the parameters that Postfix reads from it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MainCf {
    text: Vec<u8>,
    values: BTreeMap<String, String>,
    problems: Vec<LineProblem>,
}

impl MainCf {
    /// Reads main.cf from any bytes. Faults of which Postfix warns, or at which it stops with a fatal error, are in
    /// [`problems`](Self::problems).
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        let mut problems = Vec::new();
        for line in logical_lines(text) {
            let shown = || beginning(&line.text);
            if line.dropped {
                problems.push(LineProblem {
                    line: line.first,
                    kind: LineProblemKind::LeadingBlank,
                    text: format!(
                        "logical line must not start with white space, and is ignored: `{}`",
                        shown()
                    ),
                });
                continue;
            }
            let (name, value) = match split_name_value(&line.text) {
                Ok(pair) => pair,
                Err(why) => {
                    problems.push(LineProblem {
                        line: line.first,
                        kind: LineProblemKind::Malformed,
                        text: format!("{why}: `{}`", shown()),
                    });
                    continue;
                }
            };
            let (name, value) = (lossy(name), lossy(&collapse(value)));
            if let Some(earlier) = values.get(&name)
                && *earlier != value
            {
                // The text must not have the value: it may be a password, and warnings are printed.
                problems.push(LineProblem {
                    line: line.first,
                    kind: LineProblemKind::Duplicate,
                    text: format!("`{name}` is set again; Postfix uses the last value"),
                });
            }
            values.insert(name, value);
        }
        Self {
            text: text.to_vec(),
            values,
            problems,
        }
    }

    /// The value of a parameter as Postfix reads it: the last entry wins, folded lines are joined, and each run of white
    /// space is one blank. None if main.cf does not set it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Parameter names and values as Postfix reads them (last wins, white-space runs folded), in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
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

#[cfg(test)]
mod tests;
