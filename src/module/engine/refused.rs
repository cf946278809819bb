//! What Tera refuses, as diagnostics with places.

use std::collections::BTreeSet;

use tera::ErrorKind;

use super::Engine;
use super::tera_errors::{Report, reports};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

impl Engine {
    /// Gives Tera what it takes, again and again, because a template may be included by one that
    /// comes before it. What is left then is wrong, or includes what is.
    pub(super) fn settle_each(
        &mut self,
        waiting: &[(String, String)],
        problems: &mut Vec<Diagnostic>,
    ) {
        let mut left: Vec<&(String, String)> = waiting.iter().collect();
        let mut refused: Vec<(&str, tera::Error)> = Vec::new();
        loop {
            let before = left.len();
            refused.clear();
            left.retain(
                |(name, text)| match self.tera.add_raw_template(name, text) {
                    Ok(()) => false,
                    Err(error) => {
                        refused.push((name, error));
                        true
                    }
                },
            );
            if left.len() == before || left.is_empty() {
                break;
            }
        }
        let names: BTreeSet<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        let mut said = Vec::new();
        for ((name, text), (_, error)) in left.iter().zip(&refused) {
            let reports = reports(error);
            if reports.is_empty() {
                said.push(self.diagnostic(error, None));
            }
            for report in reports {
                // A template that is wrong itself is missing to all that include it.
                if !report.missing().is_some_and(|name| names.contains(name)) {
                    said.push(self.report(name, text, &report));
                }
            }
        }
        // Templates that include each other in a circle wait for each other, and nothing else is wrong.
        if said.is_empty() {
            said.extend(
                refused
                    .iter()
                    .take(1)
                    .map(|(_, error)| self.diagnostic(error, None)),
            );
        }
        problems.extend(said);
    }

    /// One of several things that Tera found in one template.
    fn report(&self, name: &str, text: &str, report: &Report<'_>) -> Diagnostic {
        let before: usize = text
            .split_inclusive('\n')
            .take(report.line.saturating_sub(1))
            .map(str::len)
            .sum();
        let at = before + report.column.saturating_sub(1);
        let part = self.parts.get(name);
        let column = part.map_or(report.column, |part| {
            part.calls.original_column(at, report.line, report.column)
        });
        let at = part.map_or(at, |part| part.calls.original(at));
        let problem = Diagnostic::error(format!("template: {}", report.what)).detail(format!(
            "template `{name}`, line {}, column {column}",
            report.line
        ));
        let problem = match part {
            Some(part) => problem.at(part.place(at, at), ""),
            None => problem,
        };
        match report.missing() {
            Some(missing) => {
                let known: Vec<&str> = self.parts.keys().map(String::as_str).collect();
                problem.hint(match nearest(missing, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add the file `modules/{missing}`"),
                })
            }
            None => problem.hint("see docs/modules.md for what a template may use"),
        }
    }

    pub(super) fn diagnostic(&self, error: &tera::Error, rendered: Option<&str>) -> Diagnostic {
        let (summary, place) = match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => (
                report.message().trim_end_matches('.').to_owned(),
                Some((report.filename().to_owned(), report.span().clone())),
            ),
            other => (other.to_string(), None),
        };
        let mut problem = Diagnostic::error(format!("template: {summary}"));
        let at = match &place {
            Some((name, span)) => self.parts.get(name).map(|part| {
                let original = |at| part.calls.original(at);
                part.place(original(span.range.start), original(span.range.end))
            }),
            None => rendered
                .and_then(|name| self.parts.get(name))
                .map(|part| part.place(0, 0)),
        };
        if let Some(at) = at {
            problem = problem.at(at, "");
        }
        if let Some((name, span)) = place {
            let (at, line, column) = (span.range.start, span.start_line, span.start_col + 1);
            let part = self.parts.get(&name);
            let column = part.map_or(column, |part| part.calls.original_column(at, line, column));
            problem = problem.detail(format!("template `{name}`, line {line}, column {column}"));
        }
        problem.hint(if matches!(error.kind(), ErrorKind::SyntaxError(_)) {
            "put a literal `{{` or `{%` between `{% raw %}` and `{% endraw %}`"
        } else {
            "see docs/modules.md for what a template may use"
        })
    }
}
