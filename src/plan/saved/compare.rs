//! Judges a saved plan on a fresh look at its host: the first thing that is not as the plan found it.

use std::collections::BTreeMap;

use super::host::SavedChanges;
use super::ledger::{SavedEntry, SavedLedger};
use super::pin::SavedValue;
use super::step::SavedStep;
use crate::plan::Change;
use crate::postfix::catalogue::lists;
use crate::postfix::same_value;
use crate::service::Service;
use crate::thing::Thing;

impl SavedChanges {
    /// The first thing on which the plan rests and that a plan made `now` finds otherwise, in words. None if each step
    /// can be carried out as it was reviewed. Both plans name their texts by the same numbers.
    #[must_use]
    pub fn stale_thing(&self, now: &Self) -> Option<String> {
        self.facts
            .difference(&now.facts)
            .or_else(|| ledgers(self.ledger.as_ref(), now.ledger.as_ref()))
            .or_else(|| self.steps_differ(now))
            .or_else(|| self.entries_differ(now))
            .or_else(|| self.new_refusal(now))
    }

    /// What a step is about, in words.
    #[must_use]
    pub fn step_name(step: &SavedStep) -> String {
        named(step, None)
    }

    fn steps_differ(&self, now: &Self) -> Option<String> {
        let (saved, fresh) = (keyed(&self.steps), keyed(&now.steps));
        // A thing that the plan changes and that is another one now, before effects such as a reload.
        for things in [true, false] {
            for (key, step) in &saved {
                if is_thing(step) == things && !fresh.get(key).is_some_and(|new| same(step, new)) {
                    return Some(named(step, fresh.get(key).copied()));
                }
            }
            for (key, step) in &fresh {
                if is_thing(step) == things && !saved.contains_key(key) {
                    return Some(named(step, None));
                }
            }
        }
        None
    }

    fn entries_differ(&self, now: &Self) -> Option<String> {
        for (service, lines) in &self.entries {
            for (entry, line) in lines {
                let fresh = now.entries.get(service).and_then(|lines| lines.get(entry));
                if fresh.is_none_or(|fresh| !same_value(fresh, line)) {
                    return Some(service.shown(&Thing::Service(entry.clone())));
                }
            }
        }
        None
    }

    fn new_refusal(&self, now: &Self) -> Option<String> {
        let mut new = now.refusals.iter();
        new.find(|refusal| !self.refusals.contains(refusal))
            .map(|refusal| format!("what would be refused ({})", refusal.summary))
    }
}

/// The steps by what they are about: no two steps of a plan are about the same.
fn keyed(steps: &[SavedStep]) -> BTreeMap<String, &SavedStep> {
    steps.iter().map(|step| (key(step), step)).collect()
}

fn key(step: &SavedStep) -> String {
    match step {
        SavedStep::Sweep { .. } => "sweep".to_owned(),
        SavedStep::File { path, .. } | SavedStep::Delete { path, .. } => format!("file {path}"),
        SavedStep::Index { source, .. } => format!("index {source}"),
        SavedStep::Value { service, thing, .. } => format!("value {service} {thing}"),
        SavedStep::Check { service } => format!("check {service}"),
        SavedStep::Reload { service, .. } => format!("reload {service}"),
        SavedStep::Restart { service, .. } => format!("restart {service}"),
        SavedStep::Probe { service, .. } => format!("probe {service}"),
        SavedStep::TakeOver { service, thing } => format!("take over {service} {thing}"),
        SavedStep::Release { service, thing } => format!("release {service} {thing}"),
    }
}

/// Whether a step is about a thing, and not about what follows from its change.
fn is_thing(step: &SavedStep) -> bool {
    matches!(
        step,
        SavedStep::File { .. }
            | SavedStep::Delete { .. }
            | SavedStep::Value { .. }
            | SavedStep::TakeOver { .. }
            | SavedStep::Release { .. }
    )
}

