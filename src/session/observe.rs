//! Observes one host until its desired and its live state rest on the same facts.
//!
//! The desired state depends on a few facts that only the machine knows. The first observation uses the facts of the
//! last run, or assumed ones, so that a host whose facts have not changed is asked once. It is asked again only if new
//! facts change the desired state.

use crate::machine::{KnownFacts, MachineError, Observe, Observed, Questions};
use crate::plan::{Failure, HostVerdict, questions, unreadable};
use crate::secret::{MissingSecret, Secrets};
use crate::state::{Desired, Facts, Live, References};

/// A host: what it has, and what it must have by the same facts.
#[derive(Debug)]
pub struct ObservedHost {
    /// What it must have, by its own facts.
    pub desired: Desired,
    /// What it has.
    pub live: Live,
    /// Its facts, for the next time.
    pub known: Option<KnownFacts>,
    /// What to ask it the next time, if its desired state and its facts stay the same.
    pub questions: Questions,
}

/// An observation that came with the report of an apply.
#[derive(Debug)]
pub struct Answered {
    /// The questions.
    pub questions: Questions,
    /// The host's answers.
    pub observed: Observed,
}

impl ObservedHost {
    fn new(desired: Desired, live: Live, known: Option<KnownFacts>, asked: Questions) -> Self {
        let questions = Questions {
            known: known.clone().or(asked.known),
            ..asked
        };
        Self {
            desired,
            live,
            known,
            questions,
        }
    }
}

/// Observes a host, and again at most twice where its facts differ from those that `desired` was compiled by.
///
/// `compile` gives the desired state for facts; `assumed` are the facts to begin with where none are known. An
/// `answered` observation takes the place of the first one if the host would be asked the same.
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
    mut answered: Option<Answered>,
) -> Result<ObservedHost, MachineError> {
    let mut facts = known
        .as_ref()
        .map_or_else(|| assumed.clone(), |known| known.facts.clone());
    let mut desired = match compile(&facts) {
        Ok(desired) => desired,
        // The facts of the last run may be wrong by now: the host is asked again.
        Err(_) if known.is_some() => {
            known = None;
            facts = assumed.clone();
            compile(&facts).map_err(MachineError::Unfit)?
        }
        Err(failure) => return Err(MachineError::Unfit(failure)),
    };
    let mut asked = ask(&desired, secrets, known.clone())?;
    if let Some(answered) = &answered {
        asked.references = answered.questions.references.clone();
    }
    for _ in 0..3 {
        let observed = match answered.take() {
            Some(answered) if answered.questions == asked => answered.observed,
            _ => machine.observing(&asked).await?,
        };
        // A Postfix that cannot read its main.cf gives incomplete facts: they are not used and not kept.
        if unreadable(&observed.live).is_some() {
            return Ok(ObservedHost::new(desired, observed.live, known, asked));
        }
        known = observed.known.or(known);
        // Nearly always the facts are the known ones.
        if observed.live.facts == facts {
            return Ok(ObservedHost::new(desired, observed.live, known, asked));
        }
        facts = observed.live.facts.clone();
        desired = compile(&facts).map_err(MachineError::Unfit)?;
        let questions = ask(&desired, secrets, known.clone())?;
        // The new facts lead to the same questions, which have been answered already.
        if questions.files == asked.files
            && questions.indexes == asked.indexes
            && questions.sockets == asked.sockets
        {
            return Ok(ObservedHost::new(desired, observed.live, known, asked));
        }
        asked = questions;
    }
    Err(MachineError::Unfit(Failure {
        summary: "the host's facts changed between two observations".to_owned(),
        detail: None,
        hint: Some(
            "if Postfix is being upgraded, run this again when the upgrade has ended".to_owned(),
        ),
    }))
}

/// Compares an observed host; one that was not asked about all files and tables that its parameters name is observed once
/// more.
///
/// # Errors
/// As [`observe_host`].
pub async fn complete(
    observed: &mut ObservedHost,
    machine: &mut dyn Observe,
    compare: &(dyn Fn(&ObservedHost) -> (HostVerdict, Option<References>) + Sync),
) -> Result<HostVerdict, MachineError> {
    let (verdict, lacking) = compare(observed);
    if lacking.is_none() {
        return Ok(verdict);
    }
    observed.questions.references = lacking;
    let again = machine.observing(&observed.questions).await?;
    // Otherwise Postfix is being upgraded, and the next plan judges the files.
    if again.live.facts != observed.live.facts {
        return Ok(verdict);
    }
    observed.live = again.live;
    Ok(compare(observed).0)
}

fn ask(
    desired: &Desired,
    secrets: &Secrets,
    known: Option<KnownFacts>,
) -> Result<Questions, MachineError> {
    questions(desired, secrets, known).map_err(|MissingSecret(name)| {
        MachineError::Unfit(Failure {
            summary: format!("the secret `{name}` has not been read"),
            detail: Some("what a file with it must hold cannot be compared".to_owned()),
            hint: Some("leave `--untrusted` out, for a manifest that you trust".to_owned()),
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::exchange::{Evidence, EvidenceQuestion};
    use crate::machine::sandbox::Sandbox;
    use crate::name::HostName;
    use crate::task::Task;
    use async_io::block_on;

    struct Counting(Sandbox, usize);

    impl Observe for Counting {
        fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
            self.1 += 1;
            self.0.observe(questions)
        }

        fn witnessing<'a>(
            &'a mut self,
            question: &'a EvidenceQuestion,
        ) -> Task<'a, Result<Evidence, MachineError>> {
            self.0.witnessing(question)
        }
    }

    #[test]
    fn answers_that_came_with_a_report_save_the_second_observation() {
        let folder = tempfile::tempdir().unwrap();
        let host = HostName::new("a.example.org").unwrap();
        let facts = Facts::debian();
        let mut machine = Counting(
            Sandbox::new(
                folder.path(),
                &host,
                facts.clone(),
                std::sync::Arc::default(),
            ),
            0,
        );
        let compile = |_: &Facts| Ok(Desired::default());
        let secrets = Secrets::default();
        let mut observe = |answered| {
            let known = None;
            let observed = block_on(observe_host(
                &mut machine,
                &compile,
                &secrets,
                known,
                &facts,
                answered,
            ))
            .unwrap();
            (observed.questions, std::mem::take(&mut machine.1))
        };
        let (questions, asked) = observe(None);
        assert!(asked > 0);
        let answered = |questions: Questions| {
            let mut machine = Sandbox::new(
                folder.path(),
                &host,
                facts.clone(),
                std::sync::Arc::default(),
            );
            let observed = machine.observe(&questions).unwrap();
            Some(Answered {
                questions,
                observed,
            })
        };
        let (_, again) = observe(answered(questions.clone()));
        assert_eq!(again, asked - 1, "one observation is saved");
        let others = Questions {
            history: Some(crate::machine::HistoryQuestion::Entries),
            ..questions
        };
        let (_, again) = observe(answered(others));
        assert_eq!(again, asked, "answers to other questions are no proof");
    }
}
