//! Why a `module.yaml` cannot be read.

use super::read::span;
use crate::diagnostic::{Diagnostic, SourceId};
use crate::nearest::nearest;

/// What the reader of YAML says, in our words where it is a key or a word that it does not know.
pub(super) fn problem(source: SourceId, error: &serde_saphyr::Error) -> Diagnostic {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or("this is not YAML");
    // The place is shown by other means.
    let said = line
        .rsplit_once(" at line ")
        .map_or(line, |(said, _)| said)
        .trim_end_matches(',');
    let problem = match unknown(said) {
        Some((what, word, known)) => {
            let problem = Diagnostic::error(format!("a module has no {what} `{word}`"));
            let known: Vec<&str> = known
                .split(", ")
                .map(|word| word.trim_matches('`'))
                .collect();
            problem.hint(match nearest(word, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            })
        }
        None => Diagnostic::error(format!("this module cannot be read: {said}"))
            .hint("docs/modules.md says what may stand in a module.yaml"),
    };
    match error.location() {
        Some(at) => problem.at(span(source, at), ""),
        None => problem,
    }
}

/// What is unknown, the word, and the known ones: `unknown field `x`, expected one of a, b`.
fn unknown(said: &str) -> Option<(&'static str, &str, &str)> {
    let (what, rest) = if let Some(rest) = said.strip_prefix("unknown field `") {
        ("key", rest)
    } else {
        ("word", said.strip_prefix("unknown variant `")?)
    };
    let (word, rest) = rest.split_once("`, expected ")?;
    Some((what, word, rest.strip_prefix("one of ").unwrap_or(rest)))
}
