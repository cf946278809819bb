//! Verbs about one host's own records: which host, by which way, and what is said where it
//! cannot be asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use super::apply::{self, Format};
use super::contact::Session;
use super::exit::Exit;
use super::plan::Diff;
use super::reach::{Consent, Reach};
use super::terminal::Terminal;
use super::wiring::{AlreadyReported, Loaded};
use super::{Selection, selection, signals, survey, wiring};
use crate::exchange::{HistoryQuestion, Orders, Performed};
use crate::fleet::Stop;
use crate::machine::{Apply, MachineError, Observe, Observed, Questions};
use crate::model::Host;
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::{Failure, HostPlan, HostVerdict, Plan, Verdict};
use crate::report::line::write_all;
use crate::report::steps;
use crate::tasks::block_on;

/// A connection is made anew after this long: a person may think long before `yes`.
const KEPT_FOR: Duration = Duration::from_secs(45);

/// Why a verb goes no further.
#[derive(Debug)]
pub enum SingleHostError {
    /// What is wrong has been said, and nothing was changed.
    AlreadyReported,
    /// The host gave no answer.
    Machine(MachineError),
}

impl From<AlreadyReported> for SingleHostError {
    fn from(AlreadyReported: AlreadyReported) -> Self {
        Self::AlreadyReported
    }
}

impl From<MachineError> for SingleHostError {
    fn from(error: MachineError) -> Self {
        Self::Machine(error)
    }
}

/// Reads the manifest and finds the host in it; what is wrong has been said.
///
/// # Errors
/// Where either fails. No host was contacted.
pub fn load(
    host: &str,
    path: &Path,
    overlay: &[std::path::PathBuf],
    terminal: &Terminal,
) -> Result<(Loaded, HostName), AlreadyReported> {
    let selection = Selection {
        path: path.to_owned(),
        host: Vec::new(),
        role: Vec::new(),
        site: Vec::new(),
        exclude: Vec::new(),
        overlay: overlay.to_vec(),
    };
    let loaded = wiring::load(&selection, terminal)?;
    match selection::named(&loaded.murder, host) {
        Ok(found) => {
            let name = found.name.clone();
            Ok((loaded, name))
        }
        Err(problem) => {
            survey::refuse(&[problem], terminal);
            Err(AlreadyReported)
        }
    }
}

/// One host, reached when it is first asked.
pub struct Single<'a> {
    /// What reaches it.
    pub contact: Session<'a>,
    /// The host.
    pub host: &'a Host,
    machine: Option<(Instant, Box<dyn Apply>)>,
}

/// The difference once more, after a change.
pub type Again<'b> =
    &'b dyn Fn(&Session<'_>, &Host, &mut dyn Observe) -> Result<HostVerdict, MachineError>;

impl<'a> Single<'a> {
    /// Reads the secrets of the host's login.
    ///
    /// # Errors
    /// Where one of them cannot be read; it has been said.
    pub fn new(
        loaded: &'a Loaded,
        name: &HostName,
        reach: &'a Reach,
        terminal: &Terminal,
    ) -> Result<Self, AlreadyReported> {
        let hosts = std::slice::from_ref(name);
        let contact = Session::new(loaded, hosts, reach, BTreeSet::new(), terminal)?;
        let host = contact.host(name).map_err(|error| {
            terminal.error(&error.to_string());
            AlreadyReported
        })?;
        Ok(Self {
            contact,
            host,
            machine: None,
        })
    }

    /// The contact and the connection, made where there is none that is worth having.
    fn connected(&mut self) -> Result<(&Session<'a>, &'a Host, &mut dyn Apply), MachineError> {
        let kept = self.machine.take();
        let machine = match kept.filter(|(since, _)| since.elapsed() < KEPT_FOR) {
            Some((_, machine)) => machine,
            None => block_on(self.contact.machine(self.host))?,
        };
        let (_, machine) = self.machine.insert((Instant::now(), machine));
        Ok((&self.contact, self.host, &mut **machine))
    }

    /// One look at what every host says, and at its history where asked.
    ///
    /// # Errors
    /// [`MachineError`] where it gives no answer.
    pub fn look(&mut self, history: Option<HistoryQuestion>) -> Result<Observed, MachineError> {
        let (_, _, machine) = self.connected()?;
        machine.observe(&Questions {
            history,
            ..Questions::default()
        })
    }

