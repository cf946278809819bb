//! One host, reached for its own records: its history, its lock, its earlier generations.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use async_io::block_on;

use super::SessionError;
use super::apply::{Application, apply};
use super::murder::MurderSession;
use super::observe::Answered;
use super::options::Reach;
use crate::exchange::{Evidence, EvidenceQuestion, HistoryQuestion, Orders, Performed};
use crate::ledger::PinningKey;
use crate::load::LoadedMurder;
use crate::machine::{Apply, MachineError, Observe, Observed, Questions};
use crate::model::Host;
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::{HostPlan, HostVerdict, Plan, Verdict};
use crate::task::Task;
use crate::transport::AskPassphrase;

/// After this time a new connection is made: the user may wait long before answering `yes`.
const KEPT_FOR: Duration = Duration::from_secs(45);

/// One host, reached when it is first asked.
pub struct OneHost<'a> {
    /// What reaches it.
    pub contact: MurderSession<'a>,
    /// The host.
    pub host: &'a Host,
    machine: Option<(Instant, Box<dyn Apply>)>,
    /// The questions after an apply, to check it.
    proof: Option<Questions>,
    /// The key that its ledger keeps, as the last look found it.
    host_key: Option<PinningKey>,
}

/// Compares the host again after a change, by the answers that came with its report, if there are any.
pub type ProofOfHost<'b> = &'b dyn Fn(
    &MurderSession<'_>,
    &Host,
    &mut dyn Observe,
    Option<Answered>,
) -> Result<HostVerdict, MachineError>;

impl<'a> OneHost<'a> {
    /// Reads the secrets of the host's login; the warnings are in [`MurderSession::warnings`].
    ///
    /// # Errors
    /// [`SessionError::Input`] where one of them cannot be read.
    pub fn new(
        loaded: &'a LoadedMurder,
        name: &HostName,
        reach: &Reach,
        ask_passphrase: Box<AskPassphrase>,
    ) -> Result<Self, SessionError> {
        let hosts = std::slice::from_ref(name);
        let contact = MurderSession::new(loaded, hosts, reach, BTreeSet::new(), ask_passphrase)?;
        let host = contact
            .host(name)
            .map_err(|error| SessionError::Host(name.clone(), error))?;
        Ok(Self {
            contact,
            host,
            machine: None,
            proof: None,
            host_key: None,
        })
    }

    /// The error of the session for a host that did not answer.
    #[must_use]
    pub fn no_answer(&self, error: MachineError) -> SessionError {
        let error = error.map(|failure| self.contact.session.scrub(failure));
        SessionError::Host(self.host.name.clone(), error)
    }

    /// The contact and its connection; makes a new connection if there is none or it is too old.
    fn connected(
        &mut self,
    ) -> Result<(&MurderSession<'a>, &'a Host, &mut dyn Apply), MachineError> {
        let kept = self.machine.take();
        let machine = match kept.filter(|(since, _)| since.elapsed() < KEPT_FOR) {
            Some((_, machine)) => machine,
            None => block_on(self.contact.connect(self.host))?,
        };
        let (_, machine) = self.machine.insert((Instant::now(), machine));
        Ok((&self.contact, self.host, &mut **machine))
    }

    /// Observes what every host reports, and its history if `history` asks for it.
    ///
    /// # Errors
    /// [`MachineError`] where it gives no answer.
    pub fn look(&mut self, history: Option<HistoryQuestion>) -> Result<Observed, MachineError> {
        let (_, _, machine) = self.connected()?;
        let observed = machine.observe(&Questions {
            history,
            ..Questions::default()
        })?;
        self.host_key = observed.live.host_key().cloned();
        Ok(observed)
    }

    /// The same, with what a session says where it gives no answer.
    ///
    /// # Errors
    /// [`SessionError::Host`].
    pub fn ask(&mut self, history: Option<HistoryQuestion>) -> Result<Observed, SessionError> {
        self.look(history).map_err(|error| self.no_answer(error))
    }

    /// Runs `work` with the connection.
    ///
    /// # Errors
    /// If there is no connection, or the error of `work`.
    pub fn with<T>(
        &mut self,
        work: impl FnOnce(&MurderSession<'_>, &Host, &mut dyn Observe) -> Result<T, MachineError>,
    ) -> Result<T, MachineError> {
        let (contact, host, machine) = self.connected()?;
        // An observation cannot write, by its type.
        let mut look = ReadOnly(machine);
        work(contact, host, &mut look)
    }

    /// Sets what the host is asked together with the next change, to prove it.
    pub fn prove_by(&mut self, questions: Questions) {
        self.proof = Some(questions);
    }

    /// Carries out orders that do not come from a plan.
    ///
    /// # Errors
    /// [`MachineError`] where no report came back.
    pub fn perform(&mut self, orders: &Orders) -> Result<Performed, MachineError> {
        let (_, _, machine) = self.connected()?;
        machine.perform(orders, None)
    }

    /// Carries out a plan, and observes again; the ledger gets `revision`.
    pub fn change(
        &mut self,
        plan: &HostPlan,
        allow_unverified: bool,
        revision: &str,
        again: ProofOfHost<'_>,
    ) -> Outcome {
        let questions = self.proof.take();
        let host_key = self.host_key.clone();
        let outcome = match self.connected() {
            Err(error) => Outcome::from(error),
            Ok((contact, host, machine)) => {
                let what = Application {
                    plan,
                    secrets: &contact.session.secrets,
                    run: &contact.run_of(revision),
                    allow_unverified,
                    host_key: host_key.as_ref(),
                    questions: questions.as_ref(),
                };
                apply(machine, &what, &|machine, answered| {
                    again(contact, host, machine, answered)
                })
            }
        };
        self.contact.session.scrub_outcome(outcome)
    }

    /// The plan of this one host.
    #[must_use]
    pub fn plan(&self, verdict: HostVerdict) -> Plan {
        let verdict = HostVerdict {
            verdict: self.contact.session.scrub_verdict(verdict.verdict),
            ..verdict
        };
        Plan {
            murder: self.contact.loaded.murder.name.clone(),
            hosts: BTreeMap::from([(self.host.name.clone(), verdict)]),
            own_names: BTreeMap::new(),
        }
    }
}

/// A machine that is only observed.
struct ReadOnly<'a>(&'a mut dyn Apply);

impl Observe for ReadOnly<'_> {
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
        self.0.observe(questions)
    }

    fn witnessing<'a>(
        &'a mut self,
        question: &'a EvidenceQuestion,
    ) -> Task<'a, Result<Evidence, MachineError>> {
        self.0.witnessing(question)
    }
}

/// The verdict for a host that did not answer.
#[must_use]
pub fn without_answer(error: MachineError) -> HostVerdict {
    HostVerdict::of(Verdict::from(error))
}
