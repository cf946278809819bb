//! What a change of hosts means for mail: each class of addresses before and after it, and while some hosts have it.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{AddressClasses, ClassId};
use super::judge::PlaceOutcome;
use super::places::{EntryPlace, PlaceKind};
use super::state_routes::{ClassRoutes, Delivery, PlaceRoute, StateRoutes};
use super::twins::PlaceTwins;
use crate::directory::Directory;
use crate::mail::{Circumstances, EndAction};
use crate::plan::mail_change::{MailChange, MailMove, WorseAddresses, WorseMail};

/// How many hosts are named that deliver the same addresses.
const NAMED: usize = 4;

/// How many addresses of each kind are kept as examples.
const EXAMPLES: usize = 20;

/// Compares the routes of classes with those before the change.
#[derive(Debug)]
pub struct ChangeJudge<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// The classes.
    pub classes: &'a AddressClasses,
    /// The hosts that are alike.
    pub twins: &'a PlaceTwins,
    /// The state before the change.
    pub before: &'a StateRoutes,
    /// Whether mail from the Internet is delivered before the change, for each class.
    came_in: Vec<bool>,
}

/// What is worst for a class, and at which place; at none where no host takes mail from the Internet any more.
pub type WorstPlace = (WorseMail, Option<EntryPlace>);

impl<'a> ChangeJudge<'a> {
    /// A judge of changes of a state.
    #[must_use]
    pub fn new(
        directory: &'a Directory,
        classes: &'a AddressClasses,
        twins: &'a PlaceTwins,
        before: &'a StateRoutes,
    ) -> Self {
        let by_edge = before.has_door(true);
        let is_delivered = |route: &PlaceRoute| {
            before.is_door(&route.place, by_edge) && route.outcome.verdict == EndAction::Delivered
        };
        let came_in = before.classes.iter();
        Self {
            directory,
            classes,
            twins,
            before,
            came_in: came_in
                .map(|routes| routes.iter().any(is_delivered))
                .collect(),
        }
    }

    /// What is worse for each class in a state than before.
    #[must_use]
    pub fn all_worse(&self, state: &StateRoutes) -> Vec<Option<WorstPlace>> {
        let all = self.classes.ids().zip(&state.classes);
        all.map(|(class, routes)| self.worse(class, routes, state))
            .collect()
    }

    /// What is worse for each class in a state than before, by what is worse in another one and the classes that differ from it.
    #[must_use]
    pub fn all_worse_by(
        &self,
        state: &StateRoutes,
        other: &[Option<WorstPlace>],
        differing: &[(ClassId, ClassRoutes)],
    ) -> Vec<Option<WorstPlace>> {
        let mut all = other.to_vec();
        for (class, routes) in differing {
            if let Some(known) = all.get_mut(class.0 as usize) {
                *known = self.worse(*class, routes, state);
            }
        }
        all
    }

    fn worse(&self, class: ClassId, now: &ClassRoutes, state: &StateRoutes) -> Option<WorstPlace> {
        let then = self.before.classes.get(class.0 as usize)?;
        let at_places = now.iter().filter_map(|route| {
            let then = self.then(class, then, (&route.place, state))?;
            let worse = WorseMail::between(&then, &route.outcome)?;
            Some((worse, Some(route.place)))
        });
        let shut_out = self.shut_out(class, now, state);
        let shut_out = shut_out.map(|worse| (worse, None));
        at_places.chain(shut_out).max_by_key(|(kind, _)| *kind)
    }

    /// What became of the mail of a class at a place before the change: that of the host itself, or of a twin whose mailbox the
    /// address does not have either.
    fn then(
        &self,
        class: ClassId,
        then: &ClassRoutes,
        (place, state): (&EntryPlace, &StateRoutes),
    ) -> Option<PlaceOutcome> {
        if !self.before.has_place(place) {
            return Some(self.beside(class, then, (place, state)));
        }
        if let Some(same) = then.at(place.kind, place.host) {
            return Some(same.outcome);
        }
        let is_named = |host| self.is_named(class, host);
        let alike = |known: &&PlaceRoute| {
            known.place.kind == place.kind
                && self.twins.are_alike(known.place.host, place.host)
                && !is_named(known.place.host)
                && !is_named(place.host)
        };
        then.iter().find(alike).map(|known| known.outcome)
    }

