//! A machine whose ledger has only the holds that are still in force: the time is this run's, as a plan knows no clock.

use crate::exchange::{Evidence, EvidenceQuestion, PostmapAnswer, TableQuestion};
use crate::machine::{Apply, MachineError, Observe, Observed, Orders, Performed, Questions};
use crate::plan::end_holds;
use crate::task::Task;

/// The machine, and the time.
pub(super) struct HoldsInForce {
    pub machine: Box<dyn Apply>,
    /// RFC 3339, UTC.
    pub now: String,
}

impl Observe for HoldsInForce {
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
        let mut observed = self.machine.observe(questions)?;
        end_holds(&mut observed.live, &self.now);
        Ok(observed)
    }

    fn observing<'a>(
        &'a mut self,
        questions: &'a Questions,
    ) -> Task<'a, Result<Observed, MachineError>> {
        Box::pin(async move {
            let mut observed = self.machine.observing(questions).await?;
            end_holds(&mut observed.live, &self.now);
            Ok(observed)
        })
    }

    fn witnessing<'a>(
        &'a mut self,
        question: &'a EvidenceQuestion,
    ) -> Task<'a, Result<Evidence, MachineError>> {
        self.machine.witnessing(question)
    }

    fn looking_up<'a>(
        &'a mut self,
        question: &'a TableQuestion,
    ) -> Task<'a, Result<Vec<PostmapAnswer>, MachineError>> {
        self.machine.looking_up(question)
    }
}

impl Apply for HoldsInForce {
    fn perform(
        &mut self,
        orders: &Orders,
        questions: Option<&Questions>,
    ) -> Result<Performed, MachineError> {
        let mut performed = self.machine.perform(orders, questions)?;
        if let Some(seen) = &mut performed.seen {
            end_holds(&mut seen.live, &self.now);
        }
        Ok(performed)
    }
}
