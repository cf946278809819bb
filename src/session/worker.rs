//! Plans and changes the hosts of a loaded manifest, one at a time for each caller.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_io::block_on;

use super::SessionError;
use super::apply::{Application, apply};
use super::file_secrets::of_files;
use super::forget::Forgotten;
use super::forgetting::Forgetting;
use super::live_file::{LiveFileDocument, record_of};
use super::maintenance::overdue;
use super::murder::MurderSession;
use super::notes::Notes;
use super::observe::Answered;
use super::options::{Consent, Reach};
use super::path_policy::PathPolicy;
use super::precompile::{Precompiled, precompile};
use super::retired::Retired;
use super::waiting::waits;
use crate::attribution::HostNotes;
use crate::compile::Compiler;
use crate::diagnostic::Diagnostic;
use crate::exchange::HostRecord;
use crate::ledger::PinningKey;
use crate::load::LoadedMurder;
use crate::machine::{Apply, MachineError, Observe, Questions};
use crate::model::Host;
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::saved::Compared;
use crate::plan::{Failure, HostPlan, HostVerdict, Verdict};
use crate::state::{Desired, Facts};
use crate::task::Task;
use crate::transport::AskPassphrase;

mod begin;

pub use begin::{applier, observer, planner, planner_of_live_file, recorder, watcher};

/// Reads hosts. Called from many threads, for one host each.
pub trait Planner: Sync {
    /// Observes a host and compares; reports its progress by `say`.
    fn plan<'a>(&'a self, host: &'a HostName, say: &'a dyn Fn(&str)) -> Task<'a, HostVerdict>;

    /// How many threads `at_once` observations need. One is enough if they only wait for sockets.
    fn threads(&self, at_once: usize) -> usize;
}

/// Reads hosts, and keeps what those with changes were compared by, to save the plan.
pub trait Recorder: Planner {
    /// What the hosts with changes were compared by, once they were planned.
    fn compared(&self) -> BTreeMap<HostName, Compared>;
}

/// Changes hosts.
pub trait Applier: Planner {
    /// Carries out the plan, observes again, and gives the outcome. Secrets in the words of the host are masked.
    fn change(&self, host: &HostName, plan: &HostPlan, say: &dyn Fn(&str)) -> Outcome;

    /// Makes converged hosts delete the stored failure that the plan has reported, and gives the hosts that did.
    fn forget(&self) -> Vec<HostName>;

    /// Takes these hosts, which are retired now, out of the ledgers of converged hosts.
    fn forget_retired(&self, retired: &BTreeSet<HostName>) -> BTreeMap<HostName, Forgotten>;
}

/// Reads hosts, and keeps what it found.
pub trait Observer: Planner {
    /// What was found on each host that answered.
    fn records(&self) -> BTreeMap<HostName, HostRecord>;
}

/// Reads hosts for `drift`: it also asks who changed a host.
pub trait Watcher: Planner {
    /// What is known of each host that answered.
    fn notes(&self) -> BTreeMap<HostName, HostNotes>;
}

/// A connection that is kept from the observation for the apply is closed after this time: firewalls and sshd drop
/// idle ones, and the user may wait long before answering `yes`.
const KEPT_FOR: Duration = Duration::from_secs(45);
/// Connections kept at once: each is an open file here and a process there.
const KEPT_AT_ONCE: usize = 256;

/// Connections of the observations, each with its start time.
type Kept = BTreeMap<HostName, (Instant, Box<dyn Apply>)>;

/// What an apply needs from the observation before it.
struct Asked {
    /// The questions, which are asked again to check the apply.
    questions: Questions,
    /// The key that the host's ledger keeps.
    host_key: Option<PinningKey>,
}

/// Everything that one run over the manifest's own desired state needs for any of its hosts.
struct Worker<'a> {
    contact: MurderSession<'a>,
    compiler: Compiler<'a>,
    paths: PathPolicy,
    precompiled: Mutex<BTreeMap<HostName, Precompiled>>,
    consent: Consent,
    kept: Option<Mutex<Kept>>,
    /// The questions to hosts with changes, and the key of each.
    asked: Mutex<BTreeMap<HostName, Asked>>,
    forgetting: Forgetting,
    /// The retired hosts that the ledgers of hosts name.
    retired: Retired,
    /// What the hosts with changes were compared by, if the plan is to be saved.
    compared: Option<Mutex<BTreeMap<HostName, Compared>>>,
    /// What was found on each host, for `observe` alone.
    records: Option<Mutex<BTreeMap<HostName, HostRecord>>>,
    /// The live file in the place of the hosts.
    live: Option<&'a LiveFileDocument>,
    /// For `drift` alone.
    notes: Option<Notes>,
    /// Whether all hosts are reached without blocking a thread.
    waits: bool,
}

