//! The route of an address as a value: the hosts on the way, what decided there, and the ends.

use super::cleanup::BlindCopy;
use super::local::IF_NO_FORWARD;
use super::maps::Hit;
use super::reply::Reply;
use crate::postfix::configuration::AddressClass;

/// What becomes of a message for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndAction {
    /// A mailbox, or a host outside of the murder, takes it.
    Delivered,
    /// A host throws it away.
    Discarded,
    /// It waits in the queue of a host.
    Deferred,
    /// The first host refuses the recipient, so that no message is sent.
    Refused,
    /// A host gives it back to the sender.
    Bounced,
    /// The model cannot tell.
    NotModelled,
    /// It goes round until a host stops it.
    Loop,
}

impl EndAction {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Discarded => "discarded",
            Self::Deferred => "deferred",
            Self::Refused => "refused",
            Self::Bounced => "bounced",
            Self::NotModelled => "not modelled",
            Self::Loop => "loop",
        }
    }
}

/// How a message comes to a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Over SMTP, from a client that is described in words.
    Smtp(String),
    /// sendmail(1) on the host, or a message that the host itself makes.
    Submitted,
}

/// One host on the way of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The host.
    pub host: String,
    /// How the message comes there.
    pub arrival: Arrival,
    /// The recipient as the client gives it.
    pub recipient: String,
    /// The answer to RCPT, and the table entry that decided; none for a message that is submitted.
    pub reply: Option<(Reply, Option<Hit>)>,
    /// The table entries that rewrite the recipient.
    pub rewriting: Vec<Hit>,
    /// Who gets a copy here. The route of a copy is not part of this one.
    pub copies: Vec<BlindCopy>,
    /// Where each recipient goes from here.
    pub routes: Vec<HopRoute>,
}

/// Where one recipient goes from a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HopRoute {
    /// The recipient.
    pub recipient: String,
    /// Its address class; none if it is in the default class.
    pub class: Option<AddressClass>,
    /// `transport:nexthop`.
    pub via: String,
    /// The table entry that decided.
    pub hit: Option<Hit>,
    /// The parameters that decided where no table did.
    pub parameters: Vec<&'static str>,
}

/// One end of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteEnd {
    /// The host where it ends.
    pub host: String,
    /// The recipient there.
    pub recipient: String,
    /// What becomes of the message.
    pub action: EndAction,
    /// `transport:nexthop`, or the answer that ends it.
    pub via: String,
    /// Why, in words: `550 5.1.1 User unknown …`.
    pub reason: String,
}

/// The route of one address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MailTrace {
    /// The address.
    pub address: String,
    /// The answer of the first host to RCPT; none for a message that is submitted.
    pub reply: Option<Reply>,
    /// The hosts on the way, in order.
    pub hops: Vec<Hop>,
    /// The ends, at least one.
    pub ends: Vec<RouteEnd>,
    /// The numbers of the hosts that it passes, in order.
    pub passed: Vec<usize>,
    /// What is not modelled: the host and the reason.
    pub not_modelled: Vec<(String, String)>,
}

impl RouteEnd {
    /// Whether it rests on what only the host knows: that an account has no file `.forward`. The reason says so.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.action == EndAction::Delivered && self.reason.ends_with(IF_NO_FORWARD)
    }
}

impl MailTrace {
    /// The worst of the ends.
    #[must_use]
    pub fn verdict(&self) -> EndAction {
        let worst = self.ends.iter().map(|end| end.action).max();
        worst.unwrap_or(EndAction::NotModelled)
    }
}

impl HopRoute {
    /// What ADDRESS_CLASS_README calls the recipient's class.
    #[must_use]
    pub fn class_name(&self) -> &'static str {
        self.class.map_or("default", AddressClass::name)
    }
}
