//! The problems of a manifest in the forms of forges: SARIF for code scanning, annotations of GitHub Actions, and GitLab's
//! Code Quality.

mod codequality;
mod github;
pub(in crate::report) mod sarif;

pub use codequality::codequality;
pub use github::github;
pub use sarif::{RESULTS, sarif};

use crate::diagnostic::{Diagnostic, Place, Severity, Sources};
use crate::visible::visible_lines;

/// What a problem is, apart from the words of the user: the name of the policy's rule that is broken, else its summary without what is in backticks, as words with `-` between
/// them. The same mistake at another place has the same one.
fn rule_of(diagnostic: &Diagnostic) -> String {
    /// GitHub takes 255 characters.
    const MOST: usize = 80;
    // A rule of a policy has a name.
    let named = diagnostic.summary.strip_suffix("`)");
    let named = named.and_then(|summary| summary.rsplit_once(" (rule `"));
    let own: Vec<&str> = match named {
        Some((_, name)) => vec!["policy", name],
        None => diagnostic.summary.split('`').step_by(2).collect(),
    };
    let mut rule = String::new();
    for word in own
        .into_iter()
        .flat_map(|part| part.split(|c: char| !c.is_ascii_alphabetic()))
    {
        if !word.is_empty() && rule.len() + word.len() < MOST {
            if !rule.is_empty() {
                rule.push('-');
            }
            rule.push_str(&word.to_ascii_lowercase());
        }
    }
    match rule.is_empty() {
        true => "problem".to_owned(),
        false => rule,
    }
}

/// Where a problem is; none where it has no place, such as one of an argument.
fn place_of(diagnostic: &Diagnostic, sources: &Sources) -> Option<Place> {
    let (span, _) = diagnostic.at.as_ref()?;
    let place = sources.place(*span);
    (!place.file.is_empty() && place.line > 0).then_some(place)
}

/// All words of a problem: the summary, why, and what to do, a line each.
fn words(diagnostic: &Diagnostic) -> String {
    let mut text = visible_lines(&diagnostic.summary);
    for (what, more) in [("", &diagnostic.detail), ("help: ", &diagnostic.hint)] {
        if let Some(more) = more {
            text.push('\n');
            text.push_str(what);
            text.push_str(&visible_lines(more));
        }
    }
    text
}

/// The problems, errors before warnings: what a limit cuts are warnings.
fn by_level(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let of = |level: Severity| diagnostics.iter().filter(move |one| one.level == level);
    of(Severity::Error).chain(of(Severity::Warning)).collect()
}

/// A path as a URI relative to the working folder: RFC 3986, each other byte as `%XX`.
fn uri(path: &str) -> String {
    let path = path.trim_start_matches("./");
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_the_summary_without_the_words_of_the_user() {
        for (summary, rule) in [
            ("unknown key `murdr`", "unknown-key"),
            ("`a` and `b` differ in 3 places", "and-differ-in-places"),
            ("`x`", "problem"),
            (
                "`main.cf:a` is `b`; it must be `c` (rule `TLS for mail that leaves`)",
                "policy-tls-for-mail-that-leaves",
            ),
        ] {
            assert_eq!(rule_of(&Diagnostic::error(summary)), rule);
        }
    }

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("./a b/ü.yaml"), "a%20b/%C3%BC.yaml");
    }
}
