//! Judges the routes of a class of addresses from every place where mail enters.

use std::collections::{BTreeSet, HashSet};

use super::audit::Audit;
use super::classes::{AddressClass, AddressClasses, ClassId};
use super::code::FindingCode;
use super::faults::{ClassFault, add, keep_causes};
use super::places::{EntryPlace, PlaceKind, stand_ins};
use super::syntax::SPECIAL;
use crate::directory::{Directory, EntryId};
use crate::mail::address::{internal, is_routed, split, with_extension};
use crate::mail::{Circumstances, EndAction, MailMurder, MailTrace, RouteEnd, RouteMemory};

/// Judges classes of addresses.
#[derive(Debug)]
pub struct Judge<'a> {
    /// The hosts.
    pub murder: &'a MailMurder,
    /// The directory.
    pub directory: &'a Directory,
    /// Where mail enters.
    pub places: &'a [EntryPlace],
    /// What is other than usual.
    pub circumstances: &'a Circumstances,
    /// The entries with a fault that explains why their mail is not delivered.
    pub faulty: &'a HashSet<EntryId>,
    /// What separates an extension from an address, where there are mailboxes.
    pub delimiter: Option<char>,
    /// What is known of the entries.
    pub audit: &'a Audit<'a>,
}

/// The result of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassResult {
    /// The class.
    pub class: ClassId,
    /// What becomes of its mail where most mail enters.
    pub verdict: EndAction,
    /// The hosts that give its mail from the Internet to a mailbox; if there are none, those that deliver it where most mail enters.
    pub delivers: BTreeSet<usize>,
    /// The faults, each once.
    pub faults: Vec<ClassFault>,
    /// The hosts that give its mail to a mailbox over LMTP, wherever it enters.
    pub gives_to_mailbox: BTreeSet<usize>,
    /// The hosts that its mail passes.
    pub passes: BTreeSet<usize>,
    /// What becomes of its mail from each place that was tried.
    pub outcomes: Vec<(EntryPlace, PlaceOutcome)>,
}

/// What becomes of mail from each place.
pub type PlaceOutcomes = Vec<(EntryPlace, PlaceOutcome)>;

/// What becomes of mail that enters at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceOutcome {
    /// The verdict.
    pub verdict: EndAction,
    /// Whether the first host refuses the recipient for good.
    pub is_refused_for_good: bool,
}

impl PlaceOutcome {
    /// The outcome of a trace.
    #[must_use]
    pub fn of(trace: &MailTrace) -> Self {
        let reply = trace.reply.as_ref();
        Self {
            verdict: trace.verdict(),
            is_refused_for_good: reply
                .is_some_and(|reply| !reply.is_accepted() && !reply.is_temporary()),
        }
    }
}

/// The trace of a class from one place.
struct Seen<'a> {
    place: &'a EntryPlace,
    trace: MailTrace,
}

impl Seen<'_> {
    fn outcome(&self) -> (EntryPlace, PlaceOutcome) {
        (*self.place, PlaceOutcome::of(&self.trace))
    }
}

