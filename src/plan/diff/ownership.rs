//! What is ours already: what the ledger says, and what an apply that did not end was about to say.
//!
//! An apply writes its ledger last. Where it died before that, the host still has the ledger that
//! it was going to write. What stands only there may have been made by that apply, so it is ours:
//! taking it for something found on the host would keep it for ever as somebody else's.

use std::collections::BTreeMap;

use crate::ledger::{Ledger, Managed, Origin, Previous, ServiceLedger};
use crate::name::RemotePath;
use crate::service::Service;
use crate::state::{Live, LiveState};
use crate::thing::Thing;

use super::same;

/// What the two ledgers of a host say of one service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ours<'a> {
    ledger: Option<&'a ServiceLedger>,
    pending: Option<&'a ServiceLedger>,
    live: &'a Live,
}

impl<'a> Ours<'a> {
    pub(super) fn of(live: &'a Live, service: &Service) -> Self {
        let of_service =
            |ledger: &'a Option<Ledger>| ledger.as_ref().map(|one| one.service(service));
        Self {
            ledger: of_service(&live.ledger),
            pending: of_service(&live.pending),
            live,
        }
    }

    /// The generation of the ledger itself, which alone counts them; 0 where there is none.
    pub(super) fn generation(&self) -> u64 {
        let ledger = self.live.ledger.as_ref();
        ledger.map_or(0, |ledger| ledger.generation)
    }

    /// What the ledger itself says of the service: it alone knows what the service last loaded.
    pub(super) fn ledger(&self) -> Option<&'a ServiceLedger> {
        self.ledger
    }

    /// Whether an apply died between its first change and its ledger.
    pub(super) fn is_unfinished(&self) -> bool {
        self.pending.is_some()
    }

    /// The murder that owns the host.
    pub(super) fn owner(&self) -> Option<&'a str> {
        let ledger = self.live.ledger.as_ref().or(self.live.pending.as_ref());
        ledger.map(|ledger| ledger.murder.as_str())
    }

    /// Whether the ledger itself has the thing.
    pub(super) fn has(&self, thing: &Thing) -> bool {
        self.ledger
            .is_some_and(|ledger| ledger.managed.contains_key(thing))
    }

    /// How a thing came to be ours; the ledger's word counts more.
    pub(super) fn managed(&self, thing: &Thing) -> Option<&'a Managed> {
        let of = |ledger: Option<&'a ServiceLedger>| ledger.and_then(|one| one.managed.get(thing));
        of(self.ledger).or_else(|| of(self.pending))
    }

    /// What the ledger itself says of a thing.
    pub(super) fn recorded(&self, thing: &Thing) -> Option<&'a Managed> {
        self.ledger?.managed.get(thing)
    }

    /// Everything that is ours.
    pub(super) fn all(&self) -> BTreeMap<&'a Thing, &'a Managed> {
        [self.pending, self.ledger]
            .into_iter()
            .flatten()
            .flat_map(|ledger| &ledger.managed)
            .collect()
    }

    /// Whether a value is what one of our applies made of the thing: the one that wrote the ledger,
    /// or the one that did not come to it.
    pub(super) fn made(&self, thing: &Thing, value: Option<&str>) -> bool {
        [self.ledger, self.pending]
            .into_iter()
            .flatten()
            .filter_map(|ledger| ledger.managed.get(thing))
            .any(|managed| same_value(managed.value.as_deref(), value))
    }

    /// Whether a file whose text is ours has the owner and mode that we gave it. A ledger that does
    /// not say which is believed.
    pub(super) fn gave(&self, thing: &Thing, state: &LiveState) -> bool {
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

    /// Whether a thing that is as it must be has yet to be written into the ledger.
    pub(super) fn must_record(&self, thing: &Thing, value: Option<&str>) -> bool {
        match self.ledger.and_then(|ledger| ledger.managed.get(thing)) {
            None => true,
            Some(managed) => self.is_unfinished() && !same_value(managed.value.as_deref(), value),
        }
    }

    /// Whether the unfinished apply meant to change the thing and did not come to it: `value` is
    /// what it found.
    pub(super) fn is_untouched(&self, thing: &Thing, value: Option<&str>) -> bool {
        if self.has(thing) {
            return false;
        }
        let pending = self.pending.and_then(|ledger| ledger.managed.get(thing));
        pending.is_some_and(|managed| match (&managed.origin, value) {
            (Origin::Created, None) => true,
            (Origin::Adopted(Previous::Value(found)), Some(value)) => same(found, value),
            (Origin::Adopted(Previous::File { sha256, .. }), Some(value)) => sha256 == value,
            _ => false,
        })
    }

    /// Whether the unfinished apply made the thing what it is.
    pub(super) fn is_unrecorded(&self, thing: &Thing, value: Option<&str>) -> bool {
        self.pending
            .and_then(|ledger| ledger.managed.get(thing))
            .is_some_and(|managed| same_value(managed.value.as_deref(), value))
            && self.must_record(thing, value)
            && !self.is_untouched(thing, value)
    }

    /// Whether a table's index may have been built from another source than this one. An
    /// unfinished apply replaces the index before its source, and both within the same second, so
    /// that only the word of both ledgers proves it.
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

    /// Whether we built an index for the table.
    pub(super) fn has_index(&self, source: &RemotePath) -> bool {
        [self.ledger, self.pending]
            .into_iter()
            .flatten()
            .any(|ledger| ledger.indexes.contains_key(source))
    }
}

fn same_value(left: Option<&str>, right: Option<&str>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(left, right),
        (None, None) => true,
        _ => false,
    }
}
