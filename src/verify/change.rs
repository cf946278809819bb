//! What a change of hosts means for mail: each class of addresses before and after it, and while some hosts have it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::classes::AddressClasses;
use super::judge::{ClassResult, PlaceOutcome};
use super::places::{EntryPlace, PlaceKind, places};
use crate::directory::Directory;
use crate::mail::{Circumstances, EndAction, MailMurder};
use crate::plan::mail_change::{MailChange, MailMove, WorseAddresses, WorseMail};

/// How many hosts are named that deliver the same addresses.
const NAMED: usize = 4;

/// How many addresses of each kind are kept as examples.
const EXAMPLES: usize = 20;

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

/// A state of the hosts, and what becomes of mail in it.
#[derive(Debug)]
pub struct StateResults {
    /// The hosts.
    pub murder: MailMurder,
    /// Where mail enters.
    pub places: Vec<EntryPlace>,
    /// The results of the classes that were judged.
    pub results: Vec<ClassResult>,
}

impl StateResults {
    /// Whether a place is a door to the Internet: of an internet MTA, if `by_edge` says that it must be one.
    fn is_door(&self, place: &EntryPlace, by_edge: bool) -> bool {
        let is_edge = || {
            let host = self.murder.hosts.get(place.host);
            host.is_some_and(|host| host.abilities.is_edge)
        };
        place.kind == PlaceKind::Outside && (!by_edge || is_edge())
    }

    fn has_door(&self, by_edge: bool) -> bool {
        let mut places = self.places.iter();
        places.any(|place| self.is_door(place, by_edge))
    }
}

/// Compares the results of classes.
#[derive(Debug)]
pub struct ChangeJudge<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// The classes.
    pub classes: &'a AddressClasses,
    /// The hosts that are alike.
    pub twins: &'a PlaceTwins,
    /// The state before the change, with the results of all classes in their order.
    pub before: &'a StateResults,
}

