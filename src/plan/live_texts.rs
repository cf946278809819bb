//! The texts that a plan has from a host: how long they are, and a plan without them.

use super::{Change, FileState, HostVerdict, Step, Verdict, Withheld};

impl HostVerdict {
    /// The host's own states of files.
    fn live_states(&mut self) -> impl Iterator<Item = &mut FileState> {
        let steps = match &mut self.verdict {
            Verdict::Changes(plan) => plan.steps.as_mut_slice(),
            _ => &mut [],
        };
        steps.iter_mut().filter_map(|step| match step {
            Step::File {
                change: Change::Update { before, .. },
                ..
            }
            | Step::Delete { before, .. } => Some(before),
            _ => None,
        })
    }

    /// The length of all texts of the host's own, in bytes.
    pub fn live_text_length(&mut self) -> u64 {
        let texts = self.live_states().filter_map(|state| state.text.as_ref());
        texts.map(|text| text.len() as u64).sum()
    }

    /// Leaves the host's own texts out; nothing else in the plan changes.
    pub fn withhold_live_texts(&mut self) {
        for state in self.live_states().filter(|state| state.text.is_some()) {
            state.text = None;
            state.withheld = Some(Withheld::TooLong);
        }
    }
}
