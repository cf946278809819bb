//! A machine observes ([`Observe`]) and changes ([`Apply`]) one host, with one exchange for each.
//!
//! A plan needs only `&mut dyn Observe`, whose type cannot write. There are two machines: [`remote`], which runs POSIX
//! sh programs over any transport, and [`sandbox`], a folder. A host that was observed earlier ([`recorded`]) can only be read.

pub mod recorded;
pub mod remote;
pub mod sandbox;
mod services;

use crate::task::Task;

pub use crate::exchange::{
    Activation, Ending, Evidence, EvidenceQuestion, Expects, Failure, FileOrder, HistoryOrder,
    HistoryQuestion, KnownFacts, LedgerOrder, MachineError, NotDone, Observed, Orders, Performed,
    PostmapAnswer, Questions, RestoreOrder, TableQuestion,
};

/// Reads a host. Writes nothing there, not even a temporary file.
pub trait Observe: Send {
    /// Answers `questions` in one exchange.
    ///
    /// # Errors
    /// [`MachineError`] where the host cannot be reached, or its answer cannot be understood.
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError>;

    /// The same as a task. By default it blocks its thread.
    fn observing<'a>(
        &'a mut self,
        questions: &'a Questions,
    ) -> Task<'a, Result<Observed, MachineError>> {
        Box::pin(async move { self.observe(questions) })
    }

    /// Says what the host knows about changes of its files.
    ///
    /// # Errors
    /// As [`Self::observe`].
    fn witnessing<'a>(
        &'a mut self,
        question: &'a EvidenceQuestion,
    ) -> Task<'a, Result<Evidence, MachineError>>;

    /// Says what the tables of the host have for keys, in the order of the question. A machine without Postfix cannot.
    ///
    /// # Errors
    /// As [`Self::observe`].
    fn looking_up<'a>(
        &'a mut self,
        _question: &'a TableQuestion,
    ) -> Task<'a, Result<Vec<PostmapAnswer>, MachineError>> {
        Box::pin(async {
            Err(MachineError::Unfit(Failure {
                summary: "there is no Postfix to ask".to_owned(),
                detail: None,
                hint: None,
            }))
        })
    }
}

/// Changes a host, completely or not at all.
pub trait Apply: Observe {
    /// Carries out `orders` in one exchange. The host answers `questions` after the work, so that its proof needs no
    /// exchange of its own:
    /// [`Performed::seen`].
    ///
    /// # Errors
    /// [`MachineError`] where no report came back.
    fn perform(
        &mut self,
        orders: &Orders,
        questions: Option<&Questions>,
    ) -> Result<Performed, MachineError>;
}
