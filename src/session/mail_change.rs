//! What a plan means for mail: before, after, and in the states on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::routes::{CompiledMurder, outside_clients, places};
use super::verify::SortedDirectory;
use super::watched_hosts::{WatchedHost, WatchedHosts};
use crate::directory::Directory;
use crate::load::LoadedMurder;
use crate::mail::{Circumstances, LiveInput, MailHost, MailMurder};
use crate::model::HostState;
use crate::name::HostName;
use crate::state::{Desired, LiveService};
use crate::verify::{
    Attributes, ChangeJudge, ClassId, ClassResult, EntryPlace, MailChange, MailState, PlaceTwins,
    StateEffect, WorseMail, lacking,
};

/// The hosts of the model of mail, each as it is and as it will be.
#[derive(Debug)]
pub struct MailStates {
    /// The host that each of them is on.
    machines: Vec<HostName>,
    before: Vec<Arc<MailHost>>,
    after: Vec<Arc<MailHost>>,
    /// All of both, for what tables can tell apart at all.
    union: MailMurder,
    unseen: Vec<String>,
    outside: Vec<IpAddr>,
}

impl MailStates {
    /// By what was seen of the hosts. One that was not observed counts as the manifest wants it, before and after.
    #[must_use]
    pub fn new(loaded: &LoadedMurder, compiled: &CompiledMurder, seen: &WatchedHosts) -> Self {
        let seen = seen.all();
        let hosts = loaded.murder.hosts.values();
        let hosts = hosts.filter(|host| host.state != HostState::Retired);
        let all: Vec<_> = hosts.flat_map(|host| places(loaded, host)).collect();
        let (mut machines, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        let mut unseen = BTreeSet::new();
        for (place, wanted) in all.iter().zip(&compiled.mail.hosts) {
            let name = &place.host.name;
            machines.push(name.clone());
            let with = |seen: &WatchedHost, desired: &Desired| {
                let LiveService::Postfix(live) = seen.live.services.get(place.service)?;
                let input = crate::mail::HostInput {
                    live: Some(LiveInput {
                        main_cf: &live.main_cf,
                        master_cf: &live.master_cf,
                        environment: &live.environment,
                        files: seen.files(),
                    }),
                    facts: &seen.live.facts,
                    ..place.input(desired)
                };
                Some(Arc::new(MailHost::from_desired(&input)))
            };
            let states = seen.get(name).and_then(|seen| {
                let then = with(seen, &Desired::default())?;
                let now = with(seen, &seen.desired_after(place.service))?;
                Some((then, now))
            });
            let (then, now) = states.unwrap_or_else(|| {
                unseen.insert(name.to_string());
                (wanted.clone(), wanted.clone())
            });
            before.push(then);
            after.push(now);
        }
        let both = after.iter().chain(&before).cloned();
        Self {
            union: compiled.mail.with_hosts(both.collect()),
            machines,
            before,
            after,
            unseen: unseen.into_iter().collect(),
            outside: outside_clients(loaded),
        }
    }

    /// What tables can tell apart before or after: what to read of a directory.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        Attributes::of(&self.union)
    }

    /// The names of the model's hosts.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.before.iter().map(|host| host.name.clone()).collect()
    }

    /// The murder in which the hosts that are given have the change.
    fn murder(&self, is_changed: impl Fn(usize) -> bool) -> MailMurder {
        let hosts = self.before.iter().zip(&self.after).enumerate();
        let hosts = hosts.map(|(at, (before, after))| match is_changed(at) {
            true => after.clone(),
            false => before.clone(),
        });
        self.union.with_hosts(hosts.collect())
    }

    /// What the change means for the addresses of a directory; `waves` are the hosts with changes, in their order.
    #[must_use]
    pub fn change(
        &self,
        directory: &Directory,
        attributes: &Attributes,
        waves: &[Vec<HostName>],
    ) -> MailChange {
        let turns: BTreeMap<&HostName, usize> = (1..)
            .zip(waves)
            .flat_map(|(turn, hosts)| hosts.iter().map(move |host| (host, turn)))
            .collect();
        let turn = |at: usize| {
            self.machines
                .get(at)
                .and_then(|name| turns.get(name))
                .copied()
        };
        let twins = PlaceTwins::new(self.machines.len(), |at| {
            let of = |hosts: &[Arc<MailHost>]| hosts.get(at).map(|host| host.anonymous.clone());
            (of(&self.before), of(&self.after), turn(at))
        });
        let walks = Walks {
            states: self,
            sorted: SortedDirectory::new(&self.union, directory, attributes, &self.outside),
            twins: &twins,
            outside: self
                .outside
                .first()
                .copied()
                .unwrap_or(IpAddr::from([203, 0, 113, 1])),
        };
        let (first, before) = walks.all(|_| false);
        let (last, after) = walks.all(|at| turn(at).is_some());
        let judge = ChangeJudge {
            classes: walks.sorted.classes(),
            twins: &twins,
            before: &before,
        };
        let mut change = judge.change(&after, &self.names());
        let (places_before, places_after) = (walks.places(&first, None), walks.places(&last, None));
        change.vanished = lacking(&places_before, &places_after, &first);
        change.appeared = lacking(&places_after, &places_before, &last);
        change.unseen = self.unseen.clone();
        walks.on_the_way(&judge, &after, (waves.len(), &turn), &mut change);
        change
    }
}

