//! `verify` without a terminal: every address of a directory from every place where mail enters, on every core.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;

use crate::directory::{Directory, EntryId};
use crate::every_core::{on_every_core, pieces_on_every_core};
use crate::mail::table::TablePart;
use crate::mail::{Circumstances, EndAction, MailMurder};
use crate::verify::{
    AddressClasses, Attributes, Audit, ClassId, ClassResult, Classifier, EntryFinding, EntryPlace,
    FailureEffect, Finding, FindingCode, Judge, MailFailure, MailProbes, class_findings, doors,
    index_findings, places,
};

/// How many entries or classes one piece of work has.
const PIECE: usize = 4096;
const CLASSES: usize = 64;

/// Findings that explain why mail of their entries is not delivered.
const CAUSES: [FindingCode; 12] = [
    FindingCode::TwoBackends,
    FindingCode::DuplicateAddress,
    FindingCode::AliasShadowsPrimary,
    FindingCode::NoMailhost,
    FindingCode::ManyMailhosts,
    FindingCode::ShortMailhost,
    FindingCode::UnknownMailhost,
    FindingCode::FolderWithoutTarget,
    FindingCode::FolderNameCollision,
    FindingCode::MissingMember,
    FindingCode::GroupCycle,
    FindingCode::BadFilter,
];

/// What was found.
#[derive(Debug, Default)]
pub struct Verified {
    /// How many addresses were tried.
    pub addresses: usize,
    /// How many entries the directory has.
    pub entries: usize,
    /// How many classes the addresses are.
    pub classes: usize,
    /// How many addresses have each verdict where most mail enters.
    pub by_verdict: BTreeMap<EndAction, usize>,
    /// The findings, in the order of their codes and entries.
    pub findings: Vec<Finding>,
}

/// A directory sorted into classes, ready to be judged under any circumstances.
#[derive(Debug)]
pub struct SortedDirectory<'a> {
    murder: &'a MailMurder,
    directory: &'a Directory,
    attributes: &'a Attributes,
    places: Vec<EntryPlace>,
    outsiders: &'a [IpAddr],
    classes: AddressClasses,
    findings: Vec<Finding>,
    faulty: HashSet<EntryId>,
}

/// The addresses of a directory in classes, without an audit of its entries.
#[must_use]
pub fn address_classes(
    murder: &MailMurder,
    directory: &Directory,
    attributes: &Attributes,
) -> AddressClasses {
    let entries: Vec<EntryId> = directory.entries().collect();
    let pieces: Vec<&[EntryId]> = entries.chunks(PIECE).collect();
    let classifier = Classifier::new(attributes, murder, directory);
    let mut classes = AddressClasses::default();
    for part in on_every_core(&pieces, |piece| classifier.classes(piece)) {
        classes.extend(part);
    }
    classes
}

impl<'a> SortedDirectory<'a> {
    /// Audits a directory and sorts its addresses into classes. `outsiders` are addresses of clients in no network of the
    /// manifest, at least one.
    #[must_use]
    pub fn new(
        murder: &'a MailMurder,
        directory: &'a Directory,
        attributes: &'a Attributes,
        outsiders: &'a [IpAddr],
    ) -> Self {
        let entries: Vec<EntryId> = directory.entries().collect();
        let pieces: Vec<&[EntryId]> = entries.chunks(PIECE).collect();
        let audit = Audit::new(attributes, murder, directory);
        let classifier = Classifier::new(attributes, murder, directory);
        let parts = on_every_core(&pieces, |piece| {
            (classifier.classes(piece), audit.entries(piece))
        });
        let mut classes = AddressClasses::default();
        let mut found: Vec<EntryFinding> = Vec::new();
        for (part, findings) in parts {
            classes.extend(part);
            found.extend(findings);
        }
        found.extend(audit.shared(classes.shared()));
        found.extend(audit.group_cycles(&entries));
        let delimiters: String = murder
            .hosts
            .iter()
            .map(|host| host.delimiters.as_str())
            .collect();
        found.extend(audit.folders(&delimiters));
        let causes = found
            .iter()
            .filter(|(finding, _)| CAUSES.contains(&finding.code));
        let faulty = causes
            .flat_map(|(_, entries)| entries.iter().copied())
            .collect();
        let outsider = outsiders.first().copied();
        let places = places(murder, outsider.unwrap_or(IpAddr::from([203, 0, 113, 1])));
        let most = places.iter().min_by_key(|place| place.kind);
        for (finding, _) in &mut found {
            if let (Some(address), Some(place)) = (finding.addresses.first(), most) {
                finding.evidence = Some((address.clone(), place.entry));
            }
        }
        Self {
            murder,
            directory,
            attributes,
            places,
            outsiders,
            classes,
            findings: found.into_iter().map(|(finding, _)| finding).collect(),
            faulty,
        }
    }

