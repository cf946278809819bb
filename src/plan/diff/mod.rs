//! Desired against live: the steps of one host, and what stands in their way.
//!
//! The difference is made in one pass over a [`Draft`], which the rooms of this folder fill in
//! turn: named files, named values, what nobody names any more, indexes, and what Postfix must be told.

#[cfg(test)]
mod tests;

mod adopted;
mod configuration;
mod effects;
mod files;
mod live_warnings;
mod members;
mod names;
mod ownership;
mod services;
mod thresholds;
mod unmanaged;
mod unusable;
mod values;

use std::collections::BTreeMap;

use crate::exchange::KnownFacts;
use crate::history::Snapshot;
use crate::ledger::{Journal, LEDGER_VERSION, Ledger, Managed, Origin, ServiceLedger};
use crate::secret::Secrets;
use crate::service::Service;
use crate::state::{Desired, Live, LiveFile, Remark, Running};
use crate::thing::Thing;
use ownership::Ours;
pub use unusable::unreadable;

use super::generation::snapshot;
use super::reload_hash::activation_after;
use super::{Cause, Expects, Failure, HostPlan, HostVerdict, Refusal, RefusalKind, Step, Verdict};

/// Everything that one host's difference depends on.
#[derive(Debug, Clone, Copy)]
pub struct DiffInput<'a> {
    /// The manifest's `murder`.
    pub murder: &'a str,
    /// What the host must have.
    pub desired: &'a Desired,
    /// What it has.
    pub live: &'a Live,
    /// The secrets that its files hold.
    pub secrets: &'a Secrets,
    /// The host's facts, for whoever looks at it next; none where there are none worth keeping.
    pub known: Option<&'a KnownFacts>,
    /// The hosts of the murder, as names and ranges: for the ledger.
    pub hosts: &'a [String],
    /// How many generations the host keeps.
    pub keep: u32,
    /// The generation whose state `desired` is, in a rollback. An apply corrects what was changed on
    /// the host; a rollback over such a change is refused, since the user may not know of it.
    pub rollback: Option<u64>,
}

/// A host's plan in the making.
struct Draft<'a> {
    at: DiffInput<'a>,
    service: Service,
    ours: Ours<'a>,
    managed: BTreeMap<Thing, Managed>,
    indexes: BTreeMap<crate::name::RemotePath, String>,
    files: Vec<Step>,
    index_steps: Vec<Step>,
    services: Vec<Step>,
    settings: Vec<Step>,
    entries: BTreeMap<crate::name::ServiceName, String>,
    deletes: Vec<Step>,
    ledger_only: Vec<Step>,
    adopts: Vec<crate::name::RemotePath>,
    refusals: Vec<Refusal>,
    remarks: Vec<Remark>,
    expects: Expects,
}

/// The difference between what the host has and what it must have.
#[must_use]
pub fn diff(situation: DiffInput<'_>) -> HostVerdict {
    let live = situation.live;
    let service = Service::POSTFIX;
    let mut draft = Draft {
        at: situation,
        ours: Ours::of(live, &service),
        service,
        managed: BTreeMap::new(),
        indexes: BTreeMap::new(),
        files: Vec::new(),
        index_steps: Vec::new(),
        services: Vec::new(),
        settings: Vec::new(),
        entries: BTreeMap::new(),
        deletes: Vec::new(),
        ledger_only: Vec::new(),
        adopts: Vec::new(),
        refusals: Vec::new(),
        remarks: live.remarks.clone(),
        expects: Expects::of(live),
    };
    let verdict = match draft.fill() {
        Ok(()) => draft.verdict(),
        Err(error) => Verdict::Failed { error },
    };
    HostVerdict {
        verdict,
        remarks: draft.remarks,
        stopped: live.running == Running::No && !situation.desired.retired,
    }
}

