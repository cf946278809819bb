//! Where a value belongs in a manifest: the widest layer that is right for every host that it holds for.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Sources, Span};
use crate::manifest::range;
use crate::model::{FileSpec, Host, HostState, Layer, Level, Murder, ServiceSpec};
use crate::name::{HostName, RoleName, SiteName};
use crate::service::Service;
use crate::thing::Thing;

/// A layer of a manifest, the widest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// `defaults`.
    Defaults,
    /// `modules.<role>`.
    Role(RoleName),
    /// A site.
    Site(SiteName),
    /// A range of hosts, as the manifest writes it.
    Range(String),
    /// One host.
    Host(HostName),
}

impl Place {
    /// The keys that lead to it.
    pub(super) fn path(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Defaults => ("defaults", None),
            Self::Role(role) => ("modules", Some(role.as_str())),
            Self::Site(site) => ("sites", Some(site.as_str())),
            Self::Range(range) => ("hosts", Some(range)),
            Self::Host(host) => ("hosts", Some(host.as_str())),
        }
    }

    /// Whether a level is of the same kind, such as a site, whichever one it is.
    pub(super) fn is_kind_of(&self, level: &Level) -> bool {
        rank(level) == self.rank()
    }

    /// How far it is from the host; 0 is the nearest.
    fn rank(&self) -> usize {
        match self {
            Self::Host(_) => 0,
            Self::Range(_) => 1,
            Self::Site(_) => 2,
            Self::Role(_) => 3,
            Self::Defaults => 4,
        }
    }
}

/// The same for the layer of a word.
fn rank(level: &Level) -> usize {
    match level {
        Level::Host => 0,
        Level::Range => 1,
        Level::Site(_) => 2,
        Level::Role(_) => 3,
        Level::Defaults => 4,
        Level::Module(_) | Level::Postfix => 5,
    }
}

/// A thing that is placed: of one instance alone, where its host says things of that instance alone or has several.
pub(super) type PlacedThing = (Option<Service>, Thing);

/// The layers of a manifest with the hosts that each holds for.
pub(super) struct Places<'m> {
    hosts: &'m BTreeMap<HostName, Host>,
    /// The range of each host, also of one that is written by itself too.
    ranges: BTreeMap<HostName, (String, Span)>,
    members: BTreeMap<Place, Vec<&'m Host>>,
}

impl<'m> Places<'m> {
    pub(super) fn of(murder: &'m Murder, sources: &Sources) -> Self {
        let mut ranges = BTreeMap::new();
        let mut known = BTreeSet::new();
        for host in murder.hosts.values() {
            let key = key(sources, host.at).filter(|key| range::is_range(key));
            let Some(key) = key.filter(|key| known.insert(*key)) else {
                continue;
            };
            for name in range::expand(key).unwrap_or_default() {
                ranges.insert(name, (key.to_owned(), host.at));
            }
        }
        let mut places = Self {
            hosts: &murder.hosts,
            ranges,
            members: BTreeMap::new(),
        };
        // What is desired of a retired host is nothing, whatever its layers say.
        let living = murder.hosts.values();
        for host in living.filter(|host| host.state != HostState::Retired) {
            for place in places.wide(host) {
                places.members.entry(place).or_default().push(host);
            }
        }
        places
    }

    /// The layers that a host shares with others, the widest first.
    fn wide(&self, host: &Host) -> Vec<Place> {
        let mut places = vec![Place::Defaults];
        places.extend(host.roles.iter().cloned().map(Place::Role));
        places.extend(host.site.clone().map(Place::Site));
        let range = self.ranges.get(&host.name);
        places.extend(range.map(|(key, _)| Place::Range(key.clone())));
        places
    }

    /// The layers that hold a value of a thing, for the hosts that have it live: the widest ones first, and the hosts that none
    /// is right for each by itself. Each layer comes with the hosts for whose sake it is there.
    pub(super) fn place(
        &self,
        thing: &PlacedThing,
        holders: &[HostName],
    ) -> Vec<(Place, Vec<HostName>)> {
        let mut left: Vec<&Host> = holders
            .iter()
            .filter_map(|name| self.hosts.get(name))
            .collect();
        let mut candidates: Vec<Place> = left.iter().flat_map(|host| self.wide(host)).collect();
        candidates.sort();
        candidates.dedup();
        let mut placed = Vec::new();
        for place in candidates {
            let served = self.served(&place, thing, &left);
            if !served.is_empty() {
                left.retain(|host| !served.contains(&host.name));
                placed.push((place, served));
            }
        }
        let alone = left.into_iter();
        placed.extend(alone.map(|host| (Place::Host(host.name.clone()), vec![host.name.clone()])));
        placed
    }