    /// Runs `work` with the connection.
    ///
    /// # Errors
    /// Where there is none to be had, or what `work` says.
    pub fn with<T>(
        &mut self,
        work: impl FnOnce(&Session<'_>, &Host, &mut dyn Observe) -> Result<T, MachineError>,
    ) -> Result<T, MachineError> {
        let (contact, host, machine) = self.connected()?;
        // A look cannot write, by its type.
        let mut look = Planner(machine);
        work(contact, host, &mut look)
    }

    /// Carries out orders that are no plan's.
    ///
    /// # Errors
    /// [`MachineError`] where no report came back.
    pub fn perform(&mut self, orders: &Orders) -> Result<Performed, MachineError> {
        let (_, _, machine) = self.connected()?;
        machine.perform(orders)
    }

    /// Carries out a plan, and looks again. `revision` is what the ledger says of the manifest.
    pub fn change(
        &mut self,
        plan: &HostPlan,
        allow_unverified: bool,
        revision: &str,
        again: Again<'_>,
    ) -> Outcome {
        let outcome = match self.connected() {
            Err(error) => crate::apply::without_report(error),
            Ok((contact, host, machine)) => crate::apply::apply(
                machine,
                plan,
                &contact.secrets,
                &contact.run_of(revision),
                allow_unverified,
                &|machine| again(contact, host, machine),
            ),
        };
        self.contact.scrub_outcome(outcome)
    }

    /// The plan of this one host.
    #[must_use]
    pub fn plan(&self, verdict: HostVerdict) -> Plan {
        let verdict = HostVerdict {
            verdict: self.contact.scrub_verdict(verdict.verdict),
            ..verdict
        };
        Plan {
            murder: self.contact.loaded.murder.name.clone(),
            hosts: BTreeMap::from([(self.host.name.clone(), verdict)]),
        }
    }

    /// Says why the host gave no answer, and how that ends the program.
    pub fn say(&self, error: MachineError, terminal: &Terminal) -> Exit {
        let (word, failure, exit) = match error {
            MachineError::Unreachable(failure) | MachineError::Detached(failure) => {
                ("unreachable", failure, Exit::Unreachable)
            }
            MachineError::Unfit(failure) => ("failed", failure, Exit::Failed),
        };
        self.say_failure(word, failure, terminal);
        exit
    }

    /// Says what went wrong on the host.
    pub fn say_failure(&self, word: &str, failure: Failure, terminal: &Terminal) {
        let lines = steps::of_failure(word, &self.contact.scrub(failure));
        let mut text = format!("{}\n", self.host.name);
        // Writing into a String cannot fail.
        let _ = write_all(&lines, &mut text, terminal.color_err);
        terminal.report(&text);
    }
}

/// A machine that is only looked at.
struct Planner<'a>(&'a mut dyn Apply);

impl Observe for Planner<'_> {
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError> {
        self.0.observe(questions)
    }
}

/// A host that gave no answer, as a plan says it.
#[must_use]
pub fn without_answer(error: MachineError) -> HostVerdict {
    HostVerdict {
        verdict: match error {
            MachineError::Unreachable(error) | MachineError::Detached(error) => {
                Verdict::Unreachable { error }
            }
            MachineError::Unfit(error) => Verdict::Failed { error },
        },
        remarks: Vec::new(),
        stopped: false,
    }
}

/// How a change of one host is shown and asked for.
pub struct ConfirmOptions<'a> {
    /// What is consented to.
    pub consent: &'a Consent,
    /// Whether to ask.
    pub yes: bool,
    /// The form of the report.
    pub format: Format,
    /// How much of each file the plan shows.
    pub diff: Diff,
}

/// Shows a plan of one host, asks, changes it, and says what became of it; whether it was changed.
pub fn confirm_and_apply(
    plan: &Plan,
    manner: &ConfirmOptions<'_>,
    terminal: &Terminal,
    mut change: impl FnMut(&HostPlan) -> Outcome,
) -> (Exit, bool) {
    let shown = apply::show(plan, manner.consent, manner.format, manner.diff, terminal);
    if shown != Exit::Done {
        return (shown, false);
    }
    let applied = apply::decide(plan, manner.consent, manner.yes, terminal, || {
        // The host in flight is finished, whatever is pressed; twice ends at once, and is safe too.
        if let Err(error) = signals::watch(&Stop::new()) {
            terminal.say(&format!("warning: Ctrl-C will stop at once: {error}"));
        }
        plan.hosts
            .iter()
            .filter_map(|(host, verdict)| match &verdict.verdict {
                Verdict::Changes(plan) => Some((host.clone(), change(plan))),
                _ => None,
            })
            .collect()
    });
    let done = |outcome: &Outcome| matches!(outcome, Outcome::Done { .. });
    let changed = applied.hosts.values().any(done);
    let exit = apply::deliver(&applied, plan, manner.format, terminal);
    (exit.or(apply::exit_of(&applied)), changed)
}
