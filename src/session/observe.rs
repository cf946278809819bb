//! Observes one host until its desired and its live state rest on the same facts.
//!
//! The desired state depends on a few facts that only the machine knows. The first look is made
//! with the facts of last time (or with assumed ones), so that a host whose facts have not changed
//! is asked once; a second look follows only where new facts change what is wanted.

use crate::machine::{KnownFacts, MachineError, Observe, Questions};
use crate::plan::{Failure, questions, unreadable};
use crate::secret::{MissingSecret, Secrets};
use crate::state::{Desired, Facts, Live};

/// A host as it is, and as it must be by the same facts.
#[derive(Debug)]
pub struct ObservedHost {
    /// What it must have, by its own facts.
    pub desired: Desired,
    /// What it has.
    pub live: Live,
    /// Its facts, for the next time.
    pub known: Option<KnownFacts>,
}

/// Observes a host, and again at most twice where its facts differ from those that `desired` was compiled by.
///
/// `compile` gives the desired state for facts; `assumed` are the facts to begin with where none are known.
///
/// # Errors
/// [`MachineError`] of the machine, or `Unfit` where the desired state cannot be made for the host's
/// facts or a secret has not been read.
pub async fn observe_host(
    machine: &mut dyn Observe,
    compile: &dyn Fn(&Facts) -> Result<Desired, Failure>,
    secrets: &Secrets,
    mut known: Option<KnownFacts>,
    assumed: &Facts,
) -> Result<ObservedHost, MachineError> {
    let mut facts = known
        .as_ref()
        .map_or_else(|| assumed.clone(), |known| known.facts.clone());
    let mut desired = match compile(&facts) {
        Ok(desired) => desired,
        // What the host was like last time may be what does not fit: it is asked anew.
        Err(_) if known.is_some() => {
            known = None;
            facts = assumed.clone();
            compile(&facts).map_err(MachineError::Unfit)?
        }
        Err(failure) => return Err(MachineError::Unfit(failure)),
    };
    let mut asked = ask(&desired, secrets, known.clone())?;
    for _ in 0..3 {
        let observed = machine.observing(&asked).await?;
        // A Postfix that cannot read its main.cf says less of itself: no facts to go by, or to keep.
        if unreadable(&observed.live).is_some() {
            return Ok(ObservedHost {
                desired,
                live: observed.live,
                known,
            });
        }
        known = observed.known.or(known);
        // Nearly always the facts are those that were known.
        if observed.live.facts == facts {
            return Ok(ObservedHost {
                desired,
                live: observed.live,
                known,
            });
        }
        facts = observed.live.facts.clone();
        desired = compile(&facts).map_err(MachineError::Unfit)?;
        let questions = ask(&desired, secrets, known.clone())?;
        // The same questions have been answered already, whatever else the facts say.
        if questions.files == asked.files
            && questions.indexes == asked.indexes
            && questions.sockets == asked.sockets
        {
            return Ok(ObservedHost {
                desired,
                live: observed.live,
                known,
            });
        }
        asked = questions;
    }
    Err(MachineError::Unfit(Failure {
        summary: "the host's facts change from one look to the next".to_owned(),
        detail: None,
        hint: Some("is Postfix being upgraded right now? run again when it is done".to_owned()),
    }))
}

fn ask(
    desired: &Desired,
    secrets: &Secrets,
    known: Option<KnownFacts>,
) -> Result<Questions, MachineError> {
    questions(desired, secrets, known).map_err(|MissingSecret(name)| {
        MachineError::Unfit(Failure {
            summary: format!("the secret `{name}` has not been read"),
            detail: None,
            hint: None,
        })
    })
}
