//! The type of a piece of work that waits.

use std::pin::Pin;

/// A future that stays on the thread that first polled it. It is boxed, so that a trait can return it.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
