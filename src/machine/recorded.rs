//! A host as a live file has it: it answers as the host did when it was observed.

use crate::exchange::{Evidence, EvidenceQuestion, Failure, MachineError, Observed, Questions};
use crate::machine::Observe;
use crate::state::{Live, LiveFile, LiveService, Remark, Running};
use crate::task::Task;

/// A host that was observed earlier.
#[derive(Debug)]
pub struct Recorded {
    live: Live,
}

impl Recorded {
    /// The host of this record.
    #[must_use]
    pub fn new(live: Live) -> Self {
        Self { live }
    }

    /// Whether indexes are known of the host: a sandbox without postmap(1) has none.
    fn has_indexes(&self) -> bool {
        let mut services = self.live.services.values();
        let real =
            services.any(|LiveService::Postfix(postfix)| postfix.running != Running::NotHere);
        real || !self.live.indexes.is_empty()
    }
}

impl Observe for Recorded {
    /// A file about which the record says nothing counts as absent, and a remark says so.
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
        let mut live = self.live.clone();
        let mut unknown = Vec::new();
        for path in questions.files.keys() {
            live.files.entry(path.clone()).or_insert_with(|| {
                unknown.push(format!("`{path}`"));
                LiveFile::Absent
            });
        }
        if self.has_indexes() {
            for path in &questions.indexes {
                live.indexes.entry(path.clone()).or_insert(LiveFile::Absent);
            }
        }
        if !unknown.is_empty() {
            live.remarks.push(Remark {
                text: format!(
                    "the live file does not say whether the host has {}; the plan takes that as absent",
                    unknown.join(", ")
                ),
                hint: Some("observe the host with the manifest that names it: `murder observe --out FILE`".to_owned()),
            });
        }
        Ok(Observed {
            live,
            known: None,
            entries: Vec::new(),
            generation: None,
        })
    }

    fn witnessing<'a>(
        &'a mut self,
        _question: &'a EvidenceQuestion,
    ) -> Task<'a, Result<Evidence, MachineError>> {
        let failure = Failure {
            summary: "a live file does not say who changed a host".to_owned(),
            detail: None,
            hint: None,
        };
        Box::pin(async move { Err(MachineError::Unfit(failure)) })
    }
}
