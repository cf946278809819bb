//! A machine: eyes ([`Observe`]) and hands ([`Apply`]) on one host, one exchange each.
//!
//! `plan` holds a `&mut dyn Observe`, which cannot write, by its type. Two machines: [`remote`], which runs
//! POSIX sh programs over any transport, and [`sandbox`], a folder.

pub mod remote;
pub mod sandbox;

use crate::task::Task;

pub use crate::exchange::{
    Activation, Ending, Expects, Failure, FileOrder, HistoryOrder, HistoryQuestion, KnownFacts,
    LedgerOrder, MachineError, Observed, Orders, Performed, Questions, RestoreOrder,
};

/// Eyes: reads a host, writes nothing there, not even a temporary file.
pub trait Observe: Send {
    /// One exchange.
    ///
    /// # Errors
    /// [`MachineError`] where there is no answer that can be understood.
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError>;

    /// The same as a task; one that never waits where a machine has nothing else.
    fn observing<'a>(
        &'a mut self,
        questions: &'a Questions,
    ) -> Task<'a, Result<Observed, MachineError>> {
        Box::pin(async move { self.observe(questions) })
    }
}

/// Hands: changes a host, whole or not at all.
pub trait Apply: Observe {
    /// One exchange.
    ///
    /// # Errors
    /// [`MachineError`] where no report came back.
    fn perform(&mut self, orders: &Orders) -> Result<Performed, MachineError>;
}