    /// The holders for whom a layer is the place: none, where it is wrong for a host, or holds for one host alone and does not say
    /// the thing now.
    fn served(&self, place: &Place, thing: &PlacedThing, holders: &[&Host]) -> Vec<HostName> {
        // What is said of one instance is said by hosts and ranges only.
        if thing.0.is_some() && !matches!(place, Place::Range(_)) {
            return Vec::new();
        }
        let members = self.members.get(place).map_or(&[][..], Vec::as_slice);
        let nearer = |host: &Host| {
            let mut levels = words(host, thing).into_iter();
            levels.any(|(level, _)| rank(level) < place.rank())
        };
        let is_role = matches!(place, Place::Role(_));
        let mut served = Vec::new();
        let mut says_it = false;
        for host in members {
            let said = words(host, thing);
            says_it |= said.iter().any(|(level, _)| place.is_kind_of(level));
            if leaves(host, thing, place.rank()) {
                return Vec::new();
            }
            // Two roles of one host must agree, so that a word of a role does not hide what the other one says.
            let is_alone = host.roles.len() == 1;
            let is_hidden =
                nearer(host) && (is_alone || said.iter().any(|(level, _)| rank(level) < 3));
            let has_it = holders.iter().any(|holder| holder.name == host.name);
            match (is_hidden, has_it) {
                (true, _) => {}
                (false, true) if is_alone || !is_role => served.push(host.name.clone()),
                _ => return Vec::new(),
            }
        }
        if served.len() < 2 && !says_it {
            return Vec::new();
        }
        served
    }

    /// Where the manifest has a layer now. None where it says nothing of things there.
    pub(super) fn written(&self, place: &Place) -> Option<Span> {
        match place {
            Place::Host(name) => self.hosts.get(name).map(|host| host.at),
            Place::Range(key) => {
                let mut ranges = self.ranges.values();
                ranges.find(|(known, _)| known == key).map(|(_, at)| *at)
            }
            _ => {
                let is_here = |level: &Level| match (level, place) {
                    (Level::Defaults, Place::Defaults) => true,
                    (Level::Role(one), Place::Role(other)) => one == other,
                    (Level::Site(one), Place::Site(other)) => one == other,
                    _ => false,
                };
                let members = self.members.get(place)?.iter();
                let spans = members.flat_map(|host| all_words(host));
                spans
                    .filter(|(level, _)| is_here(level))
                    .map(|(_, at)| at)
                    .min_by_key(|at| at.start)
            }
        }
    }

    /// The word that counts for a host now, and where it is. None where only a module or Postfix says the thing.
    pub(super) fn said(&self, host: &HostName, thing: &PlacedThing) -> Option<(&'m Level, Span)> {
        let host = self.hosts.get(host)?;
        let own = words(host, thing).into_iter().next();
        own.or_else(|| words(host, &(None, thing.1.clone())).into_iter().next())
    }
}

/// The key that a span covers.
fn key(sources: &Sources, at: Span) -> Option<&str> {
    let text = &sources.get(at.source)?.text;
    let key = text.get(at.start as usize..at.end as usize)?;
    Some(key.trim_matches(['"', '\'']))
}

fn places_of<T>(layers: Option<&Vec<Layer<T>>>) -> impl Iterator<Item = (&Level, Span)> {
    let layers = layers.into_iter().flatten();
    layers.map(|layer| (&layer.level, layer.at))
}

/// The words of a host's layers that would hide a word of a wider layer about a thing, the nearest first.
fn words<'h>(host: &'h Host, (service, thing): &PlacedThing) -> Vec<(&'h Level, Span)> {
    let own = |service: &Service| host.instances.get(service);
    let (settings, services) = match service.as_ref() {
        None => (Some(&host.settings), Some(&host.services)),
        Some(service) => (
            own(service).map(|own| &own.settings),
            own(service).map(|own| &own.services),
        ),
    };
    let entry = |name| services.and_then(|services| services.get(name)).into_iter();
    let part = |name, is_said: &dyn Fn(&ServiceSpec) -> bool| {
        entry(name)
            .flatten()
            .filter(|layer| is_said(&layer.value))
            .map(|layer| (&layer.level, layer.at))
            .collect::<Vec<_>>()
    };
    match thing {
        Thing::File(path) => places_of(host.files.get(path)).collect(),
        Thing::Parameter(name) => {
            places_of(settings.and_then(|settings| settings.get(name))).collect()
        }
        Thing::Service(name) => part(name, &|_| true),
        Thing::Field(name, field) => part(name, &|spec| match spec {
            ServiceSpec::Absent => true,
            ServiceSpec::Entry { fields, .. } => fields.contains_key(field),
        }),
        Thing::Option(name, option) => part(name, &|spec| match spec {
            ServiceSpec::Absent => true,
            ServiceSpec::Entry { options, .. } => options.contains_key(option),
        }),
    }
}

/// All words of a host's layers, with their places.
fn all_words(host: &Host) -> Vec<(&Level, Span)> {
    let mut found: Vec<(&Level, Span)> = Vec::new();
    let files: fn(&Layer<FileSpec>) -> (&Level, Span) = |layer| (&layer.level, layer.at);
    found.extend(host.files.values().flatten().map(files));
    found.extend(host.settings.values().flat_map(|own| places_of(Some(own))));
    found.extend(host.services.values().flat_map(|own| places_of(Some(own))));
    found
}

/// Whether a layer of that rank, or a nearer one, leaves a thing alone.
fn leaves(host: &Host, (service, thing): &PlacedThing, most: usize) -> bool {
    let own = service.as_ref().and_then(|own| host.instances.get(own));
    let left = host
        .leave
        .iter()
        .chain(own.into_iter().flat_map(|own| &own.leave));
    let whole = match thing {
        Thing::Field(name, _) | Thing::Option(name, _) => Some(name.to_string()),
        _ => None,
    };
    let shown = thing.to_string();
    let bare = shown.split_once(".cf:").map(|(_, bare)| bare);
    left.filter(|layer| rank(&layer.level) <= most)
        .any(|layer| {
            let text = layer.value.as_str();
            text == shown || Some(text) == bare || whole.as_deref() == Some(text)
        })
}
