//! Many hosts at once: limits on hosts and threads, one channel of events, and the order of hosts.
//!
//! Nothing here knows what is done on a host: the work comes as a closure, so that the order,
//! the bounds and the stopping are tested without any machine.

mod named_wave;
mod panic_words;
mod pool;
mod roll;
mod shard;
mod stop;
mod wave;

pub use named_wave::{NamedWave, named_waves};
pub use panic_words::panic_words;
pub use pool::{Event, EventKind, NotRun, Say, Width, run, run_tasks};
pub use roll::{Batch, Limits, batches, roll};
pub use shard::Shard;
pub use stop::Stop;
pub use wave::{Phase, TurnOrder, Wave, phase_of, ranks, waves};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
mod tests;
