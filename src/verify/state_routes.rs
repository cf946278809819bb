//! The routes of all classes of addresses in a state of the hosts, and those that differ in a neighbouring state.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use super::classes::{AddressClasses, ClassId};
use super::judge::PlaceOutcome;
use super::places::{EntryPlace, PlaceKind, places};
use super::twins::PlaceTwins;
use crate::directory::Directory;
use crate::mail::{
    Agents, Circumstances, EndAction, MailMurder, MailTrace, RouteEnd, RouteMemory, RouteNeed,
    RouteNotes,
};

/// From where mail comes, and the host where it enters: what tells a place from the others of a state.
type PlaceKey = (PlaceKind, usize);

/// The route of a class from one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlaceRoute {
    pub(super) place: EntryPlace,
    pub(super) outcome: PlaceOutcome,
    /// The hosts that deliver it. Only routes of the kind of the first place have them, which is mail from the Internet if it
    /// can enter; others have none.
    delivers: BTreeSet<usize>,
    /// Those of them that give it to a mailbox over LMTP.
    gives_to_mailbox: BTreeSet<usize>,
    /// The recipients that it has in the end, where it is delivered, in lower case: a digest of each.
    mailboxes: BTreeSet<u64>,
    /// Whether hosts outside of the murder take all of it.
    leaves: bool,
}

/// The routes of a class, by their places.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassRoutes(BTreeMap<PlaceKey, PlaceRoute>);

/// Routes that were walked, with what they depend on.
#[derive(Debug)]
pub struct WalkedRoutes(Vec<(ClassId, PlaceRoute, Vec<RouteNeed>)>);

/// A state of the hosts, and what becomes of mail in it.
#[derive(Debug)]
pub struct StateRoutes {
    /// The hosts.
    pub murder: MailMurder,
    /// Where mail enters.
    pub places: Vec<EntryPlace>,
    /// The routes of all classes, in their order.
    pub classes: Vec<ClassRoutes>,
    /// The routes that depend on something. A route may be among those of what it depended on before.
    users: HashMap<RouteNeed, Vec<(ClassId, PlaceKey)>>,
}

/// Routes to walk: of some classes, each from some places.
pub type RoutesToWalk = Vec<(ClassId, Vec<EntryPlace>)>;

/// Walks classes of addresses in states of the same hosts.
#[derive(Debug)]
pub struct RouteWalker<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// The classes.
    pub classes: &'a AddressClasses,
    /// The hosts that are alike.
    pub twins: &'a PlaceTwins,
    /// The address of a client in no network of the manifest.
    pub outside: IpAddr,
}

impl ClassRoutes {
    /// The routes, those of mail from outside first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &PlaceRoute> {
        self.0.values()
    }

    pub(super) fn at(&self, kind: PlaceKind, host: usize) -> Option<&PlaceRoute> {
        self.0.get(&(kind, host))
    }

    /// What becomes of the mail where most mail enters.
    pub(super) fn verdict(&self) -> EndAction {
        let first = self.iter().next();
        first.map_or(EndAction::NotModelled, |route| route.outcome.verdict)
    }

    /// The hosts that give mail from the Internet to a mailbox; if there are none, those that deliver it where most mail enters.
    pub(super) fn delivers(&self) -> Delivery {
        let outside = self
            .iter()
            .filter(|route| route.place.kind == PlaceKind::Outside);
        let given = outside.filter(|route| !route.gives_to_mailbox.is_empty());
        let mut all = Delivery::default();
        for route in given {
            all.hosts.extend(&route.gives_to_mailbox);
            all.mailboxes.extend(&route.mailboxes);
        }
        match (all.hosts.is_empty(), self.iter().next()) {
            (true, Some(first)) => Delivery {
                hosts: first.delivers.clone(),
                leaves: first.leaves,
                mailboxes: first.mailboxes.clone(),
            },
            _ => all,
        }
    }
}

/// Where mail is delivered.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Delivery {
    /// The hosts that deliver it.
    pub(super) hosts: BTreeSet<usize>,
    /// Whether they give it to hosts outside of the murder.
    pub(super) leaves: bool,
    /// A digest of each recipient that it has in the end.
    pub(super) mailboxes: BTreeSet<u64>,
}

impl StateRoutes {
    /// A state without routes.
    #[must_use]
    pub fn new(murder: MailMurder, outside: IpAddr) -> Self {
        let mut places = places(&murder, outside);
        for place in &mut places {
            // The twins of this state may be none in others.
            place.twin = place.host;
        }
        places.sort_by_key(key_of);
        Self {
            murder,
            places,
            classes: Vec::new(),
            users: HashMap::new(),
        }
    }

