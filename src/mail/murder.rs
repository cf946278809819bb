//! All hosts of a murder, found by the names and addresses under which mail is sent to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::host::MailHost;
use super::input::HostInput;
use super::nexthop::{Destination, destinations};

/// What others find of a host that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Nothing answers, because it is not set up yet: mail for it waits.
    NoAnswer,
    /// No name either, because it is gone: mail for it bounces.
    NoName,
}

/// The hosts that take no part in a murder, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostsOut {
    /// Those that are not there: no mail enters at them, and their names lead nowhere.
    pub absent: BTreeMap<usize, Absence>,
    /// Those that have no job yet: no mail enters at them. Mail that others send there gets the answer of their configuration.
    pub idle: BTreeSet<usize>,
}

/// How many of a host's names others use to reach it: the last one is what it calls itself.
const REACHED_BY: usize = 2;

/// All hosts of a murder, for routes of mail.
#[derive(Debug)]
pub struct MailMurder {
    /// The hosts.
    pub hosts: Vec<Arc<MailHost>>,
    out: HostsOut,
    pub(super) by_name: HashMap<String, usize>,
    /// The names of hosts that are not ours and that the manifest knows.
    external: HashSet<String>,
    /// The names and addresses of hosts that are not there, where no other host has them.
    absent: HashMap<String, Absence>,
    /// The names of hosts that are gone and of which nothing else is known.
    gone: HashSet<String>,
    /// The mail domains, also those of `former_domains`.
    domains: HashSet<String>,
    /// The mail domains that the manifest has no longer.
    former_domains: HashSet<String>,
    /// A name that stands for all smart hosts, in lower case.
    pub(super) shared_name: Option<String>,
}