impl<'a> Worker<'a> {
    fn new(
        loaded: &'a LoadedMurder,
        hosts: &[HostName],
        reach: &Reach,
        consent: Consent,
        writes: bool,
        ask_passphrase: Box<AskPassphrase>,
    ) -> Result<(Self, Vec<Diagnostic>), SessionError> {
        let prepared = precompile(loaded, hosts, reach)?;
        let mut warnings = prepared.warnings;
        let needed = match reach.files_unread {
            true => BTreeSet::new(),
            false => of_files(loaded, hosts),
        };
        let contact = match MurderSession::new(loaded, hosts, reach, needed, ask_passphrase) {
            Ok(mut contact) => {
                warnings.append(&mut contact.warnings);
                warnings.extend(overdue(loaded, hosts, &contact.session.run.at));
                contact
            }
            Err(SessionError::Input(problems)) => {
                warnings.extend(problems);
                return Err(SessionError::Input(warnings));
            }
            Err(other) => return Err(other),
        };
        let worker = Self {
            contact,
            compiler: prepared.compiler,
            paths: reach.paths.clone(),
            precompiled: Mutex::new(prepared.hosts),
            consent,
            kept: writes.then(Mutex::default),
            asked: Mutex::default(),
            forgetting: Forgetting::default(),
            retired: Retired::default(),
            compared: None,
            records: None,
            live: None,
            notes: None,
            waits: waits(loaded, hosts, reach),
        };
        Ok((worker, warnings))
    }

    fn compile(&self, host: &Host, facts: &Facts) -> Result<Desired, Failure> {
        self.paths
            .judge(self.compiler.compile(&host.name, facts))
            .map(|compiled| compiled.desired)
            .map_err(|problems| Failure {
                summary: "the manifest does not compile with this host's facts".to_owned(),
                detail: Some(
                    problems
                        .iter()
                        .map(|problem| problem.render(&self.contact.loaded.sources, false))
                        .collect::<Vec<_>>()
                        .join("\n"),
                ),
                hint: None,
            })
    }

    /// Observes a host, and compares.
    async fn compare(
        &self,
        host: &Host,
        machine: &mut dyn Observe,
        answered: Option<Answered>,
    ) -> Result<(HostVerdict, Asked), MachineError> {
        let precompiled = lock(&self.precompiled).remove(&host.name);
        let (known, desired) = match (precompiled, &answered) {
            (Some(precompiled), _) => (precompiled.known, Some(precompiled.desired)),
            (None, Some(answered)) => (answered.questions.known.clone(), None),
            (None, None) => (self.contact.session.known(&host.name), None),
        };
        // The observation begins with the facts that the host was compiled with.
        let desired = Cell::new(desired);
        let compile = |facts: &Facts| match desired.take() {
            Some(desired) => Ok(desired),
            None => self.compile(host, facts),
        };
        let (observed, seen) = self
            .contact
            .plan(host, known, machine, &compile, answered, None)
            .await?;
        if let Some(notes) = &self.notes {
            notes.take(&host.name, &observed.live);
        }
        let writes = self.kept.is_some();
        if writes {
            // The ledger names the manifest as it was when the plan was made.
            let _ = self.contact.loaded.revision();
            let run = &self.contact.session.run;
            self.forgetting.note(&host.name, &observed.live, &seen, run);
            let ledger = observed.live.ledger.as_ref();
            self.retired.note(&host.name, ledger, &self.contact);
        }
        if let (Some(compared), Verdict::Changes(_)) = (&self.compared, &seen.verdict) {
            let kept = Compared::of(&observed.desired, &observed.live);
            lock(compared).insert(host.name.clone(), kept);
        }
        if let Some(records) = &self.records {
            let record = record_of(&observed.desired, &observed.live);
            lock(records).insert(host.name.clone(), record);
        }
        let asked = Asked {
            host_key: observed.live.host_key().cloned(),
            questions: observed.questions,
        };
        Ok((seen, asked))
    }

