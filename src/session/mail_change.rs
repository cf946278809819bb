//! What a change of hosts means for mail: before, after, and in the states on the way.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::mail_states::{HostStates, MailStates};
use super::verify::address_classes;
use crate::directory::Directory;
use crate::every_core::on_every_core;
use crate::mail::MailMurder;
use crate::name::HostName;
use crate::plan::mail_change::{MailChange, MailState, StateEffect, WorseAddresses};
use crate::verify::{
    AddressClasses, Attributes, ChangeJudge, ClassId, EntryPlace, PlaceTwins, RouteWalker,
    StateRoutes, WalkedRoutes, WorstPlace,
};

/// How many classes one piece of work has.
const CLASSES: usize = 8;

/// The order of a change.
#[derive(Debug, Clone, Copy)]
pub struct Turns<'a> {
    /// The hosts with changes, wave by wave.
    pub waves: &'a [Vec<HostName>],
    /// Whether later waves begin although a host failed.
    pub goes_on: bool,
}

impl MailStates {
    /// What the change means for the addresses of a directory.
    #[must_use]
    pub fn change(
        &self,
        directory: &Directory,
        attributes: &Attributes,
        Turns { waves, goes_on }: Turns<'_>,
    ) -> MailChange {
        let twins = self.twins(waves);
        let classes = address_classes(&self.union, directory, attributes);
        let walks = self.walks(directory, &classes, &twins, waves);
        let before = walks.all(|_| false);
        let after = walks.all(|at| walks.turn(at).is_some());
        let judge = ChangeJudge::new(directory, &classes, &twins, &before);
        let worse = judge.all_worse(&after);
        let mut change = judge.change(&after, &worse, &self.names());
        change.waves = waves.len();
        change.unseen = self.unseen.clone();
        walks.on_the_way(&judge, (&after, &worse), goes_on, &mut change);
        change
    }

    /// The wave of each host; none if it has no changes.
    fn turns(&self, waves: &[Vec<HostName>]) -> Vec<Option<usize>> {
        let turns: BTreeMap<&HostName, usize> = (1..)
            .zip(waves)
            .flat_map(|(turn, hosts)| hosts.iter().map(move |host| (host, turn)))
            .collect();
        let hosts = self.hosts.iter();
        hosts
            .map(|host| turns.get(&host.machine).copied())
            .collect()
    }

    fn twins(&self, waves: &[Vec<HostName>]) -> PlaceTwins {
        let turns = self.turns(waves);
        PlaceTwins::new(self.hosts.len(), |at| {
            let host = self.hosts.get(at);
            let anonymous = host.map(HostStates::anonymous);
            (anonymous, host.map(|host| host.joins), turns.get(at))
        })
    }

    fn walks<'a>(
        &'a self,
        directory: &'a Directory,
        classes: &'a AddressClasses,
        twins: &'a PlaceTwins,
        waves: &[Vec<HostName>],
    ) -> Walks<'a> {
        let outside = self.outside.first().copied();
        Walks {
            states: self,
            walker: RouteWalker {
                directory,
                classes,
                twins,
                outside: outside.unwrap_or(IpAddr::from([203, 0, 113, 1])),
            },
            turns: self.turns(waves),
        }
    }
}

/// Walks the addresses in states of the hosts.
struct Walks<'a> {
    states: &'a MailStates,
    walker: RouteWalker<'a>,
    /// The wave of each host; none if it has no changes.
    turns: Vec<Option<usize>>,
}

/// The hosts of the model that are on one machine.
type Machine = Vec<usize>;

/// A state with all its routes, and what is worse in it than before for each class.
type KnownState<'a> = (&'a StateRoutes, &'a [Option<WorstPlace>]);

