//! The hosts of the model of mail before and after a change: as they were observed, or as two manifests want them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::routes::{CompiledMurder, Place, outside_clients, places};
use super::watched_hosts::{WatchedHost, WatchedHosts};
use crate::load::LoadedMurder;
use crate::mail::{Absence, HostInput, HostsOut, LiveInput, MailHost, MailMurder};
use crate::model::{HostState, Murder, Roster};
use crate::name::HostName;
use crate::state::{Desired, LiveService};
use crate::verify::Attributes;

/// A host of the model, which is one instance of Postfix. At least one of its states is there.
#[derive(Debug)]
pub(super) struct HostStates {
    /// The host that it is on.
    pub(super) machine: HostName,
    /// What the model calls it.
    pub(super) label: String,
    /// Its state before the change. None if it takes no part in the murder then.
    before: Option<Arc<MailHost>>,
    /// Its state after the change.
    after: Option<Arc<MailHost>>,
    /// Whether it has no job before the change: no mail enters there.
    pub(super) joins: bool,
}

impl HostStates {
    /// Its configuration in both states, without its names.
    pub(super) fn anonymous(&self) -> [Option<String>; 2] {
        [&self.before, &self.after].map(|host| host.as_ref().map(|host| host.anonymous.clone()))
    }
}

/// The states of an instance on a host that was observed. None if the host has no such instance and is not retired.
fn observed(
    place: &Place<'_>,
    seen: &WatchedHost,
    is_retired: bool,
    domains: &BTreeSet<&str>,
) -> Option<HostStates> {
    let live = &seen.live;
    let LiveService::Postfix(postfix) = live.services.get(place.service)?;
    let state = |desired: &Desired| {
        let input = HostInput {
            live: Some(LiveInput {
                main_cf: &postfix.main_cf,
                master_cf: &postfix.master_cf,
                environment: &postfix.environment,
                files: seen.files(),
            }),
            facts: &live.facts,
            ..place.input(desired)
        };
        Arc::new(MailHost::from_desired(&input))
    };
    let before = state(&Desired::default());
    // Without a ledger, a retired host is left as it is.
    let after = match (is_retired, &live.ledger) {
        (false, _) => Some(state(&seen.desired_after(place.service))),
        (true, None) => Some(Arc::clone(&before)),
        (true, Some(_)) => None,
    };
    let states = HostStates {
        machine: place.host.name.clone(),
        label: place.label().to_owned(),
        before: Some(before),
        after,
        joins: false,
    };
    let [now, then] = states.anonymous();
    let has_no_job = || live.is_untouched(place.service, domains);
    Some(HostStates {
        joins: (is_retired && live.ledger.is_none() || now != then) && has_no_job(),
        ..states
    })
}

/// The hosts of the model of mail, each before and after a change.
#[derive(Debug)]
pub struct MailStates {
    pub(super) hosts: Vec<HostStates>,
    /// All of both, for what tables can tell apart at all.
    pub(super) union: MailMurder,
    pub(super) unseen: Vec<String>,
    pub(super) outside: Vec<IpAddr>,
}