/// Walks the addresses in states of the hosts.
struct Walks<'a> {
    states: &'a MailStates,
    sorted: SortedDirectory<'a>,
    twins: &'a PlaceTwins,
    outside: IpAddr,
}

/// The wave of a host; none if it has no changes.
type Turn<'a> = &'a dyn Fn(usize) -> Option<usize>;

impl Walks<'_> {
    fn places(&self, murder: &MailMurder, special: Option<usize>) -> Vec<EntryPlace> {
        self.twins.places(murder, self.outside, special)
    }

    /// The results of all classes in a state.
    fn all(&self, is_changed: impl Fn(usize) -> bool) -> (MailMurder, Vec<ClassResult>) {
        let murder = self.states.murder(is_changed);
        let places = self.places(&murder, None);
        let ids = self.sorted.ids();
        let now = Circumstances::default();
        let results = self.sorted.judge_in(&murder, &places, &now, &ids);
        (murder, results)
    }

    /// The results that one host's being other than in a known state can change.
    fn but_one(
        &self,
        is_changed: impl Fn(usize) -> bool,
        host: usize,
        known: &[&[ClassResult]],
    ) -> Vec<ClassResult> {
        let murder = self.states.murder(is_changed);
        let places = self.places(&murder, Some(host));
        let passes = |id: &ClassId| {
            let mut results = known.iter().filter_map(|all| all.get(id.0 as usize));
            results.any(|result| result.passes.contains(&host))
        };
        let (concerned, others): (Vec<_>, Vec<_>) = self.sorted.ids().into_iter().partition(passes);
        let own: Vec<_> = places
            .iter()
            .filter(|place| place.host == host)
            .copied()
            .collect();
        let now = Circumstances::default();
        let mut results = self.sorted.judge_in(&murder, &places, &now, &concerned);
        results.extend(self.sorted.judge_in(&murder, &own, &now, &others));
        results
    }

    /// Tries the states between before and after.
    fn on_the_way(
        &self,
        judge: &ChangeJudge<'_>,
        after: &[ClassResult],
        (waves, turn): (usize, Turn<'_>),
        change: &mut MailChange,
    ) {
        let known: Vec<Option<WorseMail>> = after.iter().map(|now| judge.worse(now)).collect();
        let mut add = |state, results: &[ClassResult]| {
            let worse = judge.worse_addresses(results, &known);
            if !worse.is_empty() {
                change.states.push(StateEffect { state, worse });
            }
        };
        let changed: Vec<usize> = (0..known_hosts(self))
            .filter(|at| turn(*at).is_some())
            .collect();
        let tried: Vec<usize> = changed
            .iter()
            .copied()
            .filter(|at| self.twins.is_first(*at))
            .collect();
        let mut counts = [0; 3];
        for wave in 1..=waves {
            let is_done = |at: usize| turn(at).is_some_and(|own| own <= wave);
            let own;
            let done = if wave == waves {
                after
            } else {
                own = self.all(is_done).1;
                counts[0] += 1;
                add(MailState::Waves(wave), &own);
                &own
            };
            // Without its only host, a wave is the state before it.
            if changed.iter().filter(|at| turn(**at) == Some(wave)).count() < 2 {
                continue;
            }
            for host in tried.iter().copied().filter(|at| turn(*at) == Some(wave)) {
                let known = [judge.before, done];
                let results = self.but_one(|at| is_done(at) && at != host, host, &known);
                counts[1] += 1;
                add(MailState::WavesWithout(wave, host), &results);
            }
        }
        if changed.len() > 1 {
            for host in tried.iter().copied() {
                let results = self.but_one(|at| at == host, host, &[judge.before, after]);
                counts[2] += 1;
                add(MailState::Alone(host), &results);
            }
        }
        change.tried = counts;
        change.alike = changed.len() - tried.len();
    }
}

fn known_hosts(walks: &Walks<'_>) -> usize {
    walks.states.machines.len()
}
