//! Compares desired and live state: the steps of one host, and why they are refused.
//!
//! Each service has a [`Draft`], which the files of this folder fill in turn: wanted files, wanted
//! values, what is no longer in the manifest, indexes, and the activation of the service.

#[cfg(test)]
mod tests;

mod adopted;
mod aliases;
mod as_found;
mod configuration;
mod draft;
mod effects;
mod exposed;
mod faults;
mod file_state;
mod files;
mod first_contact;
mod followers;
mod held;
mod instances;
mod live_warnings;
mod members;
mod names;
mod ownership;
mod ports;
mod references;
mod services;
mod thresholds;
mod unmanaged;
mod unusable;
mod values;
mod withheld;

use std::collections::BTreeMap;

use crate::exchange::KnownFacts;
use crate::history::Snapshot;
use crate::ledger::{Journal, LEDGER_VERSION, Ledger};
use crate::service::Service;
use crate::state::{Desired, Live, LiveService, Queue, References, Remark, Running};
pub use as_found::reads_alike;
pub use draft::DiffInput;
use draft::{Draft, owner};
pub use unusable::unreadable;

use super::generation::service_snapshot;
use super::{Expects, Failure, HostPlan, HostVerdict, Refusal, RefusalKind, Step, Verdict};

/// A host's plan in the making: one draft for each of its services.
struct HostDraft<'a> {
    input: DiffInput<'a>,
    drafts: Vec<Draft<'a>>,
    /// The steps that forget services that no longer exist.
    forgotten: Vec<Step>,
    refusals: Vec<Refusal>,
    remarks: Vec<Remark>,
    /// The files and tables that parameters name after the plan, and those before and after it.
    references: (References, References),
}

/// The difference between what the host has and what it must have.
#[must_use]
pub fn diff(input: DiffInput<'_>) -> HostVerdict {
    compare(input).0
}

/// The difference, and the files and tables that parameters name if the host was not asked about all of them: the
/// difference is whole once it was.
#[must_use]
pub fn compare(input: DiffInput<'_>) -> (HostVerdict, Option<References>) {
    let listeners = ports::names_listeners(input.desired);
    let by_port = listeners.then(|| ports::by_port(input.desired, input.live));
    match by_port.flatten() {
        Some(desired) => compare_by_name(DiffInput {
            desired: &desired,
            ..input
        }),
        None => compare_by_name(input),
    }
}

/// The same, where the desired state has the host's own names for its listeners.
fn compare_by_name(input: DiffInput<'_>) -> (HostVerdict, Option<References>) {
    let mut host = HostDraft {
        input,
        drafts: Vec::new(),
        forgotten: Vec::new(),
        refusals: Vec::new(),
        remarks: input.live.remarks.clone(),
        references: <_>::default(),
    };
    let verdict = match host.fill() {
        Ok(()) => host.verdict(),
        Err(error) => Verdict::Failed { error },
    };
    let mut held = Vec::new();
    for draft in host.drafts {
        host.remarks.extend(draft.remarks);
        held.extend(draft.held);
    }
    let (_, named) = host.references;
    let lacking = (!input.live.references.cover(&named)).then_some(named);
    let verdict = HostVerdict {
        verdict,
        remarks: host.remarks,
        held,
        orphans: Vec::new(),
        stopped: is_stopped(input.desired, input.live) && !input.desired.retired,
        queue: queue_of(input.desired, input.live),
    };
    (verdict, lacking)
}

/// Whether a service that the plan is about does not run.
fn is_stopped(desired: &Desired, live: &Live) -> bool {
    let concerned = instances::concerned(desired, live);
    let mut services = live.services.iter();
    services.any(|(service, LiveService::Postfix(postfix))| {
        postfix.running == Running::No && concerned.contains(service)
    })
}

/// The mails in the queues of the services that the plan is about. None where one of them is not known.
fn queue_of(desired: &Desired, live: &Live) -> Option<Queue> {
    let concerned = instances::concerned(desired, live);
    let mut services = live.services.iter();
    services.try_fold(Queue::EMPTY, |all, (service, found)| {
        let LiveService::Postfix(postfix) = found;
        match concerned.contains(service) {
            true => postfix.queue.map(|queue| all.and(queue)),
            false => Some(all),
        }
    })
}

impl<'a> HostDraft<'a> {
    fn fill(&mut self) -> Result<(), Failure> {
        let DiffInput { desired, live, .. } = self.input;
        if let Some(service) = unobserved(desired, live) {
            return Err(service_missing(service));
        }
        for service in instances::concerned(desired, live) {
            match live.services.get(&service) {
                Some(LiveService::Postfix(postfix)) => {
                    self.drafts.push(Draft::new(self.input, &service, postfix));
                }
                None => {
                    self.forgotten
                        .append(&mut instances::forget_service(&service, live));
                    self.remarks.push(instances::gone(&service));
                }
            }
        }
        for draft in &mut self.drafts {
            draft.readable()?;
            draft.listed()?;
        }
        self.owner();
        if let Some(journal) = live.dead_journal() {
            self.remarks.push(unfinished(journal));
        }
        for draft in &mut self.drafts {
            draft.fill()?;
            let (kept, all) = draft.references();
            self.references.0.extend(kept);
            self.references.1.extend(all);
        }
        for at in 1..self.drafts.len() {
            let (others, rest) = self.drafts.split_at_mut(at);
            if let Some(draft) = rest.first_mut() {
                draft.ports_shared_with(others);
            }
        }
        Ok(())
    }

