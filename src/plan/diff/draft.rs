//! One service's part of a plan in the making.

use std::collections::BTreeMap;

use super::ownership::Ownership;
use crate::exchange::{Failure, KnownFacts};
use crate::ledger::{Hold, Managed, Origin, ServiceLedger};
use crate::name::{RemotePath, ServiceName};
use crate::secret::Secrets;
use crate::service::Service;
use crate::state::{Desired, DesiredService, Live, LiveFile, PostfixLive, Remark};
use crate::thing::Thing;

use super::super::reload_hash::activation_after;
use super::super::{Cause, HeldThing, Refusal, Step};

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
    /// The host's facts, which the ledger keeps for the next observation. None for a sandbox.
    pub known: Option<&'a KnownFacts>,
    /// The hosts of the murder, as names and ranges: for the ledger.
    pub hosts: &'a [String],
    /// How many generations the host keeps.
    pub keep: u32,
    /// In a rollback, the generation that `desired` is from. An apply corrects what was changed on the
    /// host; a rollback over such a change is refused, since the user may not know of it.
    pub rollback: Option<u64>,
}

/// One service's part of a plan in the making.
pub(super) struct Draft<'a> {
    pub(super) input: DiffInput<'a>,
    pub(super) service: Service,
    pub(super) desired: &'a DesiredService,
    pub(super) live: &'a PostfixLive,
    pub(super) ownership: Ownership<'a>,
    pub(super) managed: BTreeMap<Thing, Managed>,
    pub(super) indexes: BTreeMap<RemotePath, String>,
    pub(super) files: Vec<Step>,
    pub(super) index_steps: Vec<Step>,
    pub(super) entry_steps: Vec<Step>,
    pub(super) settings: Vec<Step>,
    pub(super) entries: BTreeMap<ServiceName, String>,
    pub(super) deletes: Vec<Step>,
    pub(super) ledger_only: Vec<Step>,
    pub(super) adopts: Vec<RemotePath>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) remarks: Vec<Remark>,
    /// The holds that the ledger keeps.
    pub(super) holds: BTreeMap<Thing, Hold>,
    /// The held things, to show them.
    pub(super) held: Vec<HeldThing>,
    /// The files that are compared but for their secrets, which were left unread.
    pub(super) uncompared: Vec<RemotePath>,
    /// The files that must still be what they were, as [`Expects::files`].
    pub(super) expected_files: BTreeMap<RemotePath, Option<String>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(input: DiffInput<'a>, service: &Service, live: &'a PostfixLive) -> Self {
        Self {
            input,
            service: service.clone(),
            desired: input.desired.service(service),
            live,
            ownership: Ownership::of(input.live, service),
            managed: BTreeMap::new(),
            indexes: BTreeMap::new(),
            files: Vec::new(),
            index_steps: Vec::new(),
            entry_steps: Vec::new(),
            settings: Vec::new(),
            entries: BTreeMap::new(),
            deletes: Vec::new(),
            ledger_only: Vec::new(),
            adopts: Vec::new(),
            refusals: Vec::new(),
            remarks: Vec::new(),
            holds: BTreeMap::new(),
            held: Vec::new(),
            uncompared: Vec::new(),
            expected_files: BTreeMap::new(),
        }
    }

    pub(super) fn fill(&mut self) -> Result<(), Failure> {
        self.live_warnings();
        self.wanted_files()?;
        self.wanted_values()?;
        self.own_entries();
        self.unmanaged();
        self.hold();
        self.whole_entries()?;
        self.enabled();
        self.undefined();
        self.members();
        self.faults();
        self.followers();
        self.change_owner();
        self.thresholds();
        self.adopted_values();
        Ok(())
    }

    /// Records each managed thing anew where the host comes from another murder.
    pub(super) fn change_owner(&mut self) {
        if owner(self.input.live).is_none_or(|owner| owner == self.input.murder) {
            return;
        }
        for thing in self.managed.keys() {
            let step = Step::TakeOver {
                service: self.service.clone(),
                thing: thing.clone(),
            };
            if !self.ledger_only.contains(&step) {
                self.ledger_only.push(step);
            }
        }
    }

    /// The service's steps, in the one order that is safe.
    pub(super) fn steps(&mut self) -> Vec<Step> {
        let touched = !(self.files.is_empty()
            && self.index_steps.is_empty()
            && self.entry_steps.is_empty()
            && self.settings.is_empty()
            && self.deletes.is_empty());
        let mut effects = self.effects(touched);
        let mut steps = std::mem::take(&mut self.files);
        steps.append(&mut self.index_steps);
        steps.append(&mut self.entry_steps);
        steps.append(&mut self.settings);
        steps.append(&mut effects);
        steps.append(&mut self.deletes);
        steps.append(&mut self.ledger_only);
        steps
    }

    /// The service's part of the ledger as it will be.
    pub(super) fn ledger(&mut self) -> ServiceLedger {
        let mut ledger = ServiceLedger {
            managed: std::mem::take(&mut self.managed),
            indexes: std::mem::take(&mut self.indexes),
            activated: None,
            holds: std::mem::take(&mut self.holds),
        };
        ledger.activated = Some(activation_after(&ledger));
        ledger
    }

    /// Why a wanted thing differs: `value` is what the host has.
    pub(super) fn cause(&self, thing: &Thing, value: Option<&str>) -> Cause {
        let new =
            self.ownership.managed(thing).is_none() || self.ownership.is_untouched(thing, value);
        if new && value.is_some() && self.input.rollback.is_some() {
            Cause::Restored
        } else if new && value.is_some() {
            Cause::FirstContact
        } else if new || self.ownership.applied(thing, value) {
            Cause::Wanted
        } else {
            Cause::Drift
        }
    }

    /// In a rollback, refuses to replace what was changed on the host since the last apply.
    pub(super) fn going_back(&mut self, thing: &Thing, cause: Cause) {
        if self.input.rollback.is_some() && cause == Cause::Drift {
            self.refuse_overwrite(thing, false, "roll back");
        }
    }

    /// Records a thing that is already correct, if the ledger does not say so.
    pub(super) fn record(&mut self, thing: &Thing, value: Option<&str>) {
        if self.ownership.must_record(thing, value) {
            self.take_over(thing);
        }
    }

    /// A step that records a thing and changes nothing else.
    pub(super) fn take_over(&mut self, thing: &Thing) {
        self.ledger_only.push(Step::TakeOver {
            service: self.service.clone(),
            thing: thing.clone(),
        });
    }

    /// Keeps or begins the management of a thing.
    pub(super) fn manage(&mut self, thing: Thing, origin: Origin, value: Option<String>) {
        let origin = self
            .ownership
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

    pub(super) fn live_file(&self, path: &RemotePath) -> &LiveFile {
        self.input.live.files.get(path).unwrap_or(&LiveFile::Absent)
    }
}

/// The murder that owns the host, as its ledger says.
pub(super) fn owner(live: &Live) -> Option<&str> {
    let ledger = live.ledger.as_ref().or(live.pending.as_ref());
    ledger.map(|ledger| ledger.murder.as_str())
}
