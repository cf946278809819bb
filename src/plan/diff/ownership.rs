//! What `murder` manages on a host: what the ledger records, and what an apply that did not end was about to record.
//!
//! An apply writes its ledger last. If it dies before that, the host still has the ledger that it was going to
//! write. A thing that only that one names may have been created by that apply, so it counts as managed: otherwise
//! it would be adopted, and restored one day, as if the host had had it before.

use std::collections::BTreeMap;

use crate::ledger::{Ledger, Managed, Origin, Previous, ServiceLedger};
use crate::name::RemotePath;
use crate::postfix::catalogue::lists;
use crate::postfix::same_value;
use crate::service::Service;
use crate::state::{Live, LiveState};
use crate::thing::Thing;

/// What the two ledgers of a host record of one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ownership<'a> {
    ledger: Option<&'a ServiceLedger>,
    pending: Option<&'a ServiceLedger>,
    host: Option<&'a Ledger>,
}

impl<'a> Ownership<'a> {
    pub(super) fn of(live: &'a Live, service: &Service) -> Self {
        let of_service =
            |ledger: &'a Option<Ledger>| ledger.as_ref().map(|one| one.service(service));
        Self {
            ledger: of_service(&live.ledger),
            pending: of_service(&live.pending),
            host: live.ledger.as_ref(),
        }
    }

    /// The service's part of the ledger itself, which alone records what the service last loaded.
    pub(super) fn ledger(&self) -> Option<&'a ServiceLedger> {
        self.ledger
    }

    /// Whether an apply died between its first change and the writing of its ledger.
    pub(super) fn is_unfinished(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether the ledger itself names the thing.
    pub(super) fn has(&self, thing: &Thing) -> bool {
        self.ledger
            .is_some_and(|ledger| ledger.managed.contains_key(thing))
    }

    /// What is recorded of a thing: in the ledger, otherwise in the pending one. A file may come from another service of
    /// the host, which hands it over.
    pub(super) fn managed(&self, thing: &Thing) -> Option<&'a Managed> {
        let of = |ledger: Option<&'a ServiceLedger>| ledger.and_then(|one| one.managed.get(thing));
        of(self.ledger)
            .or_else(|| of(self.pending))
            .or_else(|| self.handed_over(thing))
    }

    fn handed_over(&self, thing: &Thing) -> Option<&'a Managed> {
        let mut services = self.host?.services.values();
        let is_file = matches!(thing, Thing::File(_));
        services
            .find_map(|service| service.managed.get(thing))
            .filter(|_| is_file)
    }

    /// What the ledger itself records of a thing.
    pub(super) fn recorded(&self, thing: &Thing) -> Option<&'a Managed> {
        self.ledger?.managed.get(thing)
    }

    /// Every managed thing; the ledger goes before the pending one.
    pub(super) fn all(&self) -> BTreeMap<&'a Thing, &'a Managed> {
        [self.pending, self.ledger]
            .into_iter()
            .flatten()
            .flat_map(|ledger| &ledger.managed)
            .collect()
    }

    /// Whether an apply gave the thing this value: the one that wrote the ledger, or the unfinished one.
    pub(super) fn applied(&self, thing: &Thing, value: Option<&str>) -> bool {
        [self.ledger, self.pending]
            .into_iter()
            .flatten()
            .filter_map(|ledger| ledger.managed.get(thing))
            .chain(self.handed_over(thing))
            .any(|managed| same_optional(thing, managed.value.as_deref(), value))
    }

    /// Whether a file whose text an apply wrote has the owner and mode that the apply gave it. True if no
    /// ledger records them.
    pub(super) fn gave_access(&self, thing: &Thing, state: &LiveState) -> bool {
        let mut known = [self.ledger, self.pending]
            .into_iter()
            .flatten()
            .filter_map(|ledger| ledger.managed.get(thing))
            .filter(|managed| managed.value.as_ref() == Some(&state.sha256))
            .filter_map(|managed| managed.access.as_ref())
            .peekable();
        known.peek().is_none()
            || known.any(|access| {
                access.owner == state.owner
                    && access.group == state.group
                    && access.mode == state.mode
            })
    }

    /// Whether a thing that is already correct has yet to be recorded in the ledger.
    pub(super) fn must_record(&self, thing: &Thing, value: Option<&str>) -> bool {
        match self.ledger.and_then(|ledger| ledger.managed.get(thing)) {
            None => true,
            Some(managed) => {
                self.is_unfinished() && !same_optional(thing, managed.value.as_deref(), value)
            }
        }
    }

    /// Whether the unfinished apply was going to change the thing and had not changed it yet: `value` is
    /// what the host has.
    pub(super) fn is_untouched(&self, thing: &Thing, value: Option<&str>) -> bool {
        if self.has(thing) {
            return false;
        }
        let pending = self.pending.and_then(|ledger| ledger.managed.get(thing));
        pending.is_some_and(|managed| match (&managed.origin, value) {
            (Origin::Created, None) => true,
            (Origin::Adopted(Previous::Value(before)), Some(value)) => same(thing, before, value),
            (Origin::Adopted(Previous::File { sha256, .. }), Some(value)) => sha256 == value,
            _ => false,
        })
    }

    /// Whether the unfinished apply gave the thing its value.
    pub(super) fn is_unrecorded(&self, thing: &Thing, value: Option<&str>) -> bool {
        self.pending
            .and_then(|ledger| ledger.managed.get(thing))
            .is_some_and(|managed| same_optional(thing, managed.value.as_deref(), value))
            && self.must_record(thing, value)
            && !self.is_untouched(thing, value)
    }

    /// Whether a table's index may have been built from another source than this one. An unfinished
    /// apply replaces the index before its source, and both within the same second, so modification times
    /// prove nothing: both ledgers must agree.
    pub(super) fn is_index_doubtful(&self, source: &RemotePath, sha256: &str) -> bool {
        [self.ledger, self.pending]
            .into_iter()
            .flatten()
            .filter_map(|ledger| ledger.indexes.get(source))
            .any(|built_from| built_from != sha256)
            || (self.is_unfinished()
                && self.has_index(source)
                && self
                    .ledger
                    .is_none_or(|ledger| !ledger.indexes.contains_key(source)))
    }

    /// Whether an apply built an index for the table.
    pub(super) fn has_index(&self, source: &RemotePath) -> bool {
        [self.ledger, self.pending]
            .into_iter()
            .flatten()
            .any(|ledger| ledger.indexes.contains_key(source))
    }
}

fn same_optional(thing: &Thing, left: Option<&str>, right: Option<&str>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(thing, left, right),
        (None, None) => true,
        _ => false,
    }
}

/// Whether Postfix reads two values of a thing as the same.
pub(super) fn same(thing: &Thing, left: &str, right: &str) -> bool {
    match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => lists::same(name.as_str(), left, right),
        Thing::File(_) | Thing::Service(_) | Thing::Field(..) => same_value(left, right),
    }
}
