//! What a state does to mail, counted from what really became of it, as a plan counts it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::outcome::{Action, Outcome};
use super::sent::{OUTSIDE, Outcomes};

/// What becomes worse, from bad to worst, in the words of a plan.
const KINDS: [&str; 5] = ["deferred", "refused", "discarded", "bounced", "looped"];

/// What is worse for mail between two outcomes: its place in [`KINDS`]. Mail that bounced or looped is not worse off where it is
/// refused, nor mail that looped where it bounces.
fn between(then: &Outcome, now: &Outcome) -> Option<usize> {
    let (was, is) = (then.worst(), now.worst());
    let was_lost = matches!(was, Action::Bounced | Action::Looped);
    if now.is_refused_for_good() && !then.is_refused_for_good() && !was_lost {
        return Some(1);
    }
    match is {
        _ if was == is => None,
        Action::Looped => Some(4),
        Action::Bounced if was != Action::Looped => Some(3),
        Action::Discarded if [Action::Delivered, Action::Deferred].contains(&was) => Some(2),
        Action::Deferred | Action::Refused if was == Action::Delivered => Some(0),
        _ => None,
    }
}

/// The worst for each address that is worse off at some place.
pub fn worse(before: &Outcomes, now: &Outcomes, addresses: &[&str]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for ((place, address), outcome) in now {
        let then = &before[&(*place, address.clone())];
        if let Some(kind) = between(then, outcome)
            && addresses.contains(&address.as_str())
        {
            let known = found.entry(address.clone()).or_insert(kind);
            *known = kind.max(*known);
        }
    }
    found
}

/// The addresses of a state by what is worse than before and than at the end, as a plan in JSON has them.
pub fn counted(
    state: &BTreeMap<String, usize>,
    end: Option<&BTreeMap<String, usize>>,
) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut found: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (address, kind) in state {
        if end.is_none_or(|end| end.get(address).is_none_or(|known| kind > known)) {
            found
                .entry(KINDS[*kind])
                .or_default()
                .insert(address.clone());
        }
    }
    found
}

/// Demands that a plan has these addresses: as many of each kind, and no other example.
#[track_caller]
pub fn agrees(
    name: &str,
    plan: Option<&Value>,
    real: &BTreeMap<&'static str, BTreeSet<String>>,
    whole: &Value,
) {
    let none = Value::Object(serde_json::Map::new());
    let plan = plan.unwrap_or(&none).as_object().unwrap();
    let counts: BTreeMap<&str, u64> = plan
        .iter()
        .map(|(kind, count)| (kind.as_str(), count["addresses"].as_u64().unwrap()))
        .collect();
    let really: BTreeMap<&str, u64> = real
        .iter()
        .map(|(kind, addresses)| (*kind, addresses.len() as u64))
        .collect();
    assert_eq!(
        counts, really,
        "{name}: the plan, and Postfix: {real:#?}\n{whole:#}"
    );
    for (kind, count) in plan {
        for example in count["examples"].as_array().into_iter().flatten() {
            let example = example.as_str().unwrap();
            assert!(
                real[kind.as_str()].contains(example),
                "{name}: {kind}: {example}\n{whole:#}"
            );
        }
    }
}

/// The state on the way of a plan in JSON: none if the plan tried it and found nothing worse.
#[track_caller]
pub fn state_of<'a>(mail: &'a Value, state: &Value) -> Option<&'a Value> {
    let tried = mail["tried"].as_array().unwrap();
    assert!(tried.contains(state), "not tried: {state}: {mail:#}");
    let mut found = mail["states"].as_array().unwrap().iter();
    let found = found.find(|one| one["state"] == *state);
    found.map(|one| &one["worse"])
}

/// How many addresses move between which hosts, as `from > to`, by what gives mail from the Internet to a mailbox.
pub fn moves(before: &Outcomes, after: &Outcomes, addresses: &[&str]) -> BTreeMap<String, u64> {
    let of = |outcomes: &Outcomes, address: &str| -> String {
        let outside = outcomes
            .iter()
            .filter(|((place, to), _)| to == address && place.from == Some(OUTSIDE));
        let ends = outside.flat_map(|(_, outcome)| &outcome.ends);
        let delivers = ends.filter(|end| end.action == Action::Delivered);
        let hosts: BTreeSet<String> = delivers
            .map(|end| format!("{}.example.org", end.host))
            .collect();
        hosts.into_iter().collect::<Vec<_>>().join(", ")
    };
    let mut moves = BTreeMap::new();
    for address in addresses {
        let (from, to) = (of(before, address), of(after, address));
        if from != to && !from.is_empty() && !to.is_empty() {
            *moves.entry(format!("{from} > {to}")).or_default() += 1;
        }
    }
    moves
}
