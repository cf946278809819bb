//! The first line of a step: its mark, what it does to what, and why.

use super::line::{Line, Tone};
use crate::plan::{Cause, Change};

/// `  ~ update /etc/postfix/x (drift: changed on the host since the last apply)`.
pub(super) fn titled<T>(change: &Change<T>, what: &str, access: &str, cause: Cause) -> Line {
    let (mark, word, tone) = action(change);
    Line::new(
        tone,
        format!("  {mark} {word} {what}{access}{}", why(cause)),
    )
}

/// The mark, the verb and the tone of a change.
pub(super) fn action<T>(change: &Change<T>) -> (char, &'static str, Tone) {
    match change {
        Change::Create { .. } => ('+', "create", Tone::Added),
        Change::Update { .. } => ('~', "update", Tone::Changed),
        Change::Delete { .. } => ('-', "delete", Tone::Removed),
    }
}

/// Why, in brackets; empty where the manifest wants it.
pub(super) fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Wanted => "",
        Cause::Drift => " (drift: changed on the host since the last apply)",
        Cause::Unnamed => " (no longer in the manifest)",
        Cause::FirstContact => " (first apply: replaces the host's own value)",
        Cause::Retired => " (the host is retired)",
        Cause::Restored => " (not managed now, but in the generation to restore)",
        Cause::AbsentInGeneration => " (not managed in the generation to restore)",
    }
}