impl MailMurder {
    /// The murder of these hosts. `external` names hosts that are not ours, `domains` the mail domains.
    #[must_use]
    pub fn new<'a>(
        inputs: &[HostInput<'_>],
        external: impl IntoIterator<Item = &'a str>,
        domains: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let hosts = inputs.iter().map(MailHost::from_desired).map(Arc::new);
        let own = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_lowercase).collect();
        Self::of_hosts(
            hosts.collect(),
            HostsOut::default(),
            own(&mut external.into_iter()),
            own(&mut domains.into_iter()),
        )
    }

    /// The same murder with other hosts, of which some take no part.
    #[must_use]
    pub fn with_hosts(&self, hosts: Vec<Arc<MailHost>>, out: HostsOut) -> Self {
        Self {
            shared_name: self.shared_name.clone(),
            gone: self.gone.clone(),
            former_domains: self.former_domains.clone(),
            ..Self::of_hosts(hosts, out, self.external.clone(), self.domains.clone())
        }
    }

    /// The same murder, in which a name that is no host stands for all its smart hosts: an address before them, or a name with
    /// the addresses of all.
    #[must_use]
    pub fn with_shared_name(mut self, name: Option<&str>) -> Self {
        self.shared_name = name.map(str::to_lowercase);
        self
    }

    /// The destinations of a next hop, with all smart hosts in place of a name that stands for them: smtp(8) tries the next one
    /// where one does not answer, and what is before them does the same.
    pub(super) fn destinations(&self, nexthop: &str, is_lmtp: bool) -> Vec<Destination> {
        let all = destinations(nexthop, is_lmtp).into_iter();
        let of_each = all.flat_map(|destination| match &destination {
            Destination::Host(name, port) | Destination::Domain(name, port)
                if self.shared_name.as_ref() == Some(name) && self.is_no_host(name) =>
            {
                let names = self.smart_hosts();
                let names = names.map(|name| Destination::Host(name.to_owned(), port.clone()));
                let names: Vec<Destination> = names.collect();
                match names.is_empty() {
                    true => vec![destination],
                    false => names,
                }
            }
            _ => vec![destination],
        });
        of_each.collect()
    }

    /// The same murder, which also knows these hosts that are not ours.
    #[must_use]
    pub fn with_external<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().map(str::to_lowercase);
        self.external.extend(names);
        self
    }

    /// The same murder, which also knows that these hosts are gone.
    #[must_use]
    pub fn with_gone<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.gone.extend(names.into_iter().map(str::to_lowercase));
        self
    }

    /// The same murder, which also has the domains that these hosts have in an address class: mail domains that the manifest has no
    /// longer. The names of hosts are none.
    #[must_use]
    pub fn with_domains_of<'h>(mut self, hosts: impl IntoIterator<Item = &'h MailHost>) -> Self {
        let domains = hosts.into_iter().flat_map(|host| {
            let own = &host.names;
            let domains = host.resolver.domains();
            domains.filter(|domain| !own.iter().any(|name| name == domain))
        });
        let is_former = |domain: &&str| {
            !(self.domains.contains(*domain)
                || self.by_name.contains_key(*domain)
                || domain.split('.').next() == Some("localhost"))
        };
        let former: HashSet<String> = domains.filter(is_former).map(str::to_owned).collect();
        self.domains.extend(former.iter().cloned());
        self.former_domains.extend(former);
        self
    }

    /// The same murder, which also knows the external hosts and the mail domains of another one.
    #[must_use]
    pub fn with_names_of(&self, other: &Self) -> Self {
        let both = |own: &HashSet<String>, others: &HashSet<String>| own | others;
        let all = Self::of_hosts(
            self.hosts.clone(),
            self.out.clone(),
            both(&self.external, &other.external),
            both(&self.domains, &other.domains),
        );
        let shared_name = self.shared_name.clone();
        let former = other.domains.difference(&self.domains);
        Self {
            former_domains: former.cloned().collect(),
            ..all.with_shared_name(shared_name.or(other.shared_name.clone()).as_deref())
        }
    }

    fn of_hosts(
        hosts: Vec<Arc<MailHost>>,
        out: HostsOut,
        external: HashSet<String>,
        domains: HashSet<String>,
    ) -> Self {
        let mut by_name = HashMap::new();
        let is_there = |(at, _): &(usize, &Arc<MailHost>)| !out.absent.contains_key(at);
        let present = || hosts.iter().enumerate().filter(is_there);
        // A host's own name counts more than what another one calls itself.
        for pick in [0, 2, 1] {
            for (at, host) in present() {
                if let Some(name) = host.names.get(pick) {
                    by_name.entry(name.clone()).or_insert(at);
                }
            }
        }
        let listens = |host: &MailHost| host.listens.clone().unwrap_or_default();
        for (at, host) in present() {
            by_name.entry(host.name.clone()).or_insert(at);
            for address in listens(host).iter().filter(|one| !one.is_loopback()) {
                by_name.entry(address.to_string()).or_insert(at);
            }
        }
        for (at, host) in present() {
            for network in &host.addresses {
                by_name.entry(network.host().to_string()).or_insert(at);
            }
        }
        let mut absent = HashMap::new();
        for (at, why) in &out.absent {
            let Some(host) = hosts.get(*at) else { continue };
            let names = host.names.iter().take(REACHED_BY).chain([&host.name]);
            absent.extend(names.map(|name| (name.clone(), *why)));
            // An address needs no DNS.
            let addresses = host.addresses.iter();
            let addresses = addresses.map(|network| network.host().to_string());
            absent.extend(addresses.map(|address| (address, Absence::NoAnswer)));
        }
        absent.retain(|name, _| !by_name.contains_key(name));
        Self {
            hosts,
            out,
            by_name,
            absent,
            gone: HashSet::new(),
            external,
            domains,
            former_domains: HashSet::new(),
            shared_name: None,
        }
    }

    /// Whether a name is that of no host of the murder, also of none that is not there.
    fn is_no_host(&self, name: &str) -> bool {
        self.host(name).is_none() && self.absence(name).is_none()
    }

    /// The host with a name or an address; none if it is not a host of the murder.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The names and addresses of the hosts, in no order.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The hosts by their names.
    #[must_use]
    pub fn by_label(&self) -> BTreeMap<&str, &Arc<MailHost>> {
        let hosts = self.hosts.iter();
        hosts.map(|host| (host.name.as_str(), host)).collect()
    }

    /// The hosts that take part, by their numbers.
    pub fn taking_part(&self) -> impl Iterator<Item = (usize, &Arc<MailHost>)> {
        let hosts = self.hosts.iter().enumerate();
        hosts.filter(|(at, _)| !self.out.absent.contains_key(at) && !self.out.idle.contains(at))
    }

    /// What others find by a name or an address of a host that is not there; none if the host is, or is not one of the murder.
    #[must_use]
    pub fn absence(&self, name: &str) -> Option<Absence> {
        let is_known = self.by_name.contains_key(name) || self.external.contains(name);
        let gone = || self.gone.contains(name).then_some(Absence::NoName);
        let found = self.absent.get(name).copied().or_else(gone);
        found.filter(|_| !is_known)
    }

    /// Whether the manifest names a host that is not ours.
    #[must_use]
    pub fn is_external(&self, name: &str) -> bool {
        self.external.contains(name)
    }

    /// Whether a name is within a mail domain of the murder, or one of its mail domains.
    #[must_use]
    pub fn is_within_domains(&self, name: &str) -> bool {
        let mut rest = Some(name);
        while let Some(domain) = rest {
            if self.domains.contains(domain) {
                return true;
            }
            rest = domain.split_once('.').map(|(_, parent)| parent);
        }
        false
    }

    /// The mail domains, in no order.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(String::as_str)
    }

    /// Whether a name is a mail domain that the manifest has no longer.
    #[must_use]
    pub fn is_former_domain(&self, name: &str) -> bool {
        self.former_domains.contains(name)
    }

    /// Whether a name is a mail domain of the murder.
    #[must_use]
    pub fn is_domain(&self, name: &str) -> bool {
        self.domains.contains(name)
    }
}
