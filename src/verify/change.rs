//! What a change of hosts means for mail: each class of addresses before and after it, and while some hosts have it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::classes::AddressClasses;
use super::judge::{ClassResult, PlaceOutcome};
use super::places::{EntryPlace, PlaceKind, places};
use super::worse::WorseMail;
use crate::mail::{EndAction, MailMurder};

/// How many addresses of each kind are kept as examples.
const EXAMPLES: usize = 20;

/// Addresses for which mail becomes worse: how many, and some of them. An address counts once, for the worst.
pub type WorseAddresses = BTreeMap<WorseMail, (usize, Vec<String>)>;

/// A state of the hosts on the way, and what it does to mail that neither the state before nor the one after does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEffect {
    /// The state.
    pub state: MailState,
    /// The addresses that it makes worse.
    pub worse: WorseAddresses,
}

/// A state of the hosts between two others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailState {
    /// So many waves are done.
    Waves(usize),
    /// So many waves are done, but for one host of the last one.
    WavesWithout(usize, usize),
    /// This host alone is changed.
    Alone(usize),
}

/// What a change means for mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailChange {
    /// How many addresses were tried.
    pub addresses: usize,
    /// How many addresses move from some hosts to others, by their names.
    pub moves: BTreeMap<(String, String), usize>,
    /// The addresses that are worse off at the end.
    pub worse: WorseAddresses,
    /// How many addresses are delivered that were not.
    pub mended: usize,
    /// How many addresses the model cannot tell, before and after.
    pub not_modelled: usize,
    /// Places where mail enters before and not after, in words.
    pub vanished: Vec<String>,
    /// Places where mail enters after and not before, in words.
    pub appeared: Vec<String>,
    /// How many states on the way were tried: after waves, without one host of a wave, and with one host alone.
    pub tried: [usize; 3],
    /// How many hosts were not tried by themselves, because they differ from a tried one in names only.
    pub alike: usize,
    /// The states on the way in which mail is worse off.
    pub states: Vec<StateEffect>,
    /// The hosts that were not observed: they count as the manifest wants them, before and after.
    pub unseen: Vec<String>,
}

impl MailChange {
    /// How many addresses are refused for good, bounce or loop at the end, and in the worst state on the way.
    #[must_use]
    pub fn losses(&self) -> (usize, usize) {
        let lost = |worse: &WorseAddresses| -> usize {
            let of_loss = worse.iter().filter(|(kind, _)| kind.is_loss());
            of_loss.map(|(_, (count, _))| count).sum()
        };
        let states = self.states.iter().map(|state| lost(&state.worse));
        (lost(&self.worse), states.max().unwrap_or(0))
    }
}

/// For each host the first one that differs from it in names only: before the change, after it, and in its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceTwins(Vec<usize>);

impl PlaceTwins {
    /// `key` says of each host what it has in common with its twins.
    #[must_use]
    pub fn new<K: Ord>(hosts: usize, key: impl Fn(usize) -> K) -> Self {
        let mut first = BTreeMap::new();
        Self(
            (0..hosts)
                .map(|host| *first.entry(key(host)).or_insert(host))
                .collect(),
        )
    }

    /// Whether a host is the first one of its twins.
    #[must_use]
    pub fn is_first(&self, host: usize) -> bool {
        self.0.get(host) == Some(&host)
    }

    fn of(&self, host: usize) -> usize {
        self.0.get(host).copied().unwrap_or(host)
    }

    /// The places where mail enters in a state. `special` is a host that has no twins in it.
    #[must_use]
    pub fn places(
        &self,
        murder: &MailMurder,
        outside: IpAddr,
        special: Option<usize>,
    ) -> Vec<EntryPlace> {
        let all = places(murder, outside).into_iter();
        let own = |place: EntryPlace| EntryPlace {
            twin: match special == Some(place.host) {
                true => self.0.len() + place.host,
                false => self.of(place.host),
            },
            ..place
        };
        all.map(own).collect()
    }

