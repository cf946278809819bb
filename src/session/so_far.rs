//! What an apply has done so far, for a report when it is interrupted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::name::HostName;
use crate::outcome::Outcome;

/// The outcome that each host has if the program ends now. Only one reader gets it: the report of the whole apply, or that of
/// its interruption.
#[derive(Debug, Clone)]
pub struct OutcomesSoFar(Arc<Mutex<Option<BTreeMap<HostName, Outcome>>>>);

impl OutcomesSoFar {
    /// Begins with these outcomes.
    #[must_use]
    pub fn new(outcomes: BTreeMap<HostName, Outcome>) -> Self {
        Self(Arc::new(Mutex::new(Some(outcomes))))
    }

    /// Sets the outcome of a host.
    pub fn set(&self, host: &HostName, outcome: Outcome) {
        if let Some(outcomes) = self.lock().as_mut() {
            outcomes.insert(host.clone(), outcome);
        }
    }

    /// The outcome of a host; none where the outcomes were taken.
    #[must_use]
    pub fn of(&self, host: &HostName) -> Option<Outcome> {
        self.lock().as_ref()?.get(host).cloned()
    }

    /// The outcomes; none where they were taken already.
    #[must_use]
    pub fn take(&self) -> Option<BTreeMap<HostName, Outcome>> {
        self.lock().take()
    }

    /// No work runs under this lock, so the data of a poisoned one is consistent.
    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<HostName, Outcome>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