/// What a step is about, and in which respect it differs.
fn named(step: &SavedStep, now: Option<&SavedStep>) -> String {
    match step {
        SavedStep::Sweep { run } => format!("what the unfinished apply {run} left behind"),
        SavedStep::File { path, .. } | SavedStep::Delete { path, .. } => {
            match now.is_some_and(|now| secret_differs(step, now)) {
                true => {
                    format!("{path} (a secret of it has another value than when the plan was made)")
                }
                false => path.to_string(),
            }
        }
        SavedStep::Index { source, .. } => format!("the index of {source}"),
        SavedStep::Value { service, thing, .. }
        | SavedStep::TakeOver { service, thing }
        | SavedStep::Release { service, thing } => service.shown(thing),
        SavedStep::Check { service } => format!("whether {service} must check its configuration"),
        SavedStep::Reload { service, .. } => format!("whether {service} must be reloaded"),
        SavedStep::Restart { service, .. } => format!("whether {service} must be restarted"),
        SavedStep::Probe { service, .. } => format!("which addresses of {service} are probed"),
    }
}

/// Whether a file is as it was, and only what the plan would write differs: a secret, which is read anew.
fn secret_differs(step: &SavedStep, now: &SavedStep) -> bool {
    let (SavedStep::File { change, .. }, SavedStep::File { change: new, .. }) = (step, now) else {
        return false;
    };
    match (change, new) {
        (Change::Create { after }, Change::Create { after: new }) => after.pin != new.pin,
        (
            Change::Update { before, after },
            Change::Update {
                before: found,
                after: new,
            },
        ) => before == found && after.pin != new.pin,
        _ => false,
    }
}

fn same(step: &SavedStep, now: &SavedStep) -> bool {
    match (step, now) {
        (
            SavedStep::Value {
                service,
                thing,
                change,
                cause,
            },
            SavedStep::Value {
                service: new_service,
                thing: new_thing,
                change: new,
                cause: new_cause,
            },
        ) => {
            (service, thing, cause) == (new_service, new_thing, new_cause)
                && same_change(change, new, |left, right| same_values(thing, left, right))
        }
        (
            SavedStep::File {
                service,
                path,
                change,
                same_bytes,
                cause,
            },
            SavedStep::File {
                service: new_service,
                path: new_path,
                change: new,
                same_bytes: new_same,
                cause: new_cause,
            },
        ) => {
            (service, path, same_bytes, cause) == (new_service, new_path, new_same, new_cause)
                && same_change(change, new, PartialEq::eq)
        }
        _ => step == now,
    }
}

fn same_change<T>(left: &Change<T>, right: &Change<T>, same: impl Fn(&T, &T) -> bool) -> bool {
    match (left, right) {
        (Change::Create { after }, Change::Create { after: new }) => same(after, new),
        (
            Change::Update { before, after },
            Change::Update {
                before: found,
                after: new,
            },
        ) => same(before, found) && same(after, new),
        (Change::Delete { before }, Change::Delete { before: found }) => same(before, found),
        _ => false,
    }
}

fn same_values(thing: &Thing, left: &SavedValue, right: &SavedValue) -> bool {
    let same_text = match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => {
            lists::same(name.as_str(), &left.text, &right.text)
        }
        Thing::File(_) | Thing::Service(_) | Thing::Field(..) => {
            same_value(&left.text, &right.text)
        }
    };
    same_text && left.pin == right.pin
}

/// The first entry in which two looks at a ledger differ.
fn ledgers(saved: Option<&SavedLedger>, now: Option<&SavedLedger>) -> Option<String> {
    let (saved, now) = match (saved, now) {
        (None, None) => return None,
        (Some(saved), Some(now)) => (saved, now),
        (Some(_), None) => return Some("the host's ledger, which is gone".to_owned()),
        (None, Some(_)) => return Some("the host's ledger, which is new".to_owned()),
    };
    if saved.murder != now.murder {
        return Some(format!(
            "the murder that owns the host (`{}` now)",
            now.murder
        ));
    }
    let empty = BTreeMap::new();
    let services = saved.services.keys().chain(now.services.keys());
    for service in services {
        let of = |ledger: &'_ SavedLedger| ledger.services.get(service).cloned();
        let (old, new) = (of(saved), of(now));
        let found = entries(
            service,
            old.as_ref().unwrap_or(&empty),
            new.as_ref().unwrap_or(&empty),
        );
        if found.is_some() {
            return found;
        }
    }
    None
}

fn entries(
    service: &Service,
    saved: &BTreeMap<Thing, SavedEntry>,
    now: &BTreeMap<Thing, SavedEntry>,
) -> Option<String> {
    let mut things = saved.keys().chain(now.keys());
    let thing = things.find(|thing| saved.get(*thing) != now.get(*thing))?;
    Some(format!("the ledger's entry of {}", service.shown(thing)))
}
