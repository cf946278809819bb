//! The answer of smtpd(8) to RCPT: access restrictions, then the recipient tables of the address class.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::address::quoted;
use super::intake::Intake;
use super::maps::{AddressLookup, Hit, Known, Maps};
use super::reply::Reply;
use super::resolve::{Resolver, Route};
use super::restrictions::Restriction;
use super::smtpd_pending::{Deferral, Pending, SmtpdVerdict};
use super::table::LookupError;
use crate::directory::Directory;
use crate::postfix::Network;

/// A client of an SMTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpClient {
    /// A client with this address.
    Address(IpAddr),
    /// A host whose address is not known.
    Unknown,
}

impl SmtpClient {
    /// The address of the client.
    ///
    /// # Errors
    /// If it is not known, so that what depends on it is not modelled.
    pub(super) fn address(self) -> Known<IpAddr> {
        match self {
            Self::Address(address) => Ok(address),
            Self::Unknown => Err(LookupError::NotModelled(
                "the address of the host that sends is not in the manifest".to_owned(),
            )),
        }
    }

    /// The client in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// The parameters of smtpd(8).
#[derive(Debug)]
pub struct Smtpd {
    pub(super) lookup: AddressLookup,
    /// The tables that make an address valid, in their order.
    pub(super) rewriting: [Maps; 3],
    pub(super) local_recipient_maps: Maps,
    pub(super) relay_recipient_maps: Maps,
    pub(super) virtual_mailbox_maps: Maps,
    /// The lists in the order in which they are evaluated at RCPT.
    pub(super) restrictions: Vec<Vec<Restriction>>,
    /// The classes of `smtpd_restriction_classes`, with their restrictions.
    pub(super) classes: BTreeMap<String, Vec<Restriction>>,
    pub(super) mynetworks: Known<Vec<(Network, bool)>>,
    pub(super) rejects_unlisted: bool,
    /// `smtpd_data_restrictions` and `smtpd_end_of_data_restrictions`, as far as they do not depend on recipients.
    pub(super) data: Vec<Vec<Restriction>>,
    /// `allow_untrusted_routing`.
    pub(super) allows_routing: bool,
    pub(super) soft_bounce: bool,
    /// Whether `reject_unverified_recipient` leaves what it cannot tell to later restrictions.
    pub(super) unverified_defers_if_permit: bool,
    pub(super) codes: Codes,
    pub(super) bare_parents: bool,
    pub(super) command_filter: Maps,
    /// What cleanup(8) does with the mail.
    pub intake: Intake,
    /// Whether unknown recipients are refused at all (`receive_override_options`).
    pub(super) checks_unknown: bool,
}

#[derive(Debug)]
pub(super) struct Codes {
    pub(super) local: u16,
    pub(super) relay: u16,
    pub(super) alias: u16,
    pub(super) mailbox: u16,
    pub(super) relay_access: u16,
    pub(super) access: u16,
    pub(super) reject: u16,
    pub(super) defer: u16,
    pub(super) non_fqdn: u16,
    pub(super) unverified: u16,
    pub(super) unverified_defer: u16,
    pub(super) access_defer: u16,
}

/// What decides about one recipient.
pub struct RcptQuestion<'a> {
    /// The recipient in internal form.
    pub recipient: &'a str,
    /// The client.
    pub client: SmtpClient,
    /// The resolver of the host.
    pub resolver: &'a Resolver,
    /// The directory.
    pub directory: &'a Directory,
    /// The answer of the next host to the recipient, for `reject_unverified_recipient`.
    pub verify: &'a dyn Fn(&Route) -> Known<Reply>,
}

/// The answer to RCPT, and the table entry that decided, if one did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptAnswer {
    /// The answer.
    pub reply: Reply,
    /// The entry.
    pub hit: Option<Hit>,
}

impl RcptAnswer {
    /// The recipient is accepted, because of an entry if one decided.
    pub(super) fn accepted(hit: Option<Hit>) -> Self {
        Self {
            reply: Reply::accepted(),
            hit,
        }
    }
}

impl Smtpd {
    /// How many lists are not about the recipient: `smtpd_client_restrictions` and those of HELO and the sender.
    const LISTS_BEFORE_RCPT: usize = 3;