    /// Whether entries of a class name a host.
    fn is_named(&self, class: ClassId, host: usize) -> bool {
        let named = self.classes.named(class);
        named.is_some_and(|named| named.contains(&host))
    }

    /// What became of mail where a new place is added to others, or replaces them: the best place of its kind of the hosts with the
    /// same job, else see [`elsewhere`]. A host that the address's entries name does more for it than one that they do not name.
    fn beside(
        &self,
        class: ClassId,
        then: &ClassRoutes,
        (new, state): (&EntryPlace, &StateRoutes),
    ) -> PlaceOutcome {
        let job = |of: &StateRoutes, host: usize| {
            let host = of.murder.hosts.get(host);
            host.map(|host| host.abilities)
        };
        let own = job(state, new.host);
        let is_backend = own.is_some_and(|own| own.holds_mailboxes);
        let is_new_named = self.is_named(class, new.host);
        let of_kind = || {
            then.iter().filter(|old| {
                let is_like_named = is_new_named || !self.is_named(class, old.place.host);
                old.place.kind == new.kind && is_like_named
            })
        };
        let alike = of_kind().filter(|old| {
            let is_alike = job(self.before, old.place.host) == own;
            is_alike && !(is_backend && new.kind == PlaceKind::Inside)
        });
        let others = of_kind().filter(|_| new.kind != PlaceKind::Inside);
        let best_of_others = || best(others).unwrap_or_else(|| elsewhere(then, new.kind));
        best(alike).unwrap_or_else(best_of_others)
    }

    fn came_in(&self, class: ClassId) -> bool {
        let known = self.came_in.get(class.0 as usize);
        known.copied().unwrap_or_default()
    }

    /// What becomes of mail from the Internet that was delivered, if no door is left that takes it. The world knows the internet MTAs,
    /// where there are some before. It tries again where a door refuses it for now, but no door takes mail for a former domain later.
    fn shut_out(
        &self,
        class: ClassId,
        now: &ClassRoutes,
        state: &StateRoutes,
    ) -> Option<WorseMail> {
        if !self.came_in(class) {
            return None;
        }
        let by_edge = self.before.has_door(true);
        let (_, address) = self.classes.example(class);
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        let is_former = domain.is_some_and(|domain| state.murder.is_former_domain(domain));
        let doors = now.iter();
        let mut doors = doors.filter(|route| state.is_door(&route.place, by_edge));
        let mut waits = false;
        let is_shut = doors.all(|route| {
            waits |= !(route.outcome.is_refused_for_good || is_former);
            route.outcome.verdict == EndAction::Refused
        });
        is_shut.then_some(match waits {
            true => WorseMail::Deferred,
            false => WorseMail::ShutOut,
        })
    }

    /// Whether mail from the Internet is delivered from a place where it was not, and is worse off at none. A door that only opens
    /// beside another one mends nothing.
    fn is_mended(&self, class: ClassId, now: &ClassRoutes, state: &StateRoutes) -> bool {
        let Some(then) = self.before.classes.get(class.0 as usize) else {
            return false;
        };
        let came_in = self.came_in(class);
        let comes = now.iter().any(|route| {
            let known = [EndAction::Delivered, EndAction::NotModelled];
            let was_lost = |then: PlaceOutcome| {
                !(known.contains(&then.verdict) || came_in && then.verdict == EndAction::Refused)
            };
            route.place.kind == PlaceKind::Outside
                && route.outcome.verdict == EndAction::Delivered
                && self
                    .then(class, then, (&route.place, state))
                    .is_some_and(was_lost)
        });
        comes && self.worse(class, now, state).is_none()
    }

