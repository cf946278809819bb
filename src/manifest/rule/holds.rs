//! What the rules are made of: a condition, and why a text fails it.

use crate::name::NameError;

/// Takes a name as its own type judges it.
pub(super) fn named<T>(result: Result<T, NameError>) -> Result<(), String> {
    result.map(drop).map_err(|error| error.why.to_owned())
}

/// An error with `why` unless the condition `holds`.
pub(super) fn require(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

/// Whether a text is one to nine decimal digits.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit())
}
