//! What the route of a message depends on, so that it is walked again only where that differs.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::murder::MailMurder;
use super::nexthop::Destination;

/// Something that the route of a message depends on, beside the directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteNeed {
    /// The configuration of the host with this number.
    Host(usize),
    /// Which host has this name or address.
    Name(String),
    /// Which hosts are smart hosts.
    SmartHosts,
}

/// Takes notes of what a route depends on, each once.
#[derive(Debug, Default)]
pub struct RouteNotes(RefCell<Vec<RouteNeed>>);

impl RouteNotes {
    /// Notes a need.
    pub(super) fn add(&self, need: RouteNeed) {
        let mut needs = self.0.borrow_mut();
        if !needs.contains(&need) {
            needs.push(need);
        }
    }

    /// Sets the notes aside, to take those of a part of the route by themselves.
    pub(super) fn set_aside(&self) -> Vec<RouteNeed> {
        self.0.take()
    }

    /// Takes back what was set aside. Gives the notes since then.
    pub(super) fn take_back(&self, aside: Vec<RouteNeed>) -> Vec<RouteNeed> {
        let since = self.0.replace(aside);
        for need in &since {
            self.add(need.clone());
        }
        since
    }

    /// All notes, in no order.
    #[must_use]
    pub fn into_needs(self) -> Vec<RouteNeed> {
        self.0.into_inner()
    }
}

impl MailMurder {
    /// What routes may depend on that differs in another state of the same hosts, apart from the hosts' configurations.
    #[must_use]
    pub fn differing_names(&self, other: &Self) -> BTreeSet<RouteNeed> {
        let names = self.by_name.keys().chain(other.by_name.keys());
        let differing = names.filter(|name| self.host(name) != other.host(name));
        let mut needs: BTreeSet<RouteNeed> = differing.cloned().map(RouteNeed::Name).collect();
        if !self.smart_hosts().eq(other.smart_hosts()) {
            needs.insert(RouteNeed::SmartHosts);
        }
        needs
    }

    /// The host with a name or an address, with a note of it.
    pub(super) fn host_noting(&self, name: &str, notes: Option<&RouteNotes>) -> Option<usize> {
        if let Some(notes) = notes {
            notes.add(RouteNeed::Name(name.to_owned()));
        }
        self.host(name)
    }

    /// The destinations of a next hop, with a note of what they depend on.
    pub(super) fn destinations_noting(
        &self,
        nexthop: &str,
        is_lmtp: bool,
        notes: Option<&RouteNotes>,
    ) -> Vec<Destination> {
        if let Some(notes) = notes
            && let Some(name) = &self.shared_name
        {
            notes.add(RouteNeed::Name(name.clone()));
            notes.add(RouteNeed::SmartHosts);
        }
        self.destinations(nexthop, is_lmtp)
    }

    /// The names of the smart hosts to which names lead.
    pub(super) fn smart_hosts(&self) -> impl Iterator<Item = &str> {
        let hosts = self.hosts.iter().map(|host| (host, host.name.as_str()));
        let smart =
            hosts.filter(|(host, name)| host.abilities.is_smart_host && self.host(name).is_some());
        smart.map(|(_, name)| name)
    }
}