impl Walks<'_> {
    fn turn(&self, at: usize) -> Option<usize> {
        self.turns.get(at).copied().flatten()
    }

    fn state(&self, is_changed: impl Fn(usize) -> bool) -> StateRoutes {
        StateRoutes::new(self.states.murder(is_changed), self.walker.outside)
    }

    /// Walks routes, on every core.
    fn walk(
        &self,
        state: &StateRoutes,
        routes: &[(ClassId, Vec<EntryPlace>)],
    ) -> Vec<WalkedRoutes> {
        let pieces: Vec<_> = routes.chunks(CLASSES).collect();
        on_every_core(&pieces, |piece| self.walker.walk(state, piece))
    }

    /// A state with the routes of all classes.
    fn all(&self, is_changed: impl Fn(usize) -> bool) -> StateRoutes {
        let state = self.state(is_changed);
        let walked = self.walk(&state, &self.walker.all(&state));
        state.with_routes(None, walked, self.walker.classes.ids().count())
    }

    /// The same by the routes of a known state, in which `changed` are the hosts that are in another state.
    fn all_by(
        &self,
        known: &StateRoutes,
        is_changed: impl Fn(usize) -> bool,
        changed: &[usize],
    ) -> StateRoutes {
        let state = self.state(is_changed);
        let routes = self.walker.concerned(&state, known, changed);
        let walked = self.walk(&state, &routes);
        state.with_routes(Some(known), walked, known.classes.len())
    }

    /// These hosts of the model by the machines that they are on: the instances of one are changed together.
    fn machines(&self, hosts: &[usize]) -> Vec<Machine> {
        let mut machines: BTreeMap<&HostName, Machine> = BTreeMap::new();
        for at in hosts {
            if let Some(host) = self.states.hosts.get(*at) {
                machines.entry(&host.machine).or_default().push(*at);
            }
        }
        machines.into_values().collect()
    }

    /// What is worse than before if one machine is other than in a known state, and worse than `end` says.
    fn but_one(
        &self,
        judge: &ChangeJudge<'_>,
        (known, worse): KnownState<'_>,
        end: &[Option<WorstPlace>],
        (machine, is_changed): (&Machine, &dyn Fn(usize) -> bool),
    ) -> WorseAddresses {
        let state = self.state(is_changed);
        let routes = self.walker.concerned(&state, known, machine);
        let walked = [self.walker.walk(&state, &routes)];
        let differing = state.differing(known, &walked, state.has_other_places(known));
        let worse = judge.all_worse_by(&state, worse, &differing);
        judge.worse_addresses(&state, &worse, end)
    }

    /// Tries the states between before and after.
    fn on_the_way(
        &self,
        judge: &ChangeJudge<'_>,
        end: KnownState<'_>,
        goes_on: bool,
        change: &mut MailChange,
    ) {
        let hosts = 0..self.states.hosts.len();
        let changed: Vec<usize> = hosts.filter(|at| self.turn(*at).is_some()).collect();
        let machines = self.machines(&changed);
        let is_first = |at: &usize| self.walker.twins.is_first(*at);
        let tried = machines.iter().filter(|own| own.iter().any(is_first));
        let tried: Vec<Machine> = tried.cloned().collect();
        let mut found = self.by_waves(judge, end, (&machines, &tried), goes_on);
        if machines.len() > 1 {
            let none = vec![None; judge.before.classes.len()];
            let single = not_early(&tried, &changed, &judge.before.murder, &end.0.murder);
            let alone = on_every_core(&single, |machine| {
                let is_changed = |at: usize| machine.contains(&at);
                self.but_one(judge, (judge.before, &none), end.1, (machine, &is_changed))
            });
            let states = single
                .iter()
                .map(|machine| MailState::Alone(self.name(machine)));
            found.extend(states.zip(alone));
        }
        for (state, worse) in found {
            change.tried.push(state.clone());
            if !worse.is_empty() {
                change.states.push(StateEffect { state, worse });
            }
        }
        change.alike = machines.len() - tried.len();
    }

    fn name(&self, machine: &Machine) -> String {
        let hosts = machine.first().and_then(|at| self.states.hosts.get(*at));
        hosts.map_or_else(String::new, |host| host.machine.to_string())
    }

    /// What is worse after each wave but the last one, and after each wave without one of its hosts (or of an earlier one, if later
    /// waves begin although it failed), by the machines that have changes and those of them that are tried.
    fn by_waves(
        &self,
        judge: &ChangeJudge<'_>,
        (after, end): KnownState<'_>,
        (changed, tried): (&[Machine], &[Machine]),
        goes_on: bool,
    ) -> Vec<(MailState, WorseAddresses)> {
        let mut found = Vec::new();
        let waves = self.turns.iter().flatten().max().copied().unwrap_or(0);
        let mut last: Option<StateRoutes> = None;
        for after_wave in 1..=waves {
            let is_done = |at: usize| self.turn(at).is_some_and(|own| own <= after_wave);
            let turn = |machine: &Machine| machine.first().and_then(|at| self.turn(*at));
            let is_own = |machine: &Machine| turn(machine) == Some(after_wave);
            let own: Vec<&Machine> = changed.iter().filter(|one| is_own(one)).collect();
            let changed: Vec<usize> = own.iter().copied().flatten().copied().collect();
            let is_only = own.len() == 1;
            let own = (after_wave < waves).then(|| {
                let known = last.as_ref().unwrap_or(judge.before);
                let state = self.all_by(known, is_done, &changed);
                let worse = judge.all_worse(&state);
                (state, worse)
            });
            let done: KnownState<'_> = match &own {
                Some((state, worse)) => (state, worse),
                None => (after, end),
            };
            if own.is_some() {
                let worse = judge.worse_addresses(done.0, done.1, end);
                found.push((MailState::AfterWave(after_wave), worse));
            }
            // Without its only host, a wave is the state before it.
            let fails = |machine: &&Machine| match is_own(machine) {
                true => !is_only,
                false => goes_on && turn(machine).is_some_and(|own| own < after_wave),
            };
            let failing: Vec<&Machine> = tried.iter().filter(fails).collect();
            let without = on_every_core(&failing, |machine| {
                let is_changed = |at: usize| is_done(at) && !machine.contains(&at);
                self.but_one(judge, done, end, (machine, &is_changed))
            });
            let states = failing.iter().map(|machine| MailState::WithoutHost {
                after_wave,
                host: self.name(machine),
            });
            found.extend(states.zip(without));
            last = own.map(|(state, _)| state);
        }
        found
    }
}

/// The machines that may be changed alone: not one that goes while another one comes, as such an early removal is refused by itself.
fn not_early(
    tried: &[Machine],
    changed: &[usize],
    before: &MailMurder,
    after: &MailMurder,
) -> Vec<Machine> {
    let has = |of: &MailMurder, at: usize| of.taking_part().any(|(host, _)| host == at);
    let comes = changed
        .iter()
        .any(|at| has(after, *at) && !has(before, *at));
    let stays = |machine: &&Machine| !comes || machine.iter().any(|at| has(after, *at));
    tried.iter().filter(stays).cloned().collect()
}

#[cfg(test)]
mod tests;