    /// The answer to RCPT.
    ///
    /// # Errors
    /// If the answer is not modelled.
    pub fn rcpt(&self, question: &RcptQuestion<'_>) -> Known<RcptAnswer> {
        let answer = match self.decide(question) {
            Err(LookupError::Temporary(what)) => {
                let reply = Reply {
                    text: format!("Temporary lookup failure: {what}"),
                    ..Reply::lookup_failure()
                };
                RcptAnswer { reply, hit: None }
            }
            other => other?,
        };
        let RcptAnswer { reply, hit } = answer;
        if reply.is_accepted() {
            self.takes_data(question)?;
        }
        let reply = match reply.code {
            code if code >= 500 && self.soft_bounce => {
                Reply::new(code - 100, &reply.enhanced, reply.text)
            }
            _ => reply,
        };
        Ok(RcptAnswer { reply, hit })
    }

    /// Fails if a list at DATA refuses each message of the client. What such a list says of the sender or of the content passes, as everywhere.
    fn takes_data(&self, question: &RcptQuestion<'_>) -> Known<()> {
        let refuses = |list: &Vec<Restriction>| {
            let verdict = self.evaluate(list, question, &mut Pending::default());
            matches!(verdict, Ok(SmtpdVerdict::Reject(..)))
        };
        match self.data.iter().any(refuses) {
            true => Err(LookupError::NotModelled(
                "a list of restrictions at DATA refuses every message".to_owned(),
            )),
            false => Ok(()),
        }
    }

    fn decide(&self, question: &RcptQuestion<'_>) -> Known<RcptAnswer> {
        let answer = |(reply, hit): Deferral| Ok(RcptAnswer { reply, hit });
        let refused = |reply| answer((reply, None));
        let recipient = question.recipient;
        let command = format!("RCPT TO:<{}>", quoted(recipient));
        if let Some(hit) = self
            .command_filter
            .find_key(&command, false, question.directory)?
            && hit.answer.value != command
        {
            return filtered(hit);
        }
        if recipient.eq_ignore_ascii_case("postmaster") {
            return refused(Reply::accepted());
        }
        // smtpd(8) asks trivial-rewrite(8) before all restrictions.
        let is_malformed = match self.route(question) {
            Ok(route) => route.is_malformed,
            Err(LookupError::NotModelled(what)) if recipient.starts_with('-') => {
                return Err(LookupError::NotModelled(what));
            }
            Err(_) => false,
        };
        if is_malformed || recipient.is_empty() {
            return refused(Reply::new(501, "5.1.3", "Bad recipient address syntax"));
        }
        let mut pending = Pending::default();
        for (number, list) in self.restrictions.iter().enumerate() {
            // The lists of the client, of HELO and of the sender keep it to themselves.
            if number <= Self::LISTS_BEFORE_RCPT {
                pending.if_reject = None;
            }
            match self.evaluate(list, question, &mut pending)? {
                SmtpdVerdict::Reject(reply, hit) => return answer(pending.refused(reply, hit)),
                SmtpdVerdict::Dunno | SmtpdVerdict::Permit => {}
            }
        }
        if let Some(deferral) = pending.if_permit {
            return answer(deferral);
        }
        if self.rejects_unlisted && !pending.is_listed {
            let listed = self.listed(question)?;
            return match listed.reply.is_accepted() {
                true => Ok(listed),
                false => answer(pending.refused(listed.reply, listed.hit)),
            };
        }
        refused(Reply::accepted())
    }
}

/// The answer to a command that `smtpd_command_filter` has replaced.
fn filtered(hit: Hit) -> Known<RcptAnswer> {
    if hit
        .answer
        .value
        .replace(' ', "")
        .eq_ignore_ascii_case("RCPTTO:<>")
    {
        let reply = Reply::new(501, "5.1.3", "Bad recipient address syntax");
        return Ok(RcptAnswer {
            reply,
            hit: Some(hit),
        });
    }
    let what = format!(
        "`{}` of `smtpd_command_filter` is not modelled",
        hit.answer.value
    );
    Err(LookupError::NotModelled(what))
}
