//! What a change of hosts means for mail: before, after, and in the states on the way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::mail_states::MailStates;
use super::verify::SortedDirectory;
use crate::directory::Directory;
use crate::mail::Circumstances;
use crate::name::HostName;
use crate::plan::mail_change::{MailChange, MailState, StateEffect, WorseMail};
use crate::verify::{Attributes, ChangeJudge, ClassId, ClassResult, PlaceTwins, StateResults};

impl MailStates {
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
            let host = self.hosts.get(at)?;
            turns.get(&host.machine).copied()
        };
        let twins = PlaceTwins::new(self.hosts.len(), |at| {
            let anonymous = self.hosts.get(at).map(|host| host.anonymous());
            (anonymous, turn(at))
        });
        let outside = self.outside.first().copied();
        let walks = Walks {
            states: self,
            sorted: SortedDirectory::new(&self.union, directory, attributes, &self.outside),
            twins: &twins,
            outside: outside.unwrap_or(IpAddr::from([203, 0, 113, 1])),
        };
        let before = walks.all(|_| false);
        let after = walks.all(|at| turn(at).is_some());
        let judge = ChangeJudge {
            directory,
            classes: walks.sorted.classes(),
            twins: &twins,
            before: &before,
        };
        let mut change = judge.change(&after, &self.names());
        change.waves = waves.len();
        change.unseen = self.unseen.clone();
        walks.on_the_way(&judge, &after, &turn, &mut change);
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
    /// The results of all classes in a state.
    fn all(&self, is_changed: impl Fn(usize) -> bool) -> StateResults {
        let murder = self.states.murder(is_changed);
        let places = self.twins.places(&murder, self.outside, None);
        let ids = self.sorted.ids();
        let now = Circumstances::default();
        let results = self.sorted.judge_in(&murder, &places, &now, &ids);
        StateResults {
            murder,
            places,
            results,
        }
    }

    /// The results that one host's being other than in a known state can change.
    fn but_one(
        &self,
        is_changed: impl Fn(usize) -> bool,
        host: usize,
        known: &[&[ClassResult]],
    ) -> StateResults {
        let murder = self.states.murder(is_changed);
        let places = self.twins.places(&murder, self.outside, Some(host));
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
        StateResults {
            murder,
            places,
            results,
        }
    }

    /// Tries the states between before and after.
    fn on_the_way(
        &self,
        judge: &ChangeJudge<'_>,
        after: &StateResults,
        turn: Turn<'_>,
        change: &mut MailChange,
    ) {
        let known: Vec<Option<WorseMail>> = judge.all_worse(after);
        let waves = change.waves;
        let mut add = |state: MailState, found: &StateResults| {
            let worse = judge.worse_addresses(found, &known);
            change.tried.push(state.clone());
            if !worse.is_empty() {
                change.states.push(StateEffect { state, worse });
            }
        };
        let hosts = 0..self.states.hosts.len();
        let changed: Vec<usize> = hosts.filter(|at| turn(*at).is_some()).collect();
        let tried = changed.iter().filter(|at| self.twins.is_first(**at));
        let tried: Vec<usize> = tried.copied().collect();
        let names = self.states.names();
        let name = |host: usize| names.get(host).cloned().unwrap_or_default();
        for wave in 1..=waves {
            let is_done = |at: usize| turn(at).is_some_and(|own| own <= wave);
            let own;
            let done = if wave == waves {
                after
            } else {
                own = self.all(is_done);
                add(MailState::AfterWave(wave), &own);
                &own
            };
            // Without its only host, a wave is the state before it.
            if changed.iter().filter(|at| turn(**at) == Some(wave)).count() < 2 {
                continue;
            }
            for host in tried.iter().copied().filter(|at| turn(*at) == Some(wave)) {
                let known: [&[ClassResult]; 2] = [&judge.before.results, &done.results];
                let found = self.but_one(|at| is_done(at) && at != host, host, &known);
                let state = MailState::WithoutHost {
                    after_wave: wave,
                    host: name(host),
                };
                add(state, &found);
            }
        }
        if changed.len() > 1 {
            for host in tried.iter().copied() {
                let known: [&[ClassResult]; 2] = [&judge.before.results, &after.results];
                let found = self.but_one(|at| at == host, host, &known);
                add(MailState::Alone(name(host)), &found);
            }
        }
        change.alike = changed.len() - tried.len();
    }
}
