//! Applies a saved plan: judges it on a fresh look at each host, and carries it out there exactly, or says what is stale.
//!
//! A host is observed in its turn. The plan that is made of this look and of what the saved plan wants is compared with
//! the saved one, thing by thing; if they are the same, its orders are carried out. So what was reviewed is what happens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_io::block_on;

use super::apply::{Application, apply};
use super::forget::Forgotten;
use super::observe::{Answered, ObservedHost, complete, observe_host};
use super::options::{Consent, Reach};
use super::trust::untrusted_source;
use super::worker::{Applier, Planner};
use super::{Session, SessionError};
use crate::access::Access;
use crate::diagnostic::Diagnostic;
use crate::exchange::{MachineError, NotDone};
use crate::ledger::Ledger;
use crate::load;
use crate::machine::{Apply, Observe};
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::saved::{Compared, PlanDamage, SavedChanges, SavedHost, SavedPlan, Texts};
use crate::plan::{DiffInput, Failure, HostPlan, HostVerdict, Run, Verdict, compare};
use crate::secret::SecretSource;
use crate::secret_source::secrets_of;
use crate::state::Live;
use crate::task::Task;
use crate::transport::AskPassphrase;

/// How a saved plan is applied.
#[derive(Debug, Clone)]
pub struct PlanUse {
    /// The folder from which relative paths of the plan resolve.
    pub base: PathBuf,
    /// The refusals that the user lifts, here or when the plan was saved.
    pub consent: Consent,
    /// Whether what the plan says about ways to its hosts is trusted: it is signed, or the operator says so.
    pub trusted: bool,
}

/// Applies a saved plan.
pub struct PlanApplier<'a> {
    plan: &'a SavedPlan,
    session: Session,
    how: PlanUse,
    run: Run,
    /// The plan's texts, and those of fresh looks behind them.
    texts: Mutex<Texts>,
}

impl<'a> PlanApplier<'a> {
    /// Reads the secrets of the hosts with changes, and those of their logins; gives warnings about files.
    ///
    /// # Errors
    /// [`SessionError::Input`] where the plan is damaged, it manages files that the operator does not allow, or a secret
    /// cannot be read. No host was contacted.
    pub fn new(
        plan: &'a SavedPlan,
        hosts: &[HostName],
        reach: &Reach,
        how: PlanUse,
        ask_passphrase: Box<AskPassphrase>,
    ) -> Result<(Self, Vec<Diagnostic>), SessionError> {
        super::murder::one_if_local(reach, hosts)?;
        let mut session = Session::new(reach, ask_passphrase);
        let mut sources = BTreeMap::new();
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        for name in hosts {
            let Some((host, changes)) = changes_of(plan, name) else {
                continue;
            };
            let desired = changes.desired.desired(&plan.texts).map_err(damaged)?;
            match reach.paths.judge_files(&desired, |_| None) {
                Ok(found) => warnings.extend(found),
                Err(found) => problems.extend(found),
            }
            let logins = host.access.secrets().filter(|_| reach.sandbox.is_none());
            for secret in changes.desired.secrets().chain(logins) {
                let source = plan.body.secrets.get(secret);
                problems.extend(
                    source
                        .filter(|_| !how.trusted)
                        .and_then(|source| untrusted_source(secret, source)),
                );
                sources.insert(secret.clone(), source.map(|one| resolved(one, &how.base)));
            }
        }
        // Nothing is read for a plan that cannot be applied.
        if problems.is_empty() {
            let (secrets, found) = secrets_of(&sources, reach.sources);
            session.secrets = secrets;
            problems.extend(found);
        }
        load::tidy(&mut problems);
        if !problems.is_empty() {
            return Err(SessionError::Input(problems));
        }
        load::tidy(&mut warnings);
        let run = Run {
            revision: plan.header.revision_text(),
            plan_digest: Some(plan.digest.clone()),
            ..session.run.clone()
        };
        let applier = Self {
            plan,
            session,
            how,
            run,
            texts: Mutex::new(plan.texts.clone()),
        };
        Ok((applier, warnings))
    }

    async fn connect(
        &self,
        name: &HostName,
        host: &SavedHost,
        changes: &SavedChanges,
    ) -> Result<Box<dyn Apply>, MachineError> {
        let access = access_of(host, &self.how);
        let facts = changes.facts.assumed();
        self.session.connect(name, &access, &facts).await
    }