    /// The addresses that are worse off in a state than before, by what is worse for each class, and worse than `known` says.
    #[must_use]
    pub fn worse_addresses(
        &self,
        state: &StateRoutes,
        worse: &[Option<WorstPlace>],
        known: &[Option<WorstPlace>],
    ) -> WorseAddresses {
        let mut found = WorseAddresses::new();
        for (class, worse) in self.classes.ids().zip(worse) {
            let known = known.get(class.0 as usize).copied().flatten();
            let known = known.map(|(kind, _)| kind);
            let Some((kind, place)) = worse.filter(|(kind, _)| Some(*kind) > known) else {
                continue;
            };
            let (addresses, example) = self.classes.example(class);
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
    fn by(&self, address: &str, place: &EntryPlace, state: &StateRoutes) -> String {
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
    pub fn change(
        &self,
        after: &StateRoutes,
        worse: &[Option<WorstPlace>],
        hosts: &[String],
    ) -> MailChange {
        let mut change = MailChange {
            addresses: self.classes.len(),
            worse: self.worse_addresses(after, worse, &[]),
            vanished: lacking(self.before, after),
            appeared: lacking(after, self.before),
            ..MailChange::default()
        };
        let names = |of: &Delivery| {
            let names = of.hosts.iter().filter_map(|at| hosts.get(*at).cloned());
            let names: Vec<String> = names.take(NAMED).collect();
            let names = match of.hosts.len().checked_sub(NAMED) {
                Some(1) => format!("{} and 1 more host", names.join(", ")),
                Some(more @ 2..) => format!("{} and {more} more hosts", names.join(", ")),
                _ => names.join(", "),
            };
            match of.leaves {
                true => format!("hosts outside of the murder (by {names})"),
                false => names,
            }
        };
        let mut moves: BTreeMap<(String, String), usize> = BTreeMap::new();
        let both = self.before.classes.iter().zip(&after.classes);
        for (class, (then, now)) in self.classes.ids().zip(both) {
            let (count, _) = self.classes.example(class);
            let [from, to] = [then, now].map(ClassRoutes::delivers);
            let both = !from.hosts.is_empty() && !to.hosts.is_empty();
            let is_mended = self.is_mended(class, now, after);
            match both && (&from.hosts, from.leaves) != (&to.hosts, to.leaves) {
                true => *moves.entry((names(&from), names(&to))).or_default() += count,
                false if is_mended => change.mended += count,
                false => {}
            }
            let is_worse = worse.get(class.0 as usize).is_some_and(Option::is_some);
            // Which mailbox a host outside of the murder gives it to is not known.
            let is_known = both && from.leaves == to.leaves;
            if is_known && !is_mended && !is_worse && from.mailboxes != to.mailboxes {
                change.redirected += count;
            }
            if [then, now].map(ClassRoutes::verdict) == [EndAction::NotModelled; 2] {
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

/// The best outcome of some routes; none if there are none.
fn best<'r>(routes: impl Iterator<Item = &'r PlaceRoute>) -> Option<PlaceOutcome> {
    let outcomes = routes.map(|route| route.outcome);
    outcomes.min_by_key(|outcome| (outcome.is_refused_for_good, outcome.verdict))
}

/// What becomes of mail at a place where it could not enter: as at the best place of its kind, else as if a host refused it, or worse
/// if it is lost wherever it is taken. Mail of other hosts comes to a backend only where they send it there, so no backend need take
/// what another one takes.
fn elsewhere(then: &ClassRoutes, kind: PlaceKind) -> PlaceOutcome {
    let of_kind = then.iter();
    let of_kind = of_kind.filter(|route| route.place.kind == kind && kind != PlaceKind::Inside);
    let taken = then.iter();
    let taken = taken.filter(|route| route.outcome.verdict != EndAction::Refused);
    let refused = || PlaceOutcome {
        verdict: best(taken).map_or(EndAction::Refused, |best| {
            best.verdict.max(EndAction::Refused)
        }),
        is_refused_for_good: true,
    };
    best(of_kind).unwrap_or_else(refused)
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
pub fn lacking(state: &StateRoutes, other: &StateRoutes) -> Vec<String> {
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