    /// Takes over the routes of another state, as far as mail can enter where they begin, and then those that were walked in this one.
    #[must_use]
    pub fn with_routes(
        mut self,
        other: Option<&Self>,
        walked: Vec<WalkedRoutes>,
        classes: usize,
    ) -> Self {
        if let Some(other) = other {
            self.users.clone_from(&other.users);
            let all = (0..).zip(&other.classes);
            self.classes = all
                .map(|(class, _)| self.patched(ClassId(class), other, &[]))
                .collect();
        }
        self.classes.resize_with(classes, ClassRoutes::default);
        for (class, route, needs) in walked.into_iter().flat_map(|walked| walked.0) {
            let key = key_of(&route.place);
            for need in needs {
                self.users.entry(need).or_default().push((class, key));
            }
            if let Some(routes) = self.classes.get_mut(class.0 as usize) {
                routes.0.insert(key, route);
            }
        }
        self
    }

    /// The routes of a class in this state: those of another state, with those that were walked in this one.
    fn patched(&self, class: ClassId, other: &Self, walked: &[&PlaceRoute]) -> ClassRoutes {
        let known = other.classes.get(class.0 as usize).into_iter();
        let known = known.flat_map(|routes| &routes.0);
        let kept = known.filter(|(key, _)| self.place(**key).is_some());
        let mut routes: BTreeMap<PlaceKey, PlaceRoute> =
            kept.map(|(key, route)| (*key, route.clone())).collect();
        routes.extend(
            walked
                .iter()
                .map(|route| (key_of(&route.place), (*route).clone())),
        );
        ClassRoutes(routes)
    }

    /// The classes with other outcomes than in another state, by the routes that were walked in this one. With `all` every class.
    #[must_use]
    pub fn differing(
        &self,
        other: &Self,
        walked: &[WalkedRoutes],
        all: bool,
    ) -> Vec<(ClassId, ClassRoutes)> {
        let mut differing: BTreeMap<ClassId, Vec<&PlaceRoute>> = BTreeMap::new();
        if all {
            let ids = (0..).map(ClassId).take(other.classes.len());
            differing.extend(ids.map(|id| (id, Vec::new())));
        }
        for (class, route, _) in walked.iter().flat_map(|walked| &walked.0) {
            let known = other.classes.get(class.0 as usize);
            let known = known.and_then(|routes| routes.0.get(&key_of(&route.place)));
            if known.is_none_or(|known| known.outcome != route.outcome) {
                differing.entry(*class).or_default().push(route);
            }
        }
        let differing = differing.into_iter();
        differing
            .map(|(class, walked)| (class, self.patched(class, other, &walked)))
            .collect()
    }

    fn place(&self, key: PlaceKey) -> Option<&EntryPlace> {
        let found = self.places.binary_search_by_key(&key, key_of).ok()?;
        self.places.get(found)
    }

    /// Whether mail can enter at a place.
    pub(super) fn has_place(&self, place: &EntryPlace) -> bool {
        self.place(key_of(place)).is_some()
    }

    /// Whether a place is a door to the Internet: of an internet MTA, if `by_edge` says that it must be one.
    pub(super) fn is_door(&self, place: &EntryPlace, by_edge: bool) -> bool {
        place.is_door(&self.murder, by_edge)
    }

    /// Whether there is such a door.
    pub(super) fn has_door(&self, by_edge: bool) -> bool {
        // Those of mail from outside are the first places.
        let places = self.places.iter();
        let mut outside = places.take_while(|place| place.kind == PlaceKind::Outside);
        outside.any(|place| self.is_door(place, by_edge))
    }

    /// Whether mail can enter at other places than in another state, or from the Internet by another kind of host.
    #[must_use]
    pub fn has_other_places(&self, other: &Self) -> bool {
        let of = |state: &Self, place: &EntryPlace| (key_of(place), state.is_door(place, true));
        let own = self.places.iter().map(|place| of(self, place));
        !own.eq(other.places.iter().map(|place| of(other, place)))
    }
}