    /// The places where mail enters.
    #[must_use]
    pub fn places(&self) -> &[EntryPlace] {
        &self.places
    }

    /// The classes.
    #[must_use]
    pub fn classes(&self) -> &AddressClasses {
        &self.classes
    }

    /// Judges classes.
    #[must_use]
    pub fn judge(&self, ids: &[ClassId]) -> Vec<ClassResult> {
        let (now, audit) = (Circumstances::default(), self.audit());
        let judge = self.judge_under(&now, &self.places, &audit);
        let pieces: Vec<&[ClassId]> = ids.chunks(CLASSES).collect();
        let results = pieces_on_every_core(&pieces, |piece| judge.results(&self.classes, piece));
        results.into_iter().flatten().collect()
    }

    fn audit(&self) -> Audit<'a> {
        Audit::new(self.attributes, self.murder, self.directory)
    }

    fn judge_under<'j>(
        &'j self,
        circumstances: &'j Circumstances,
        places: &'j [EntryPlace],
        audit: &'j Audit<'a>,
    ) -> Judge<'j> {
        Judge {
            murder: self.murder,
            directory: self.directory,
            places,
            circumstances,
            faulty: &self.faulty,
            delimiter: delimiter(self.murder),
            audit,
        }
    }

    /// All classes.
    #[must_use]
    pub fn ids(&self) -> Vec<ClassId> {
        self.classes.ids().collect()
    }

    /// How many addresses a class has.
    #[must_use]
    pub fn count(&self, class: ClassId) -> usize {
        self.classes.count(class)
    }

    /// Everything that can fail by itself: each host, each LDAP server, and each site, which has the hosts that are given.
    #[must_use]
    pub fn failures(&self, sites: &[(String, Vec<usize>)]) -> Vec<MailFailure> {
        let hosts = self
            .murder
            .hosts
            .iter()
            .enumerate()
            .map(|(at, host)| MailFailure {
                name: host.name.clone(),
                hosts: vec![at],
                servers: Vec::new(),
            });
        let servers = servers(self.murder).into_iter().map(|name| MailFailure {
            name: name.clone(),
            hosts: Vec::new(),
            servers: vec![name],
        });
        let sites = sites.iter().map(|(name, hosts)| MailFailure {
            name: format!("site {name}"),
            hosts: hosts.clone(),
            servers: Vec::new(),
        });
        hosts.chain(servers).chain(sites).collect()
    }

    /// What each failure does to mail, by the results without failures.
    #[must_use]
    pub fn what_if(&self, results: &[ClassResult], failures: &[MailFailure]) -> Vec<FailureEffect> {
        let audit = self.audit();
        let (of_servers, of_hosts): (Vec<_>, Vec<_>) = (0..)
            .zip(failures)
            .partition::<Vec<(usize, _)>, _>(|(_, failure)| !failure.servers.is_empty());
        let mut effects = vec![FailureEffect::default(); failures.len()];
        let mut add = |at: usize, effect| {
            if let Some(known) = effects.get_mut(at) {
                *known = effect;
            }
        };
        let found = pieces_on_every_core(&of_hosts, |(_, failure)| {
            let concerned = results.iter().filter(|result| {
                let mut hosts = failure.hosts.iter();
                // Mail that passes none of the hosts is as it was.
                hosts.any(|host| result.passes.contains(host))
            });
            self.effect(failure, &concerned.collect::<Vec<_>>(), &audit)
        });
        for ((at, _), effect) in of_hosts.iter().zip(found) {
            add(*at, effect);
        }
        for (at, failure) in of_servers {
            self.directory.set_down(&failure.servers);
            let is_asked = asks_only(self.murder, &failure.servers);
            let concerned = results.iter().filter(|result| {
                let mut hosts = failure.hosts.iter();
                // An LDAP server may be asked for every address.
                is_asked || hosts.any(|host| result.passes.contains(host))
            });
            let concerned: Vec<&ClassResult> = concerned.collect();
            let pieces: Vec<_> = concerned.chunks(CLASSES).collect();
            let found = pieces_on_every_core(&pieces, |piece| self.effect(failure, piece, &audit));
            let mut effect = FailureEffect::default();
            found.into_iter().for_each(|piece| effect.join(piece));
            self.directory.set_down(&[]);
            add(at, effect);
        }
        effects
    }

    /// What a failure does to mail of some classes, by their results without it.
    fn effect(
        &self,
        failure: &MailFailure,
        concerned: &[&ClassResult],
        audit: &Audit<'a>,
    ) -> FailureEffect {
        let circumstances = Circumstances {
            down: failure.hosts.iter().copied().collect(),
        };
        let running = self.places.iter();
        let running = running.filter(|place| !circumstances.down.contains(&place.host));
        let running: Vec<EntryPlace> = running.copied().collect();
        let mut shut = doors(&self.places, self.murder);
        if shut.iter().any(|door| running.contains(door)) {
            shut.clear();
        }
        let judge = self.judge_under(&circumstances, &running, audit);
        let ids: Vec<ClassId> = concerned.iter().map(|result| result.class).collect();
        let after = judge.outcomes(&self.classes, &ids);
        let mut effect = FailureEffect::default();
        for (before, after) in concerned.iter().zip(&after) {
            effect.add(before, after, &shut, self.classes.example(before.class));
        }
        effect
    }

    /// The findings, by the results of all classes.
    #[must_use]
    pub fn verify(&self, results: &[ClassResult]) -> Verified {
        let mut by_verdict = BTreeMap::new();
        for result in results {
            *by_verdict.entry(result.verdict).or_default() += self.count(result.class);
        }
        let faulty = results.iter().filter(|result| !result.faults.is_empty());
        let wanted: BTreeSet<ClassId> = faulty.map(|result| result.class).collect();
        let classifier = Classifier::new(self.attributes, self.murder, self.directory);
        let members = classifier.members(&self.classes, &wanted);
        let mut findings = self.findings.clone();
        findings.extend(class_findings(results, &members, &self.audit()));
        let give_to_mailboxes = results
            .iter()
            .flat_map(|result| result.gives_to_mailbox.iter().copied())
            .collect();
        let faults = results.iter().flat_map(|result| &result.faults);
        let gaps = faults.filter(|fault| fault.code == FindingCode::NotModelled);
        let known_gaps = gaps
            .flat_map(|fault| {
                let hosts = fault.hosts.iter();
                hosts.map(|host| (host.as_str(), fault.why.as_str()))
            })
            .collect();
        let probes = MailProbes {
            murder: self.murder,
            directory: self.directory,
            places: &self.places,
            outsiders: self.outsiders,
            give_to_mailboxes: &give_to_mailboxes,
            known_gaps: &known_gaps,
        };
        findings.extend(probes.findings());
        findings.extend(index_findings(self.attributes, self.directory));
        findings.sort_by(|left, right| {
            (left.code, &left.entries, &left.hosts, &left.text).cmp(&(
                right.code,
                &right.entries,
                &right.hosts,
                &right.text,
            ))
        });
        Verified {
            addresses: self.classes.len(),
            entries: self.directory.len(),
            classes: self.classes.ids().count(),
            by_verdict,
            findings,
        }
    }
}

