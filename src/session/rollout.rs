//! Applies a plan to its hosts in waves, and gives the reason if a host was not applied.

use std::collections::BTreeMap;
use std::time::Duration;

use super::deferred::DeferredLimits;
use super::options::Consent;
use super::own_fault::own_fault;
use super::plan::plan_hosts;
use super::rollout_order::RolloutOrder;
use super::so_far::OutcomesSoFar;
use super::worker::Applier;
use crate::fleet::{self, Batch, Event, Limits, NotRun, Phase, Stop, TurnOrder};
use crate::name::{HostName, RoleName};
use crate::outcome::{Outcome, Postponed};
use crate::plan::{HostVerdict, Plan, Refusal, Verdict};

/// The turns of an apply, ready to run.
#[derive(Debug)]
pub struct ApplyTurns<'a> {
    plan: &'a Plan,
    consent: &'a Consent,
    batches: Vec<Batch>,
    deferred_limits: DeferredLimits,
    so_far: OutcomesSoFar,
}

impl<'a> ApplyTurns<'a> {
    /// Orders the hosts of a plan that are not converged into batches. `canary` of each wave (and of each role with
    /// a rollout) go first; without it as many as the manifest says.
    #[must_use]
    pub fn new(
        order: &RolloutOrder,
        plan: &'a Plan,
        consent: &'a Consent,
        canary: Option<usize>,
    ) -> Self {
        let batches = batches(order, plan, canary);
        Self {
            plan,
            consent,
            batches,
            deferred_limits: DeferredLimits::of(order),
            so_far: OutcomesSoFar::new(untouched(
                plan,
                consent,
                Postponed::Interrupted,
                BTreeMap::new(),
            )),
        }
    }

    /// What the apply has done, while it runs.
    #[must_use]
    pub fn so_far(&self) -> OutcomesSoFar {
        self.so_far.clone()
    }

    /// The same turns without the pauses of `rollout`: a sandbox has no mail to wait for.
    #[must_use]
    pub fn without_pauses(mut self) -> Self {
        for batch in &mut self.batches {
            batch.pause = Duration::ZERO;
        }
        self
    }

    /// The hosts of each wave, in the order of the waves.
    pub fn waves(&self) -> impl ExactSizeIterator<Item = &[HostName]> {
        self.batches.iter().map(|batch| batch.hosts.as_slice())
    }

    /// The manifest's `murder`.
    #[must_use]
    pub fn murder(&self) -> &'a str {
        &self.plan.murder
    }

    /// How many hosts have a turn.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.batches.iter().map(|batch| batch.hosts.len()).sum()
    }

    /// Applies batch after batch, until too many hosts failed or a stop is requested. Gives the outcome of every host of
    /// the plan.
    pub fn run(
        &self,
        applier: &(impl Applier + ?Sized),
        limits: Limits,
        stop: &Stop,
        on_event: impl FnMut(Event),
    ) -> BTreeMap<HostName, Outcome> {
        let turns = fleet::roll(
            &self.batches,
            limits,
            stop,
            |host, say| self.turn(host, applier, say),
            Outcome::stops_later_waves,
            |turns| self.hold(turns, applier, limits.parallel),
            on_event,
        );
        let mut outcomes: BTreeMap<HostName, Outcome> = turns
            .into_iter()
            .map(|(host, result)| (host, result.unwrap_or_else(not_run)))
            .collect();
        for host in self.plan.hosts.keys() {
            // A host without a turn is converged or in maintenance.
            outcomes
                .entry(host.clone())
                .or_insert_with(|| self.without_turn(host));
        }
        outcomes
    }

    /// Whether no further batch begins after these turns, and why: hosts with a limit of deferred mails are observed again.
    fn hold(
        &self,
        turns: &BTreeMap<HostName, Result<Outcome, NotRun>>,
        applier: &(impl Applier + ?Sized),
        parallel: usize,
    ) -> Option<NotRun> {
        let changed = |(host, turn): (&HostName, &Result<Outcome, NotRun>)| {
            let outcome = turn.as_ref().ok()?;
            outcome.was_changed().then(|| host.clone())
        };
        let hosts = self
            .deferred_limits
            .watched(turns.iter().filter_map(changed));
        if hosts.is_empty() {
            return None;
        }
        let now = plan_hosts(&self.plan.murder, &hosts, applier, parallel, None);
        let evidence = self.deferred_limits.exceeded(&hosts, self.plan, &now);
        (!evidence.is_empty()).then_some(NotRun::Held(evidence))
    }

    fn without_turn(&self, host: &HostName) -> Outcome {
        let verdict = self.plan.hosts.get(host).map(|host| &host.verdict);
        verdict
            .and_then(|verdict| without_work(host, verdict, self.consent))
            .unwrap_or(Outcome::Converged)
    }

    fn turn(
        &self,
        host: &HostName,
        applier: &(impl Applier + ?Sized),
        say: &dyn Fn(&str),
    ) -> Outcome {
        match self.plan.hosts.get(host).map(|host| &host.verdict) {
            Some(Verdict::Changes(plan)) => {
                self.so_far.set(host, Outcome::Interrupted);
                let outcome = applier.change(host, plan, say);
                self.so_far.set(host, outcome.clone());
                outcome
            }
            _ => self.without_turn(host),
        }
    }
}

