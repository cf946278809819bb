//! Annotations of GitHub Actions: workflow commands, one line each. GitHub shows ten errors and ten warnings of a step.

use super::{by_level, place_of, words};
use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::visible::visible;

/// A line for each problem, errors first. No text of the user can end a line, so none can become a command.
#[must_use]
pub fn github(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut text = String::new();
    for diagnostic in by_level(diagnostics) {
        let command = match diagnostic.level {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = match place_of(diagnostic, sources) {
            Some(place) => format!(
                "file={},line={},col={},",
                property(place.file.trim_start_matches("./")),
                place.line,
                place.column
            ),
            None => String::new(),
        };
        text.push_str(&format!(
            "::{command} {place}title=murder check::{}\n",
            data(&words(diagnostic))
        ));
    }
    text
}

/// A message, as the runner reads it: `%`, and both line ends, are escaped.
fn data(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines
        .join("\n")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property: `:` and `,` would end it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_user_becomes_a_command() {
        let problem = Diagnostic::error("100% of `a\n::set-output name=x::y`, \u{1b}[31m")
            .hint("first\r\n::error::second");
        let text = github(&[problem], &Sources::default());
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with("::error title=murder check::100%25 of "));
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
        assert_eq!(property("a,b:c%"), "a%2Cb%3Ac%25");
    }
}