    async fn look_with(&self, name: &HostName) -> Result<HostVerdict, MachineError> {
        let host = self.contact.host(name)?;
        if let Some(live) = self.live {
            let mut machine = live.machine(name)?;
            let (verdict, _) = self.compare(host, &mut machine, None).await?;
            return Ok(verdict);
        }
        let mut machine = self.contact.connect(host).await?;
        let (verdict, asked) = self.compare(host, &mut *machine, None).await?;
        if let Some(notes) = &self.notes {
            notes.witness(name, &mut *machine, &verdict).await;
        }
        if matches!(verdict.verdict, Verdict::Changes(_)) {
            self.keep(name, machine, asked);
        }
        Ok(verdict)
    }

    /// The connection of the observation, if it is not too old.
    fn kept(&self, host: &HostName) -> Option<Box<dyn Apply>> {
        let mut kept = lock(self.kept.as_ref()?);
        let (since, machine) = kept.remove(host)?;
        (since.elapsed() < KEPT_FOR).then_some(machine)
    }

    fn keep(&self, host: &HostName, machine: Box<dyn Apply>, asked: Asked) {
        if let Some(kept) = &self.kept {
            lock(&self.asked).insert(host.clone(), asked);
            let mut kept = lock(kept);
            if kept.len() < KEPT_AT_ONCE {
                kept.insert(host.clone(), (Instant::now(), machine));
            }
        }
    }
}

impl Worker<'_> {
    async fn see(&self, name: &HostName, say: &dyn Fn(&str)) -> HostVerdict {
        let of_host = self.contact.loaded.murder.hosts.get(name);
        if let Some((one, _)) = of_host.and_then(|host| host.maintenance.as_ref()) {
            return HostVerdict::of(Verdict::Maintenance(one.clone()));
        }
        say("observing");
        let seen = match self.look_with(name).await {
            Ok(seen) => seen,
            Err(error) => HostVerdict::of(Verdict::from(error)),
        };
        HostVerdict {
            verdict: self.contact.session.scrub_verdict(seen.verdict),
            ..seen
        }
    }
}

impl Planner for Worker<'_> {
    fn plan<'a>(&'a self, host: &'a HostName, say: &'a dyn Fn(&str)) -> Task<'a, HostVerdict> {
        Box::pin(self.see(host, say))
    }

    fn threads(&self, at_once: usize) -> usize {
        if self.waits { 1 } else { at_once }
    }
}

impl Recorder for Worker<'_> {
    fn compared(&self) -> BTreeMap<HostName, Compared> {
        let compared = self.compared.as_ref();
        compared.map_or_else(BTreeMap::new, |compared| {
            std::mem::take(&mut lock(compared))
        })
    }
}

impl Observer for Worker<'_> {
    fn records(&self) -> BTreeMap<HostName, HostRecord> {
        let records = self.records.as_ref();
        records.map_or_else(BTreeMap::new, |records| std::mem::take(&mut lock(records)))
    }
}

impl Watcher for Worker<'_> {
    fn notes(&self) -> BTreeMap<HostName, HostNotes> {
        self.notes.as_ref().map(Notes::all).unwrap_or_default()
    }
}

impl Applier for Worker<'_> {
    fn change(&self, name: &HostName, plan: &HostPlan, say: &dyn Fn(&str)) -> Outcome {
        let machine = match self.kept(name) {
            Some(machine) => Ok(machine),
            None => {
                say("connecting");
                self.contact
                    .host(name)
                    .and_then(|host| block_on(self.contact.connect(host)))
            }
        };
        let mut machine = match machine {
            Ok(machine) => machine,
            Err(error) => return self.contact.session.scrub_outcome(Outcome::from(error)),
        };
        say("applying");
        let again = |machine: &mut dyn Observe, answered: Option<Answered>| {
            say("observing again");
            let host = self.contact.host(name)?;
            let (verdict, _) = block_on(self.compare(host, machine, answered))?;
            Ok(verdict)
        };
        let asked = lock(&self.asked).remove(name);
        let what = Application {
            plan,
            secrets: &self.contact.session.secrets,
            run: &self.contact.run_of(self.contact.loaded.revision()),
            allow_unverified: self.consent.unverified(name),
            host_key: asked.as_ref().and_then(|asked| asked.host_key.as_ref()),
            questions: asked.as_ref().map(|asked| &asked.questions),
        };
        let outcome = apply(&mut *machine, &what, &again);
        self.contact.session.scrub_outcome(outcome)
    }

    fn forget(&self) -> Vec<HostName> {
        self.forgetting.carry_out(&self.contact)
    }

    fn forget_retired(&self, retired: &BTreeSet<HostName>) -> BTreeMap<HostName, Forgotten> {
        self.retired.carry_out(&self.contact, retired)
    }
}

/// No work runs under these locks, so the data of a poisoned one is consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