/// The hosts whose plan still has a refusal that nothing on the command line lifts.
#[must_use]
pub fn refused(plan: &Plan, consent: &Consent) -> BTreeMap<HostName, Outcome> {
    let of_host = |(host, verdict): (&HostName, &HostVerdict)| {
        let Verdict::Changes(plan) = &verdict.verdict else {
            return None;
        };
        let lifted = |one: &&Refusal| consent.lifts(host, one.kind);
        let open = plan.refusals.iter().filter(|one| !lifted(one));
        let refusals: Vec<_> = open.cloned().collect();
        (!refusals.is_empty()).then(|| (host.clone(), Outcome::Refused { refusals }))
    };
    plan.hosts.iter().filter_map(of_host).collect()
}

/// The outcome of each host where nothing is applied because of `why`; `known` are outcomes that are settled already.
#[must_use]
pub fn untouched(
    plan: &Plan,
    consent: &Consent,
    why: Postponed,
    mut known: BTreeMap<HostName, Outcome>,
) -> BTreeMap<HostName, Outcome> {
    for (host, verdict) in &plan.hosts {
        known.entry(host.clone()).or_insert_with(|| {
            without_work(host, &verdict.verdict, consent).unwrap_or_else(|| why.outcome())
        });
    }
    known
}

/// The outcome of a host that is converged or could not be planned.
fn without_work(host: &HostName, verdict: &Verdict, consent: &Consent) -> Option<Outcome> {
    match verdict {
        Verdict::Converged => Some(Outcome::Converged),
        Verdict::Changes(_) => None,
        Verdict::Maintenance(one) => Some(Outcome::Maintenance(one.clone())),
        Verdict::Unreachable { error } => Some(Outcome::Unreachable {
            error: error.clone(),
            allowed: consent.unreachable(host),
        }),
        Verdict::Failed { error } => Some(Outcome::Failed {
            error: error.clone(),
        }),
    }
}

/// The turns of an apply: every host of the plan that is not converged.
fn batches(order: &RolloutOrder, plan: &Plan, canary: Option<usize>) -> Vec<Batch> {
    let place = |(host, verdict): (&HostName, &HostVerdict)| {
        let phase: Phase = fleet::phase_of(&verdict.verdict)?;
        let (roles, retired) = order.hosts.get(host)?;
        Some((
            host.clone(),
            TurnOrder {
                roles: roles.clone(),
                retired: *retired,
                phase,
            },
        ))
    };
    let places: BTreeMap<HostName, TurnOrder> = plan.hosts.iter().filter_map(place).collect();
    let roles: BTreeMap<HostName, Vec<RoleName>> = places
        .iter()
        .map(|(host, place)| (host.clone(), place.roles.clone()))
        .collect();
    let waves = fleet::waves(&places, &order.after);
    fleet::batches(&waves, &roles, &order.rollout, canary)
}

/// The outcome of a host that has no result of its own.
fn not_run(why: NotRun) -> Outcome {
    match why {
        NotRun::Failures => Postponed::EarlierFailure.outcome(),
        NotRun::Stopped => Postponed::Interrupted.outcome(),
        NotRun::Held(evidence) => Outcome::NotAttempted {
            why: Postponed::DeferredMail,
            evidence,
        },
        // It is not known here whether the host had its payload already.
        NotRun::Panicked(words) => Outcome::Detached {
            error: own_fault(words),
        },
        NotRun::NoThread(words) => Outcome::Detached {
            error: own_fault(format!("cannot start a thread: {words}")),
        },
    }
}