    /// Refuses a host of another murder.
    fn owner(&mut self) {
        let live = self.input.live;
        if let Some(owner) = owner(live)
            && owner != self.input.murder
        {
            self.refusals.push(Refusal {
                summary: format!(
                    "the host belongs to the murder `{owner}`, not to `{}` (its ledger says so)",
                    self.input.murder
                ),
                kind: RefusalKind::TakeOver,
            });
        }
    }

    /// The verdict: the services' steps in order, and the ledger as it will be.
    fn verdict(&mut self) -> Verdict {
        let mut steps = cleanup_step(self.input.live);
        let mut refusals = std::mem::take(&mut self.refusals);
        for draft in &mut self.drafts {
            steps.append(&mut draft.steps());
            refusals.append(&mut draft.refusals);
        }
        steps.append(&mut self.forgotten);
        // A refused host is not converged, even if nothing else would change.
        if steps.is_empty() && refusals.is_empty() {
            self.remarks
                .extend(exposed::judge(self.input.live, &[]).remarks);
            return Verdict::Converged;
        }
        let mut expects = Expects::of(self.input.live);
        let drafts = &self.drafts;
        let concerned = |service: &Service| drafts.iter().any(|draft| draft.service == *service);
        expects.services.retain(|service, _| concerned(service));
        let mut ledger = self.ledger();
        let (mut snapshot, mut entries, mut adopts) =
            (Snapshot::default(), BTreeMap::new(), Vec::new());
        for draft in &mut self.drafts {
            expects.files.append(&mut draft.expected_files);
            adopts.append(&mut draft.adopts);
            if !draft.entries.is_empty() {
                entries.insert(draft.service.clone(), std::mem::take(&mut draft.entries));
            }
            let part = draft.ledger();
            // Nothing is left of a service that the manifest has left.
            if part.managed.is_empty() && !self.input.desired.services.contains_key(&draft.service)
            {
                continue;
            }
            let kept = service_snapshot(&part.managed, draft.desired);
            snapshot.services.insert(draft.service.clone(), kept);
            ledger.services.insert(draft.service.clone(), part);
        }
        let found = exposed::judge(self.input.live, &steps);
        refusals.extend(found.refusals);
        self.remarks.extend(found.remarks);
        let keeps_ledger = !self.input.desired.retired || ledger.things().next().is_some();
        if !keeps_ledger {
            self.remarks.push(forgotten(None));
        }
        Verdict::Changes(Box::new(HostPlan {
            steps,
            refusals,
            keeps_ledger,
            snapshot: keeps_ledger.then(|| Box::new(snapshot)),
            keep: self.input.keep,
            ledger,
            entries,
            adopts,
            expects,
            unopened: self.input.live.references.unopened(&self.references.0),
            references: Some(self.references.0.clone()),
        }))
    }

    /// The ledger as it will be, but for its services.
    fn ledger(&self) -> Ledger {
        let before = self.input.live.ledger.as_ref();
        Ledger {
            version: LEDGER_VERSION,
            murder: self.input.murder.to_owned(),
            generation: before.map_or(0, |ledger| ledger.generation) + 1,
            services: BTreeMap::new(),
            applied: None,
            hosts: self.input.hosts.to_vec(),
            facts: self.input.known.map(KnownFacts::kept),
            host_key: None,
        }
    }
}

/// A service that the host must have and that the observation did not find.
fn unobserved<'a>(desired: &'a Desired, live: &Live) -> Option<&'a Service> {
    let mut services = desired.services.keys();
    services.find(|service| !live.services.contains_key(service))
}

fn service_missing(service: &Service) -> Failure {
    Failure {
        summary: format!("the host has no service `{service}`"),
        detail: None,
        hint: Some("install it there, or take it out of the manifest".to_owned()),
    }
}

/// The remark about an apply that did not end.
fn unfinished(journal: &Journal) -> Remark {
    Remark {
        text: format!(
            "an apply by {} at {} did not end (run {}, phase {})",
            journal.by, journal.at, journal.run, journal.phase
        ),
        hint: Some("the next apply removes its leftovers and finishes what is left".to_owned()),
    }
}

/// The step that removes what an apply that did not end left behind.
fn cleanup_step(live: &Live) -> Vec<Step> {
    let run = live.dead_journal().map(|journal| journal.run.clone());
    // `spool.RUN.PROCESS`, `stage.RUN`
    let orphan = || {
        let name = live.leftovers.first()?.rsplit('/').next()?;
        name.split('.').nth(1).map(str::to_owned)
    };
    let run = run.or_else(orphan);
    run.map(|run| Step::Sweep { run }).into_iter().collect()
}

/// The remark about a plan that deletes a host's ledger; `generations` is how many it keeps, if they were counted.
pub(in crate::plan) fn forgotten(generations: Option<usize>) -> Remark {
    let history = match generations {
        Some(1) => "its history of 1 generation".to_owned(),
        Some(number) => format!("its history of {number} generations"),
        None => "its history".to_owned(),
    };
    Remark {
        text: format!(
            "this plan deletes the host's ledger, {history}, and the kept originals of adopted files: \
             no `rollback` is possible after it"
        ),
        hint: Some(
            "to keep them, first copy /var/lib/murder/history and /var/lib/murder/adopted"
                .to_owned(),
        ),
    }
}
