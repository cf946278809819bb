//! What may be shown of a panic.

use std::any::Any;

/// The text of a panic, where it is a literal of the program. None where it was put together at run time: it may hold a value,
/// such as the line of a table that is sliced at a wrong place, and with it a secret.
#[must_use]
pub fn panic_words(payload: &(dyn Any + Send)) -> Option<&'static str> {
    payload.downcast_ref::<&'static str>().copied()
}