impl MailStates {
    /// By what was seen of the hosts. One that was not observed counts as the manifest wants it, before and after. A retired
    /// host that has a ledger takes part before the change; without one it stays as it is. One that is as its distribution installs it has no job
    /// before: what bounces everywhere is not worse where nobody sent mail.
    #[must_use]
    pub fn of_plan(loaded: &LoadedMurder, compiled: &CompiledMurder, seen: &WatchedHosts) -> Self {
        let seen = seen.all();
        let mut hosts = Vec::new();
        let mut unseen = BTreeSet::new();
        let domains = loaded.murder.domains.iter();
        let domains: BTreeSet<&str> = domains.map(|domain| domain.name.as_str()).collect();
        let wanted: BTreeMap<&str, &Arc<MailHost>> = compiled.mail.by_label();
        for host in loaded.murder.hosts.values() {
            let seen = seen.get(&host.name);
            let is_retired = host.state == HostState::Retired;
            for place in places(&loaded.murder, &loaded.modules, host) {
                let known = seen.and_then(|seen| observed(&place, seen, is_retired, &domains));
                hosts.push(known.unwrap_or_else(|| {
                    let as_wanted = wanted.get(place.label()).copied().cloned();
                    if as_wanted.is_some() || seen.is_none() {
                        unseen.insert(host.name.to_string());
                    }
                    HostStates {
                        machine: host.name.clone(),
                        label: place.label().to_owned(),
                        before: as_wanted.clone(),
                        after: as_wanted,
                        joins: false,
                    }
                }));
            }
        }
        // A host that only vanished from the manifest goes on as before: mail that others send there is not lost.
        let roster = Roster::of(&loaded.murder);
        let ledgers = seen.values().filter_map(|seen| seen.live.ledger.as_ref());
        let orphans: BTreeSet<HostName> =
            ledgers.flat_map(|ledger| roster.missed(ledger)).collect();
        let orphans = orphans.iter().map(HostName::as_str);
        let retired = loaded.murder.hosts.values();
        let retired = retired.filter(|host| host.state == HostState::Retired);
        let retired = retired.flat_map(|host| [host.name.as_str(), host.mailhost.as_str()]);
        let before = hosts.iter().filter_map(|host| host.before.as_deref());
        let base = compiled.mail.with_names_of(&compiled.mail);
        let base = base.with_domains_of(before).with_external(orphans);
        Self::of_hosts(
            hosts,
            &base.with_gone(retired),
            unseen,
            outside_clients(&loaded.murder),
        )
    }

    /// By what two manifests want, each with its name: the older one first.
    #[must_use]
    pub fn of_manifests(old: (&Murder, &CompiledMurder), new: (&Murder, &CompiledMurder)) -> Self {
        let [before, after] = [old.1.mail.by_label(), new.1.mail.by_label()];
        let labels: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        let host = |label: &str| {
            let place = new.1.places.get(label).or_else(|| old.1.places.get(label));
            Some(HostStates {
                machine: place?.0.clone(),
                label: label.to_owned(),
                before: before.get(label).copied().cloned(),
                after: after.get(label).copied().cloned(),
                joins: false,
            })
        };
        let hosts = labels.into_iter().filter_map(host).collect();
        let base = new.1.mail.with_names_of(&old.1.mail);
        let is_outside_of_old = outside_clients(old.0);
        let mut outside = outside_clients(new.0);
        outside.retain(|client| is_outside_of_old.contains(client));
        Self::of_hosts(hosts, &base, BTreeSet::new(), outside)
    }

    fn of_hosts(
        mut hosts: Vec<HostStates>,
        base: &MailMurder,
        unseen: BTreeSet<String>,
        outside: Vec<IpAddr>,
    ) -> Self {
        hosts.retain(|host| host.before.is_some() || host.after.is_some());
        // Entries name a host by its number, which is the same in each state.
        let last = hosts
            .iter()
            .filter_map(|host| host.after.as_ref().or(host.before.as_ref()));
        let all = last.chain(hosts.iter().filter_map(|host| host.before.as_ref()));
        let all: Vec<Arc<MailHost>> = all.cloned().collect();
        Self {
            union: base.with_hosts(all, HostsOut::default()),
            hosts,
            unseen: unseen.into_iter().collect(),
            outside,
        }
    }

    /// What tables can tell apart before or after: what to read of a directory.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        Attributes::of(&self.union)
    }

    /// The names of the model's hosts.
    pub(super) fn names(&self) -> Vec<String> {
        self.hosts.iter().map(|host| host.label.clone()).collect()
    }

    /// The murder as its hosts are now.
    #[must_use]
    pub fn before(&self) -> MailMurder {
        self.murder(|_| false)
    }

    /// The murder in which the hosts that are given have the change.
    pub(super) fn murder(&self, is_changed: impl Fn(usize) -> bool) -> MailMurder {
        let mut out = HostsOut::default();
        let hosts = self.hosts.iter().enumerate().filter_map(|(at, host)| {
            let (now, other) = match is_changed(at) {
                true => (&host.after, &host.before),
                false => (&host.before, &host.after),
            };
            if now.is_none() {
                let absence = match is_changed(at) {
                    true => Absence::NoName,
                    false => Absence::NoAnswer,
                };
                out.absent.insert(at, absence);
            } else if host.joins && !is_changed(at) {
                out.idle.insert(at);
            }
            now.as_ref().or(other.as_ref()).cloned()
        });
        let hosts = hosts.collect();
        self.union.with_hosts(hosts, out)
    }
}