    /// Observes a host, and compares it with what the plan wants.
    async fn look(
        &self,
        name: &HostName,
        changes: &SavedChanges,
        machine: &mut dyn Observe,
        answered: Option<Answered>,
    ) -> Result<(ObservedHost, HostVerdict), MachineError> {
        let desired = changes.desired.desired(&self.plan.texts);
        let desired = desired.map_err(|damage| MachineError::Unfit(unusable(&damage)))?;
        let known = match &answered {
            Some(answered) => answered.questions.known.clone(),
            None => self.session.known(name),
        };
        let secrets = &self.session.secrets;
        let facts = changes.facts.assumed();
        let hosts = self.hosts_for(name);
        let same = |_: &_| Ok(desired.clone());
        let mut observed =
            observe_host(machine, &same, secrets, known.clone(), &facts, answered).await?;
        if let Some(facts) = observed.known.as_ref().filter(|_| observed.known != known) {
            self.session.keep_facts(name, facts);
        }
        let diff = |observed: &ObservedHost| compare(self.input(changes, &hosts, observed));
        let verdict = complete(&mut observed, machine, &diff).await?;
        Ok((observed, verdict))
    }

    /// The hosts that the ledger of a host is to name.
    fn hosts_for(&self, name: &HostName) -> Vec<String> {
        let host = self.plan.body.hosts.get(name);
        let orphans = host.into_iter().flat_map(|host| &host.orphans);
        let roster = self.plan.body.roster.iter().cloned();
        roster.chain(orphans.map(ToString::to_string)).collect()
    }

    fn input<'b>(
        &'b self,
        changes: &SavedChanges,
        hosts: &'b [String],
        observed: &'b ObservedHost,
    ) -> DiffInput<'b> {
        DiffInput {
            murder: &self.plan.body.murder,
            desired: &observed.desired,
            live: &observed.live,
            secrets: &self.session.secrets,
            known: observed.known.as_ref(),
            hosts,
            keep: changes.keep,
            rollback: None,
        }
    }

    /// Observes a host, judges the plan, and carries it out.
    fn carry_out(
        &self,
        name: &HostName,
        host: &SavedHost,
        saved: &SavedChanges,
        say: &dyn Fn(&str),
    ) -> Result<Outcome, MachineError> {
        say("connecting");
        let mut machine = block_on(self.connect(name, host, saved))?;
        say("observing");
        let (observed, verdict) = block_on(self.look(name, saved, &mut *machine, None))?;
        let plan = match self.judge(saved, &observed, verdict) {
            Ok(plan) => plan,
            Err(outcome) => return Ok(outcome),
        };
        say("applying");
        let again = |machine: &mut dyn Observe, answered: Option<Answered>| {
            say("observing again");
            let (_, verdict) = block_on(self.look(name, saved, machine, answered))?;
            Ok(verdict)
        };
        let what = Application {
            plan: &plan,
            secrets: &self.session.secrets,
            run: &self.run,
            allow_unverified: self.how.consent.unverified(name),
            host_key: observed.live.host_key(),
            questions: Some(&observed.questions),
        };
        Ok(apply(&mut *machine, &what, &again))
    }

    /// The fresh plan of a host, if it is the saved one; otherwise the outcome.
    fn judge(
        &self,
        saved: &SavedChanges,
        observed: &ObservedHost,
        verdict: HostVerdict,
    ) -> Result<Box<HostPlan>, Outcome> {
        let live = &observed.live;
        if let Some(outcome) = self.applied_or_later(saved, live) {
            return Err(outcome);
        }
        match verdict.verdict {
            Verdict::Changes(fresh) => {
                let compared = Compared::of(&observed.desired, live);
                let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
                let now = SavedChanges::of(&fresh, &compared, &mut texts);
                match saved.stale_thing(&now) {
                    Some(thing) => Err(stale(thing)),
                    None => Ok(fresh),
                }
            }
            // A retired host keeps no ledger that could say so.
            Verdict::Converged if !saved.keeps_ledger && live.ledger.is_none() => {
                Err(Outcome::AlreadyApplied)
            }
            Verdict::Converged => {
                let first = saved.steps.first().map(SavedChanges::step_name);
                Err(stale(first.unwrap_or_else(|| "the host".to_owned())))
            }
            Verdict::Maintenance(one) => Err(Outcome::Maintenance(one)),
            Verdict::Unreachable { error } | Verdict::Failed { error } => {
                Err(Outcome::Failed { error })
            }
        }
    }

    /// The outcome for a host whose ledger is not the one that the plan was made for.
    fn applied_or_later(&self, saved: &SavedChanges, live: &Live) -> Option<Outcome> {
        let applied = live.ledger.as_ref().and_then(|one| one.applied.as_ref());
        if applied.and_then(|one| one.plan_digest.as_ref()) == Some(&self.plan.digest) {
            return Some(Outcome::AlreadyApplied);
        }
        let before = saved.ledger.as_ref().map_or(0, |one| one.generation);
        let now = live.ledger.as_ref().map_or(0, |one| one.generation);
        (before != now).then(|| stale(generation(before, now, live.ledger.as_ref())))
    }
}