impl Draft<'_> {
    fn fill(&mut self) -> Result<(), Failure> {
        self.readable()?;
        self.owner();
        if let Some(journal) = self.dead_journal() {
            self.remarks.push(Remark {
                text: format!(
                    "an apply by {} at {} did not end (run {}, phase {})",
                    journal.by, journal.at, journal.run, journal.phase
                ),
                hint: Some(
                    "the next apply removes its leftovers and finishes what is left".to_owned(),
                ),
            });
        }
        self.live_warnings();
        self.named_files()?;
        self.named_values()?;
        self.lines_of_ours();
        self.unnamed();
        self.whole_entries()?;
        self.members();
        self.change_owner();
        self.thresholds();
        Ok(())
    }

    /// Whose host is it?
    fn owner(&mut self) {
        if let Some(owner) = self.ours.owner()
            && owner != self.at.murder
        {
            self.refusals.push(Refusal {
                summary: format!(
                    "the host belongs to the murder `{owner}`, not to `{}` (its ledger says so)",
                    self.at.murder
                ),
                kind: RefusalKind::TakeOver,
            });
        }
    }

    /// Every managed thing changes its owner, if nothing else.
    fn change_owner(&mut self) {
        if self
            .ours
            .owner()
            .is_none_or(|owner| owner == self.at.murder)
        {
            return;
        }
        for thing in self.managed.keys() {
            let step = Step::TakeOver {
                service: Service::POSTFIX,
                thing: thing.clone(),
            };
            if !self.ledger_only.contains(&step) {
                self.ledger_only.push(step);
            }
        }
    }

    /// Puts the steps in their one safe order and writes the ledger as it will be.
    fn verdict(&mut self) -> Verdict {
        let touched = !(self.files.is_empty()
            && self.index_steps.is_empty()
            && self.services.is_empty()
            && self.settings.is_empty()
            && self.deletes.is_empty());
        let effects = self.effects(touched);
        let mut steps = self.sweep();
        steps.append(&mut self.files);
        steps.append(&mut self.index_steps);
        steps.append(&mut self.services);
        steps.append(&mut self.settings);
        steps.extend(effects);
        steps.append(&mut self.deletes);
        steps.append(&mut self.ledger_only);
        // A refused host is no converged host, even where nothing else would change.
        if steps.is_empty() && self.refusals.is_empty() {
            return Verdict::Converged;
        }
        let mut service = ServiceLedger {
            managed: std::mem::take(&mut self.managed),
            indexes: std::mem::take(&mut self.indexes),
            activated: None,
        };
        service.activated = Some(activation_after(&service));
        let keeps_ledger = !(self.at.desired.retired && service.managed.is_empty());
        if !keeps_ledger {
            self.remarks.push(forgotten(None));
        }
        let snapshot = keeps_ledger.then(|| {
            let postfix = snapshot(&service.managed, self.at.desired);
            let services = [(self.service.clone(), postfix)].into();
            Box::new(Snapshot { services })
        });
        let ledger = Ledger {
            version: LEDGER_VERSION,
            murder: self.at.murder.to_owned(),
            generation: self.ours.generation() + 1,
            services: [(self.service.clone(), service)].into(),
            applied: None,
            hosts: self.at.hosts.to_vec(),
            facts: self.at.known.map(KnownFacts::kept),
            host_key: None,
        };
        let entries = match std::mem::take(&mut self.entries) {
            none if none.is_empty() => BTreeMap::new(),
            lines => [(self.service.clone(), lines)].into(),
        };
        Verdict::Changes(Box::new(HostPlan {
            steps,
            refusals: std::mem::take(&mut self.refusals),
            keeps_ledger,
            snapshot,
            keep: self.at.keep,
            ledger,
            entries,
            adopts: std::mem::take(&mut self.adopts),
            expects: std::mem::take(&mut self.expects),
        }))
    }

    /// The journal of an apply that did not end; not that of one that is still at work.
    fn dead_journal(&self) -> Option<&Journal> {
        let live = self.at.live;
        let at_work = live.lock.as_ref().is_some_and(|lock| lock.held);
        live.journal.as_ref().filter(|_| !at_work)
    }

    /// What it left behind goes.
    fn sweep(&self) -> Vec<Step> {
        let run = self.dead_journal().map(|journal| journal.run.clone());
        // `spool.RUN.PROCESS`, `stage.RUN`
        let orphan = || {
            let path = self.at.live.leftovers.first()?;
            path.rsplit('/')
                .next()?
                .split('.')
                .nth(1)
                .map(str::to_owned)
        };
        run.or_else(orphan)
            .map(|run| Step::Sweep { run })
            .into_iter()
            .collect()
    }

    /// Why a thing that is named differs: `value` is what the host has.
    fn cause(&self, thing: &Thing, value: Option<&str>) -> Cause {
        let new = self.ours.managed(thing).is_none() || self.ours.is_untouched(thing, value);
        if new && value.is_some() && self.at.rollback.is_some() {
            Cause::Restored
        } else if new && value.is_some() {
            Cause::FirstContact
        } else if new || self.ours.made(thing, value) {
            Cause::Wanted
        } else {
            Cause::Drift
        }
    }

    /// Going back over what somebody else made of a named thing.
    fn going_back(&mut self, thing: &Thing, cause: Cause) {
        if self.at.rollback.is_some() && cause == Cause::Drift {
            self.somebody_else(thing, false, "rolled back");
        }
    }

    /// A thing is as it must be: a step where the ledger has yet to say so.
    fn record(&mut self, thing: &Thing, value: Option<&str>) {
        if self.ours.must_record(thing, value) {
            self.ledger_only.push(Step::TakeOver {
                service: Service::POSTFIX,
                thing: thing.clone(),
            });
        }
    }

    /// Keeps or begins the management of a thing.
    fn manage(&mut self, thing: Thing, origin: Origin, value: Option<String>) {
        let origin = self
            .ours
            .managed(&thing)
            .map_or(origin, |managed| managed.origin.clone());
        let access = None;
        self.managed.insert(
            thing,
            Managed {
                origin,
                value,
                access,
            },
        );
    }

    fn live_file(&self, path: &crate::name::RemotePath) -> &LiveFile {
        self.at.live.files.get(path).unwrap_or(&LiveFile::Absent)
    }
}

/// What is said where a host's ledger goes; `generations` is how many it keeps, where somebody counted them.
pub(in crate::plan) fn forgotten(generations: Option<usize>) -> Remark {
    let history = match generations {
        Some(1) => "the history of 1 generation goes with it".to_owned(),
        Some(number) => format!("the history of {number} generations goes with it"),
        None => "its history goes with it".to_owned(),
    };
    Remark {
        text: format!(
            "the host's ledger goes, and {history}, and so do the texts that adopted files had before \
             `murder`: there is no `rollback` after that"
        ),
        hint: Some(
            "to keep something of it, copy /var/lib/murder/history and /var/lib/murder/adopted first"
                .to_owned(),
        ),
    }
}

/// Two values as Postfix reads them: runs of white space are one blank.
fn same(left: &str, right: &str) -> bool {
    left.split_whitespace().eq(right.split_whitespace())
}