/// What separates an extension from an address, where there are mailboxes.
fn delimiter(murder: &MailMurder) -> Option<char> {
    let hosts = murder.hosts.iter();
    let mut hosts = hosts.filter(|host| host.abilities.holds_mailboxes);
    hosts.find_map(|host| host.delimiters.chars().next())
}

/// Whether some table asks no other LDAP servers than these.
fn asks_only(murder: &MailMurder, servers: &[String]) -> bool {
    let mut found = false;
    for table in murder.hosts.iter().flat_map(|host| &host.opened) {
        table.parts(false, &mut |part| {
            if let TablePart::Ldap(part) = part {
                let is_down =
                    |name: &String| servers.iter().any(|own| own.eq_ignore_ascii_case(name));
                found |= !part.servers.is_empty() && part.servers.iter().all(is_down);
            }
        });
    }
    found
}

/// The names of the LDAP servers that the hosts ask.
#[must_use]
pub fn servers(murder: &MailMurder) -> BTreeSet<String> {
    let mut servers = BTreeSet::new();
    for table in murder.hosts.iter().flat_map(|host| &host.opened) {
        table.parts(false, &mut |part| {
            if let TablePart::Ldap(part) = part {
                servers.extend(part.servers.iter().cloned());
            }
        });
    }
    servers
}