impl Planner for PlanApplier<'_> {
    fn plan<'a>(&'a self, name: &'a HostName, say: &'a dyn Fn(&str)) -> Task<'a, HostVerdict> {
        Box::pin(async move {
            say("observing");
            let Some((host, changes)) = changes_of(self.plan, name) else {
                return HostVerdict::of(Verdict::Converged);
            };
            let seen = async {
                let mut machine = self.connect(name, host, changes).await?;
                self.look(name, changes, &mut *machine, None).await
            };
            match seen.await {
                Ok((_, verdict)) => verdict,
                Err(error) => HostVerdict::of(self.session.scrub_verdict(Verdict::from(error))),
            }
        })
    }

    fn threads(&self, at_once: usize) -> usize {
        at_once
    }
}

impl Applier for PlanApplier<'_> {
    /// `shown` has no hashes: the orders are those of the fresh plan that equals it.
    fn change(&self, name: &HostName, _shown: &HostPlan, say: &dyn Fn(&str)) -> Outcome {
        let Some((host, saved)) = changes_of(self.plan, name) else {
            return Outcome::Converged;
        };
        let outcome = self
            .carry_out(name, host, saved, say)
            .unwrap_or_else(Outcome::from);
        self.session.scrub_outcome(outcome)
    }

    fn forget(&self) -> Vec<HostName> {
        Vec::new()
    }

    /// A saved plan has no manifest that could say which hosts are retired: `murder apply` or `murder forget` does it.
    fn forget_retired(&self, _retired: &BTreeSet<HostName>) -> BTreeMap<HostName, Forgotten> {
        BTreeMap::new()
    }
}

/// What a plan changes on a host.
fn changes_of<'a>(
    plan: &'a SavedPlan,
    name: &HostName,
) -> Option<(&'a SavedHost, &'a SavedChanges)> {
    let host = plan.body.hosts.get(name)?;
    Some((host, host.changes()?))
}

/// How a host is reached. What a stranger could have written into the plan does not vouch for the host.
fn access_of(host: &SavedHost, how: &PlanUse) -> Access {
    let access = Access::from(&host.access);
    let below = |path: PathBuf| on_client(&how.base, &path);
    Access {
        identity_file: access.identity_file.map(below),
        known_hosts: access.known_hosts.map(below).filter(|_| how.trusted),
        host_key: access.host_key.filter(|_| how.trusted),
        ..access
    }
}

/// Where a secret comes from, on this client.
fn resolved(source: &SecretSource, base: &Path) -> SecretSource {
    source.with_paths(&|path| on_client(base, path))
}

/// A path of the plan on this client: from `base` on, unless it begins with `~/`.
fn on_client(base: &Path, path: &Path) -> PathBuf {
    match path.starts_with("~") {
        true => path.to_owned(),
        false => base.join(path),
    }
}

fn stale(thing: String) -> Outcome {
    Outcome::NotDone(NotDone::Stale { thing })
}

fn generation(before: u64, now: u64, ledger: Option<&Ledger>) -> String {
    let who = ledger.and_then(|ledger| ledger.applied.as_ref());
    let who = who.map_or(String::new(), |one| format!(" by {} at {}", one.by, one.at));
    match now {
        0 => {
            format!("the host's ledger (generation {before} when the plan was made, and none now)")
        }
        now => format!("the host's generation ({before} when the plan was made, {now} now{who})"),
    }
}

fn damaged(damage: PlanDamage) -> SessionError {
    let problem = Diagnostic::error(format!("the plan {damage}")).hint(damage.hint());
    SessionError::Input(vec![problem])
}

fn unusable(damage: &PlanDamage) -> Failure {
    Failure {
        summary: format!("the plan {damage}"),
        detail: None,
        hint: Some(damage.hint().to_owned()),
    }
}