impl RouteWalker<'_> {
    /// All routes of all classes in a state.
    #[must_use]
    pub fn all(&self, state: &StateRoutes) -> RoutesToWalk {
        let keys: Vec<PlaceKey> = state.places.iter().map(key_of).collect();
        let all = self
            .classes
            .ids()
            .map(|class| (class, self.tried(class, &keys, state)));
        all.collect()
    }

    /// The places among some at which mail of a class is tried.
    fn tried(&self, class: ClassId, keys: &[PlaceKey], state: &StateRoutes) -> Vec<EntryPlace> {
        let hosts = self.twins.tried(self.classes.named(class));
        let keys = keys.iter().filter(|(_, host)| hosts.contains(host));
        keys.filter_map(|key| state.place(*key).copied()).collect()
    }

    /// The routes that may differ from those of a known state, in which `changed` are the hosts that are in another state.
    #[must_use]
    pub fn concerned(
        &self,
        state: &StateRoutes,
        known: &StateRoutes,
        changed: &[usize],
    ) -> RoutesToWalk {
        let first = |of: &StateRoutes| of.places.first().map(|place| place.kind);
        if first(state) != first(known) {
            // Routes of another kind say now which hosts deliver.
            return self.all(state);
        }
        let mut needs = state.murder.differing_names(&known.murder);
        needs.extend(changed.iter().copied().map(RouteNeed::Host));
        let mut concerned: BTreeMap<ClassId, BTreeSet<PlaceKey>> = BTreeMap::new();
        for (class, key) in needs
            .iter()
            .filter_map(|need| known.users.get(need))
            .flatten()
        {
            concerned.entry(*class).or_default().insert(*key);
        }
        let places = state.places.iter();
        let is_other = |place: &&EntryPlace| {
            let known = known.place(key_of(place));
            known.is_none_or(|known| known.entry != place.entry)
        };
        let others: Vec<PlaceKey> = places.filter(is_other).map(key_of).collect();
        if !others.is_empty() {
            for class in self.classes.ids() {
                let tried = self.tried(class, &others, state);
                let own = concerned.entry(class).or_default();
                own.extend(tried.iter().map(key_of));
            }
        }
        let places_of = |keys: BTreeSet<PlaceKey>| {
            let places = keys.into_iter().filter_map(|key| state.place(key).copied());
            places.collect::<Vec<EntryPlace>>()
        };
        concerned
            .into_iter()
            .map(|(class, keys)| (class, places_of(keys)))
            .collect()
    }

    /// Walks some routes in a state.
    #[must_use]
    pub fn walk(&self, state: &StateRoutes, routes: &[(ClassId, Vec<EntryPlace>)]) -> WalkedRoutes {
        let mut memory = RouteMemory::default();
        let mut walked = Vec::new();
        let labels = (0..).zip(&state.murder.hosts);
        let labels: HashMap<&str, usize> =
            labels.map(|(at, host)| (host.name.as_str(), at)).collect();
        for (class, places) in routes {
            let (_, address) = self.classes.example(*class);
            for place in places {
                let notes = RouteNotes::default();
                // Whether SMTPUTF8 is needed is not in the memory.
                let memory = address.is_ascii().then_some(&mut memory);
                let asked = (self.directory, &Circumstances::default());
                let (murder, entry) = (&state.murder, place.entry);
                let trace = murder.trace_noting(address, entry, asked, memory, Some(&notes));
                let route = route(state, *place, &trace, &labels);
                walked.push((*class, route, notes.into_needs()));
            }
        }
        WalkedRoutes(walked)
    }
}

fn key_of(place: &EntryPlace) -> PlaceKey {
    (place.kind, place.host)
}

/// A digest of the recipient at the end of a route.
fn mailbox(end: &RouteEnd) -> u64 {
    let mut digest = DefaultHasher::new();
    end.recipient.to_lowercase().hash(&mut digest);
    digest.finish()
}

/// What a trace says of its place.
fn route(
    state: &StateRoutes,
    place: EntryPlace,
    trace: &MailTrace,
    labels: &HashMap<&str, usize>,
) -> PlaceRoute {
    // A class is tried at the first place, or else at one of its kind.
    let first = state.places.first();
    let is_told = first.is_some_and(|first| first.kind == place.kind);
    let delivered = trace.ends.iter();
    let delivered = delivered.filter(|end| is_told && end.action == EndAction::Delivered);
    let host = |end: &RouteEnd| labels.get(end.host.as_str()).copied();
    let by = |end: &RouteEnd, is: &dyn Fn(&Agents, &str) -> bool| {
        let transport = end.via.split(':').next().unwrap_or_default();
        let host = host(end).and_then(|at| state.murder.hosts.get(at));
        host.is_some_and(|host| is(&host.agents, transport))
    };
    let is_lmtp = |end: &RouteEnd| by(end, &Agents::is_lmtp);
    let leaves = |end: &RouteEnd| by(end, &Agents::is_smtp);
    PlaceRoute {
        place,
        outcome: PlaceOutcome::of(trace),
        gives_to_mailbox: delivered
            .clone()
            .filter(|end| is_lmtp(end))
            .filter_map(host)
            .collect(),
        mailboxes: delivered.clone().map(mailbox).collect(),
        leaves: delivered.clone().all(leaves),
        delivers: delivered.filter_map(host).collect(),
    }
}