    /// The outcome at a place: that of the host itself, or of a twin whose mailbox the address does not have either.
    fn outcome<'a>(
        &self,
        result: &'a ClassResult,
        place: &EntryPlace,
        named: Option<&BTreeSet<usize>>,
    ) -> Option<&'a PlaceOutcome> {
        let is_named = |host: usize| named.is_some_and(|named| named.contains(&host));
        let same = |known: &EntryPlace| known.kind == place.kind && known.host == place.host;
        let alike = |known: &EntryPlace| {
            known.kind == place.kind
                && self.of(known.host) == self.of(place.host)
                && !is_named(known.host)
                && !is_named(place.host)
        };
        let find = |fits: &dyn Fn(&EntryPlace) -> bool| {
            result.outcomes.iter().find(|(known, _)| fits(known))
        };
        find(&same)
            .or_else(|| find(&alike))
            .map(|(_, outcome)| outcome)
    }
}

/// Compares the results of classes.
#[derive(Debug)]
pub struct ChangeJudge<'a> {
    /// The classes.
    pub classes: &'a AddressClasses,
    /// The hosts that are alike.
    pub twins: &'a PlaceTwins,
    /// The results before the change, of all classes in their order.
    pub before: &'a [ClassResult],
}

impl ChangeJudge<'_> {
    /// What is worse for a class in a state than before.
    #[must_use]
    pub fn worse(&self, now: &ClassResult) -> Option<WorseMail> {
        let then = self.before.get(now.class.0 as usize)?;
        let named = self.classes.named(now.class);
        let places = now.outcomes.iter();
        let worse = places.filter_map(|(place, outcome)| {
            let then = self.twins.outcome(then, place, named)?;
            WorseMail::between(then, outcome)
        });
        worse.max()
    }

    /// The addresses that are worse off in a state than before, and worse than `known` says of their class.
    #[must_use]
    pub fn worse_addresses(
        &self,
        now: &[ClassResult],
        known: &[Option<WorseMail>],
    ) -> WorseAddresses {
        let mut found = WorseAddresses::new();
        for result in now {
            let known = known.get(result.class.0 as usize).copied().flatten();
            let worse = self.worse(result);
            let Some(worse) = worse.filter(|_| worse > known) else {
                continue;
            };
            let (count, example) = self.classes.example(result.class);
            let (sum, examples) = found.entry(worse).or_default();
            *sum += count;
            if examples.len() < EXAMPLES {
                examples.push(example.to_owned());
            }
        }
        found
    }

    /// What the change means at the end, without the states on the way.
    #[must_use]
    pub fn change(&self, after: &[ClassResult], hosts: &[String]) -> MailChange {
        let mut change = MailChange {
            addresses: self.classes.len(),
            worse: self.worse_addresses(after, &[]),
            ..MailChange::default()
        };
        let names = |of: &BTreeSet<usize>| {
            let names = of.iter().filter_map(|at| hosts.get(*at).cloned());
            names.collect::<Vec<_>>().join(", ")
        };
        for (then, now) in self.before.iter().zip(after) {
            let (count, _) = self.classes.example(then.class);
            let is_delivered = |one: &ClassResult| one.verdict == EndAction::Delivered;
            match (is_delivered(then), is_delivered(now)) {
                (true, true) if then.delivers != now.delivers => {
                    let from_to = (names(&then.delivers), names(&now.delivers));
                    *change.moves.entry(from_to).or_default() += count;
                }
                (false, true) if then.verdict != EndAction::NotModelled => change.mended += count,
                _ => {}
            }
            if [then, now].map(|one| one.verdict) == [EndAction::NotModelled; 2] {
                change.not_modelled += count;
            }
        }
        change
    }
}

/// The places of one list that another one lacks, in words.
#[must_use]
pub fn lacking(all: &[EntryPlace], others: &[EntryPlace], murder: &MailMurder) -> Vec<String> {
    let is_known = |place: &EntryPlace| {
        let of = |place: &EntryPlace| -> (usize, PlaceKind) { (place.host, place.kind) };
        others.iter().any(|other| of(other) == of(place))
    };
    let gone = all.iter().filter(|place| !is_known(place));
    gone.map(|place| place.words(murder)).collect()
}
