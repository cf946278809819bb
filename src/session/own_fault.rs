//! The words for a bug of the program itself.

use crate::plan::Failure;

/// A bug of the program itself, on one host.
#[must_use]
pub fn own_fault(words: String) -> Failure {
    Failure {
        summary: "internal error of `murder`".to_owned(),
        detail: Some(words),
        hint: Some("please report this as a bug, with the text above".to_owned()),
    }
}