impl Judge<'_> {
    /// Walks one address of each class from every place that matters for it.
    #[must_use]
    pub fn results(&self, all: &AddressClasses, ids: &[ClassId]) -> Vec<ClassResult> {
        let mut memory = RouteMemory::default();
        let results = ids.iter().filter_map(|id| {
            let class = all.classes.get(id.0 as usize)?;
            Some(self.result(*id, class, &mut memory))
        });
        results.collect()
    }

    /// What becomes of one address of each class from every place that matters for it.
    #[must_use]
    pub fn outcomes(&self, all: &AddressClasses, ids: &[ClassId]) -> Vec<PlaceOutcomes> {
        let mut memory = RouteMemory::default();
        let classes = ids.iter().filter_map(|id| all.classes.get(id.0 as usize));
        let outcomes = classes.map(|class| {
            let seen = self.seen(class, &mut memory);
            seen.iter().map(Seen::outcome).collect()
        });
        outcomes.collect()
    }

    /// The traces of a class from every place that matters for it, those of mail from outside first.
    fn seen(&self, class: &AddressClass, memory: &mut RouteMemory) -> Vec<Seen<'_>> {
        let stand_ins = match &class.named {
            Some(named) => stand_ins(self.places, named),
            None => self.places.iter().map(|place| place.host).collect(),
        };
        let none = BTreeSet::new();
        let named = class.named.as_ref().unwrap_or(&none);
        let places = self.places.iter();
        let places = places.filter(|place| place.matters(named, &stand_ins));
        let mut seen: Vec<Seen<'_>> = places
            .map(|place| Seen {
                place,
                trace: self.walk(&class.address, place, memory),
            })
            .collect();
        seen.sort_by_key(|one| one.place.kind);
        seen
    }

    fn result(&self, id: ClassId, class: &AddressClass, memory: &mut RouteMemory) -> ClassResult {
        let seen = self.seen(class, memory);
        let mut faults: Vec<ClassFault> = Vec::new();
        for one in &seen {
            for fault in self.faults(class, one, &seen) {
                add(fault, &mut faults);
            }
        }
        self.try_extension(class, &seen, &mut faults);
        keep_causes(&mut faults);
        let first = seen.first();
        let passes = seen.iter().flat_map(|one| one.trace.passed.iter().copied());
        ClassResult {
            class: id,
            verdict: first.map_or(EndAction::NotModelled, |one| one.trace.verdict()),
            delivers: self.delivering_first(&seen),
            gives_to_mailbox: seen
                .iter()
                .flat_map(|one| self.delivering(&one.trace, true))
                .collect(),
            passes: passes.collect(),
            outcomes: seen.iter().map(Seen::outcome).collect(),
            faults,
        }
    }

    /// Tries the address with an extension where mail from outside is delivered without one.
    fn try_extension(&self, class: &AddressClass, seen: &[Seen<'_>], faults: &mut Vec<ClassFault>) {
        let (Some(delimiter), Some(_)) = (self.delimiter, &class.named) else {
            return;
        };
        let address = internal(&class.address);
        if split(&address).0.contains(delimiter) {
            return;
        }
        let extension = format!("{delimiter}x");
        let extended = with_extension(&address, &extension);
        let delivered = seen.iter().filter(|one| {
            one.place.kind == PlaceKind::Outside && one.trace.verdict() == EndAction::Delivered
        });
        for one in delivered {
            let (place, murder) = (one.place, self.murder);
            let (directory, now) = (self.directory, self.circumstances);
            let trace = murder.trace_in(&extended, place.entry, directory, now, None);
            let worst = trace.verdict();
            let end = trace.ends.iter().find(|end| end.action == worst);
            if let Some(end) = end.filter(|_| worst != EndAction::Delivered) {
                let code = match worst {
                    EndAction::NotModelled => FindingCode::NotModelled,
                    _ => FindingCode::ExtensionLost,
                };
                let fault = ClassFault {
                    code,
                    place: *place,
                    hosts: vec![end.host.clone()],
                    why: reason(end),
                    recipient: class.address.clone(),
                    extension: extension.clone(),
                };
                add(fault, faults);
            }
        }
    }

    fn walk(&self, address: &str, place: &EntryPlace, memory: &mut RouteMemory) -> MailTrace {
        // Whether SMTPUTF8 is needed is not in the memory.
        let memory = address.is_ascii().then_some(memory);
        let (directory, circumstances) = (self.directory, self.circumstances);
        let murder = self.murder;
        murder.trace_in(address, place.entry, directory, circumstances, memory)
    }

    /// The faults that the trace from one place shows.
    fn faults(&self, class: &AddressClass, one: &Seen<'_>, all: &[Seen<'_>]) -> Vec<ClassFault> {
        let mut faults = Vec::new();
        let own = self.host(one.place.host);
        let is_delivered = |seen: &&Seen<'_>| seen.trace.verdict() == EndAction::Delivered;
        let elsewhere = all.iter().find(is_delivered);
        let mut add = |code, host: &str, why: String, recipient: &str| {
            faults.push(ClassFault {
                code,
                place: *one.place,
                hosts: vec![host.to_owned()],
                why,
                recipient: recipient.to_lowercase(),
                extension: String::new(),
            });
        };
        let address = class.address.as_str();
        for end in &one.trace.ends {
            let code = self.code_of_end(class, end, one.place.kind, elsewhere.is_some());
            if let Some(code) = code {
                add(code, &end.host, reason(end), &end.recipient);
            }
        }
        if let Some((reply, _)) = one.trace.hops.first().and_then(|hop| hop.reply.as_ref())
            && !reply.is_accepted()
            && !self.is_explained(class, &class.address)
        {
            let why = format!("{} {} {}", reply.code, reply.enhanced, reply.text);
            let abilities = self
                .murder
                .hosts
                .get(one.place.host)
                .map(|host| host.abilities);
            let holds_mailboxes = abilities.is_some_and(|can| can.holds_mailboxes);
            // No table decides about an address that no client can send to.
            let is_syntax = reply.enhanced == "5.1.3" || is_routed(split(&internal(address)).0);
            match (elsewhere, one.place.kind) {
                (Some(_), _) if is_syntax => {
                    add(FindingCode::Undeliverable, &own, why, address);
                }
                (None, PlaceKind::Outside) => {
                    add(FindingCode::Undeliverable, &own, why, address);
                }
                (Some(_), _) if holds_mailboxes && !reply.is_temporary() => {
                    add(FindingCode::BouncesInMove, &own, why, address);
                }
                (Some(_), _) if !holds_mailboxes && faces_mail(abilities) => {
                    add(FindingCode::MapsDisagree, &own, why, address);
                }
                _ => {}
            }
        }
        if let Some(why) = self.hands_back(address, one) {
            add(FindingCode::MapsDisagree, &own, why, address);
        }
        if let Some(end) = duplicate(&one.trace.ends) {
            let why = format!("`{}` at `{}`", end.recipient, end.host);
            add(FindingCode::DuplicateDelivery, &end.host, why, address);
        }
        faults
    }

    fn code_of_end(
        &self,
        class: &AddressClass,
        end: &RouteEnd,
        kind: PlaceKind,
        is_delivered_elsewhere: bool,
    ) -> Option<FindingCode> {
        let is_endless = end.reason.contains("expands without end")
            || end.reason.contains("address is too long");
        match end.action {
            EndAction::Loop => Some(FindingCode::Loop),
            EndAction::NotModelled => Some(FindingCode::NotModelled),
            EndAction::Deferred if is_endless => Some(FindingCode::ForwardCycle),
            EndAction::Deferred | EndAction::Bounced
                if self.is_explained(class, &end.recipient) =>
            {
                None
            }
            EndAction::Bounced if kind == PlaceKind::Outside => Some(FindingCode::Backscatter),
            EndAction::Bounced if is_delivered_elsewhere && !end.reason.starts_with("5.1.3") => {
                Some(FindingCode::MapsDisagree)
            }
            EndAction::Bounced | EndAction::Deferred => Some(FindingCode::Undeliverable),
            EndAction::Delivered
                if self.is_lmtp(end) && self.audit.is_alias_only(&end.recipient) =>
            {
                Some(FindingCode::NoSuchMailbox)
            }
            EndAction::Delivered | EndAction::Discarded | EndAction::Refused => None,
        }
    }

    /// Whether a fault of the directory explains why mail for a recipient is not delivered: one of its own entries. A fault
    /// of a group's entry explains nothing about the mail of its members.
    fn is_explained(&self, class: &AddressClass, recipient: &str) -> bool {
        let is_faulty = |entry: &EntryId| self.faulty.contains(entry);
        let own = &class.address;
        let is_own = [own, &internal(own)].map(|own| recipient.eq_ignore_ascii_case(own));
        is_own.contains(&true) && class.entries.iter().any(is_faulty)
            || self
                .audit
                .entries_of(&recipient.to_lowercase())
                .iter()
                .any(is_faulty)
    }

    fn is_lmtp(&self, end: &RouteEnd) -> bool {
        let transport = end.via.split(':').next().unwrap_or_default();
        let mut hosts = self.murder.hosts.iter();
        let host = hosts.find(|host| host.name == end.host);
        host.is_some_and(|host| host.agents.is_lmtp(transport))
    }

    /// The hosts that give mail from the Internet to a mailbox; if there are none, those that deliver it at the first place.
    fn delivering_first(&self, seen: &[Seen<'_>]) -> BTreeSet<usize> {
        let outside = seen
            .iter()
            .filter(|one| one.place.kind == PlaceKind::Outside);
        let given: BTreeSet<usize> = outside
            .flat_map(|one| self.delivering(&one.trace, true))
            .collect();
        match (given.is_empty(), seen.first()) {
            (true, Some(first)) => self.delivering(&first.trace, false),
            _ => given,
        }
    }

    /// The hosts at which mail is delivered, or only those that deliver it over LMTP.
    fn delivering(&self, trace: &MailTrace, only_lmtp: bool) -> BTreeSet<usize> {
        let ends = trace.ends.iter();
        let delivered = ends
            .filter(|end| end.action == EndAction::Delivered && (!only_lmtp || self.is_lmtp(end)));
        delivered
            .filter_map(|end| {
                self.murder
                    .hosts
                    .iter()
                    .position(|host| host.name == end.host)
            })
            .collect()
    }

    fn host(&self, at: usize) -> String {
        let host = self.murder.hosts.get(at);
        host.map(|host| host.name.clone()).unwrap_or_default()
    }

    /// Whether a host with mailboxes takes mail from the host to which it then sends it.
    fn hands_back(&self, address: &str, one: &Seen<'_>) -> Option<String> {
        let host = self.murder.hosts.get(one.place.host)?;
        // smtpd(8) takes these in each local domain, whatever its tables say.
        let is_special = SPECIAL.contains(&split(address).0);
        if is_special || !host.abilities.holds_mailboxes || one.place.kind == PlaceKind::Submitted {
            return None;
        }
        let hop = one.trace.hops.first()?;
        let next = one.trace.hops.get(1)?;
        let smart = self
            .murder
            .hosts
            .iter()
            .find(|other| other.name == next.host)?;
        let via = hop.routes.first().map_or("", |route| route.via.as_str());
        smart.abilities.is_smart_host.then(|| {
            format!(
                "takes mail from `{}` and sends it back by `{via}`",
                next.host
            )
        })
    }
}

/// Whether other hosts or strangers send mail for the murder to a host.
fn faces_mail(abilities: Option<crate::mail::HostAbilities>) -> bool {
    abilities.is_some_and(|can| can.is_edge || can.is_smart_host)
}

fn reason(end: &RouteEnd) -> String {
    match end.reason.is_empty() {
        true => end.via.clone(),
        false => end.reason.clone(),
    }
}

/// A mailbox that gets the message more than once.
fn duplicate(ends: &[RouteEnd]) -> Option<&RouteEnd> {
    let mut seen = HashSet::new();
    ends.iter()
        .filter(|end| end.action == EndAction::Delivered)
        .find(|end| !seen.insert((&end.host, end.recipient.to_lowercase())))
}