impl ChangeJudge<'_> {
    /// What is worse for each class in a state than before, in the order of the results.
    #[must_use]
    pub fn all_worse(&self, state: &StateResults) -> Vec<Option<WorseMail>> {
        let results = state.results.iter();
        let worse = results.map(|now| self.worse(now, state));
        worse.map(|worse| worse.map(|(kind, _)| kind)).collect()
    }

    /// What is worst for a class, and at which place; at none where no host takes mail from the Internet any more.
    fn worse(
        &self,
        now: &ClassResult,
        state: &StateResults,
    ) -> Option<(WorseMail, Option<EntryPlace>)> {
        let then = self.before.results.get(now.class.0 as usize)?;
        let named = self.classes.named(now.class);
        let at_places = now.outcomes.iter().filter_map(|(place, outcome)| {
            let then = match self.is_new(place) {
                true => elsewhere(then, place.kind),
                false => *self.twins.outcome(then, place, named)?,
            };
            let worse = WorseMail::between(&then, outcome)?;
            Some((worse, Some(*place)))
        });
        let shut_out = self.shut_out(then, now, state);
        let shut_out = shut_out.map(|worse| (worse, None));
        at_places.chain(shut_out).max_by_key(|(kind, _)| *kind)
    }

    /// Whether mail from the Internet is delivered before the change.
    fn came_in(&self, then: &ClassResult) -> bool {
        let by_edge = self.before.has_door(true);
        let mut before = then.outcomes.iter();
        before.any(|(place, outcome)| {
            self.before.is_door(place, by_edge) && outcome.verdict == EndAction::Delivered
        })
    }

    /// What becomes of mail from the Internet that was delivered, if no door is left that takes it. The world knows the internet MTAs,
    /// where there are some before. It tries again where a door refuses it for now.
    fn shut_out(
        &self,
        then: &ClassResult,
        now: &ClassResult,
        state: &StateResults,
    ) -> Option<WorseMail> {
        let by_edge = self.before.has_door(true);
        let doors = now.outcomes.iter();
        let doors = doors.filter(|(place, _)| state.is_door(place, by_edge));
        let doors: Vec<&PlaceOutcome> = doors.map(|(_, outcome)| outcome).collect();
        // Without an outcome at a door, the class may have been judged at other places alone.
        let is_shut = match doors.is_empty() {
            true => !state.has_door(by_edge),
            false => doors.iter().all(|one| one.verdict == EndAction::Refused),
        };
        let waits = doors.iter().any(|one| !one.is_refused_for_good);
        (is_shut && self.came_in(then)).then_some(match waits {
            true => WorseMail::Deferred,
            false => WorseMail::ShutOut,
        })
    }

    /// Whether mail from the Internet is delivered from a place where it was not, and is worse off at none. A door that only opens
    /// beside another one mends nothing.
    fn is_mended(&self, now: &ClassResult, state: &StateResults) -> bool {
        let Some(then) = self.before.results.get(now.class.0 as usize) else {
            return false;
        };
        let named = self.classes.named(now.class);
        let came_in = self.came_in(then);
        let mut places = now.outcomes.iter();
        let comes = places.any(|(place, outcome)| {
            let then = match self.is_new(place) {
                true => Some(elsewhere(then, place.kind)),
                false => self.twins.outcome(then, place, named).copied(),
            };
            let known = [EndAction::Delivered, EndAction::NotModelled];
            let was_lost = |then: PlaceOutcome| {
                !(known.contains(&then.verdict) || came_in && then.verdict == EndAction::Refused)
            };
            place.kind == PlaceKind::Outside
                && outcome.verdict == EndAction::Delivered
                && then.is_some_and(was_lost)
        });
        comes && self.worse(now, state).is_none()
    }

    /// Whether mail cannot enter at a place before the change.
    fn is_new(&self, place: &EntryPlace) -> bool {
        let mut known = self.before.places.iter();
        !known.any(|known| (known.host, known.kind) == (place.host, place.kind))
    }

    /// The addresses that are worse off in a state than before, and worse than `known` says of their class.
    #[must_use]
    pub fn worse_addresses(
        &self,
        state: &StateResults,
        known: &[Option<WorseMail>],
    ) -> WorseAddresses {
        let mut found = WorseAddresses::new();
        for now in &state.results {
            let known = known.get(now.class.0 as usize).copied().flatten();
            let worse = self.worse(now, state);
            let Some((kind, place)) = worse.filter(|(kind, _)| Some(*kind) > known) else {
                continue;
            };
            let (addresses, example) = self.classes.example(now.class);
            let count = found.entry(kind).or_default();
            if count.addresses == 0 {
                count.by = place.map_or_else(String::new, |place| self.by(example, &place, state));
            }
            count.addresses += addresses;
            if count.examples.len() < EXAMPLES {
                count.examples.push(example.to_owned());
            }
        }
        found
    }

    /// Where the mail of an address ends that enters at a place, and by which answer.
    fn by(&self, address: &str, place: &EntryPlace, state: &StateResults) -> String {
        let now = Circumstances::default();
        let murder = &state.murder;
        let trace = murder.trace_in(address, place.entry, self.directory, &now, None);
        let worst = trace.verdict();
        if let (EndAction::NotModelled, Some((host, why))) = (worst, trace.not_modelled.first()) {
            // What a directory or a table says may name an address.
            return match why.contains('@') {
                true => format!("at {host}"),
                false => format!("{why}, at {host}"),
            };
        }
        let Some(end) = trace.ends.iter().find(|end| end.action == worst) else {
            return String::new();
        };
        let words = end
            .reason
            .split_whitespace()
            .chain(end.via.split_whitespace());
        let code = words
            .map(|word| word.trim_end_matches(':'))
            .find(|word| is_status(word));
        let code = code.map_or(String::new(), |code| format!("{code} "));
        let is_route = end.via.contains(':') && !end.via.contains(['@', ' ']);
        let via = match is_route {
            true => format!(" via {}", end.via),
            false => String::new(),
        };
        format!("{code}at {}{via}", end.host)
    }

    /// What the change means at the end, without the states on the way.
    #[must_use]
    pub fn change(&self, after: &StateResults, hosts: &[String]) -> MailChange {
        let mut change = MailChange {
            addresses: self.classes.len(),
            worse: self.worse_addresses(after, &[]),
            vanished: lacking(self.before, after),
            appeared: lacking(after, self.before),
            ..MailChange::default()
        };
        let names = |of: &BTreeSet<usize>| {
            let names = of.iter().filter_map(|at| hosts.get(*at).cloned());
            let names: Vec<String> = names.take(NAMED).collect();
            match of.len().checked_sub(NAMED) {
                Some(more @ 1..) => format!("{} and {more} more hosts", names.join(", ")),
                _ => names.join(", "),
            }
        };
        let mut moves: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (then, now) in self.before.results.iter().zip(&after.results) {
            let (count, _) = self.classes.example(then.class);
            let is_delivered = |one: &ClassResult| !one.delivers.is_empty();
            match (is_delivered(then), is_delivered(now)) {
                (true, true) if then.delivers != now.delivers => {
                    let from_to = (names(&then.delivers), names(&now.delivers));
                    *moves.entry(from_to).or_default() += count;
                }
                _ if self.is_mended(now, after) => change.mended += count,
                _ => {}
            }
            if [then, now].map(|one| one.verdict) == [EndAction::NotModelled; 2] {
                change.not_modelled += count;
            }
        }
        let moves = moves.into_iter().map(|((from, to), addresses)| MailMove {
            from,
            to,
            addresses,
        });
        change.moves = moves.collect();
        change
    }
}

/// What becomes of mail at a place where it could not enter: as at the best place of its kind, else as if a host refused it. Mail of
/// other hosts comes to a backend only where they send it there, so no backend need take what another one takes.
fn elsewhere(then: &ClassResult, kind: PlaceKind) -> PlaceOutcome {
    let of_kind = then
        .outcomes
        .iter()
        .filter(|(place, _)| place.kind == kind && kind != PlaceKind::Inside);
    let best = of_kind.min_by_key(|(_, outcome)| (outcome.is_refused_for_good, outcome.verdict));
    best.map_or(
        PlaceOutcome {
            verdict: EndAction::Refused,
            is_refused_for_good: true,
        },
        |(_, outcome)| *outcome,
    )
}

/// Whether a word is an enhanced status code (RFC 3463), such as `5.1.1`.
fn is_status(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && matches!(parts.first(), Some(&("4" | "5"))) && parts.iter().all(is_number)
}

/// The places of one state that another one lacks, in words: one line for each host.
#[must_use]
pub fn lacking(state: &StateResults, other: &StateResults) -> Vec<String> {
    let of = |place: &EntryPlace| -> (usize, PlaceKind) { (place.host, place.kind) };
    let others: BTreeSet<(usize, PlaceKind)> = other.places.iter().map(of).collect();
    let mut gone: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for place in &state.places {
        if !others.contains(&of(place)) {
            let ways = gone.entry(place.host).or_default();
            ways.push(place.kind.words());
        }
    }
    let line = |(host, ways): (usize, Vec<&str>)| {
        let host = state.murder.hosts.get(host).map_or("", |host| &host.name);
        format!("`{host}` ({})", ways.join(", "))
    };
    gone.into_iter().map(line).collect()
}
