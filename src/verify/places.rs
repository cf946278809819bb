//! The places where mail enters a murder.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::mail::{Entry, MailHost, MailMurder, SmtpClient};
use crate::postfix::Network;

/// From where mail comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlaceKind {
    /// Over SMTP, from the Internet.
    Outside,
    /// Over SMTP, from another host of the murder.
    Inside,
    /// By sendmail(1).
    Submitted,
}

impl PlaceKind {
    /// The way in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Outside => "from the Internet",
            Self::Inside => "from another host",
            Self::Submitted => "by sendmail",
        }
    }
}

/// A place where mail enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPlace {
    /// The host.
    pub host: usize,
    /// From where.
    pub kind: PlaceKind,
    /// The same for a trace.
    pub entry: Entry,
    /// The first host that differs from this one in its names only; itself if it is the first.
    pub twin: usize,
}

/// Every place where mail enters: hosts that face the Internet, by SMTP from outside; all hosts, by SMTP from another host
/// and by sendmail(1).
#[must_use]
pub fn places(murder: &MailMurder, outside: IpAddr) -> Vec<EntryPlace> {
    let mut first = HashMap::new();
    let mut all = Vec::new();
    for (host, of) in murder.taking_part() {
        let twin = *first.entry(of.anonymous.as_str()).or_insert(host);
        let mut add = |kind, entry| {
            all.push(EntryPlace {
                host,
                kind,
                entry,
                twin,
            });
        };
        if of.smtpd.is_some() {
            if of.abilities.is_edge || of.abilities.is_smart_host {
                let client = SmtpClient::Address(outside);
                add(PlaceKind::Outside, Entry::Smtp(host, client));
            }
            if let Some(client) = insider(murder, host) {
                let client = SmtpClient::Address(client);
                add(PlaceKind::Inside, Entry::Smtp(host, client));
            }
        }
        add(PlaceKind::Submitted, Entry::Submit(host));
    }
    all
}

/// The address of another host that sends mail to a host: of the smart host, or of one with mailboxes for the smart host.
fn insider(murder: &MailMurder, host: usize) -> Option<IpAddr> {
    let is_smart = murder
        .hosts
        .get(host)
        .is_some_and(|of| of.abilities.is_smart_host);
    let rank = |other: &MailHost| match (is_smart, other.abilities) {
        (true, abilities) if abilities.holds_mailboxes => 0,
        (false, abilities) if abilities.is_smart_host => 0,
        _ => 1,
    };
    let others = murder
        .taking_part()
        .filter(|(at, other)| *at != host && !other.addresses.is_empty());
    let best = others.min_by_key(|(_, other)| rank(other));
    best.and_then(|(_, other)| other.addresses.first().map(Network::host))
}

impl EntryPlace {
    /// Whether mail for an address must be tried here: of hosts that are alike, one is enough, and those that the address's
    /// entries name.
    #[must_use]
    pub fn matters(&self, named: &BTreeSet<usize>, stand_ins: &BTreeSet<usize>) -> bool {
        named.contains(&self.host) || stand_ins.contains(&self.host)
    }

    /// Whether it is a door to the Internet: of an internet MTA, if `by_edge` says that it must be one.
    #[must_use]
    pub(super) fn is_door(&self, murder: &MailMurder, by_edge: bool) -> bool {
        let is_edge = || {
            let host = murder.hosts.get(self.host);
            host.is_some_and(|host| host.abilities.is_edge)
        };
        self.kind == PlaceKind::Outside && (!by_edge || is_edge())
    }

    /// The place in words.
    #[must_use]
    pub fn words(&self, murder: &MailMurder) -> String {
        let host = murder.hosts.get(self.host).map_or("", |host| &host.name);
        format!("`{host}`, {}", self.kind.words())
    }
}

/// The doors to the Internet: the world knows the internet MTAs, and where there are none, each host that takes its mail.
#[must_use]
pub fn doors(places: &[EntryPlace], murder: &MailMurder) -> Vec<EntryPlace> {
    let by_edge = places.iter().any(|place| place.is_door(murder, true));
    let doors = places.iter().filter(|place| place.is_door(murder, by_edge));
    doors.copied().collect()
}

/// For each group of hosts that are alike, the first one that is not among the named ones.
#[must_use]
pub(super) fn stand_ins(places: &[EntryPlace], named: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut found = HashMap::new();
    for place in places {
        if !named.contains(&place.host) {
            found.entry(place.twin).or_insert(place.host);
        }
    }
    found.into_values().collect()
}
