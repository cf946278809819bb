//! The answer of smtpd(8) to RCPT: access restrictions, then the recipient tables of the address class.

use std::net::IpAddr;

use super::address::{quoted, split};
use super::maps::{AddressLookup, Hit, Known, Maps};
use super::reply::Reply;
use super::resolve::{Resolver, Route};
use super::restrictions::Restriction;
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
    pub(super) mynetworks: Known<Vec<(Network, bool)>>,
    pub(super) rejects_unlisted: bool,
    pub(super) soft_bounce: bool,
    pub(super) codes: Codes,
    pub(super) bare_parents: bool,
    pub(super) command_filter: Maps,
    /// A content filter, which takes the mail another way.
    pub content_filter: String,
    /// Whether unknown recipients are refused at all (`receive_override_options`).
    pub(super) checks_unknown: bool,
    /// Whether addresses are rewritten (`receive_override_options`).
    pub maps_addresses: bool,
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
}

/// The result of a list of restrictions.
#[derive(Debug)]
pub(super) enum SmtpdVerdict {
    Dunno,
    Permit,
    Reject(Reply, Option<Hit>),
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
        let reply = match reply.code {
            code if code >= 500 && self.soft_bounce => {
                Reply::new(code - 100, &reply.enhanced, reply.text)
            }
            _ => reply,
        };
        Ok(RcptAnswer { reply, hit })
    }

    fn decide(&self, question: &RcptQuestion<'_>) -> Known<RcptAnswer> {
        let refused = |reply| Ok(RcptAnswer { reply, hit: None });
        let recipient = question.recipient;
        let (local, domain) = split(recipient);
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
        // allow_min_user: a program behind may take the dash for an option. trivial-rewrite(8) says so of an address whose
        // tables have an answer.
        let is_option = local.starts_with('-') && self.route(question).map(|_| true)?;
        if is_option || recipient.is_empty() || domain == Some("") {
            return refused(Reply::new(501, "5.1.3", "Bad recipient address syntax"));
        }
        let mut is_listed = false;
        for list in &self.restrictions {
            match self.evaluate(list, question, &mut is_listed)? {
                SmtpdVerdict::Reject(reply, hit) => return Ok(RcptAnswer { reply, hit }),
                SmtpdVerdict::Dunno | SmtpdVerdict::Permit => {}
            }
        }
        if self.rejects_unlisted && !is_listed {
            let answer = self.listed(question)?;
            return Ok(answer);
        }
        refused(Reply::accepted())
    }

    pub(super) fn evaluate(
        &self,
        list: &[Restriction],
        question: &RcptQuestion<'_>,
        is_listed: &mut bool,
    ) -> Known<SmtpdVerdict> {
        for restriction in list {
            let verdict = self.evaluate_one(restriction, question, is_listed)?;
            if !matches!(verdict, SmtpdVerdict::Dunno) {
                return Ok(verdict);
            }
        }
        Ok(SmtpdVerdict::Dunno)
    }

    fn evaluate_one(
        &self,
        restriction: &Restriction,
        question: &RcptQuestion<'_>,
        is_listed: &mut bool,
    ) -> Known<SmtpdVerdict> {
        let codes = &self.codes;
        let reject = |code, enhanced, text: &str| {
            SmtpdVerdict::Reject(Reply::new(code, enhanced, text), None)
        };
        Ok(match restriction {
            Restriction::OfOthers => SmtpdVerdict::Dunno,
            Restriction::Permit => SmtpdVerdict::Permit,
            Restriction::Reject(false) => reject(codes.reject, "5.7.1", "Access denied"),
            Restriction::Reject(true) => reject(codes.defer, "4.7.1", "Access denied"),
            Restriction::PermitMynetworks => match self.is_trusted(question) {
                Ok(true) => SmtpdVerdict::Permit,
                Ok(false) => SmtpdVerdict::Dunno,
                // Where the destination is ours, it does not matter whether the client may relay.
                Err(_) if self.is_authorized(question)? => SmtpdVerdict::Dunno,
                Err(error) => return Err(error),
            },
            Restriction::PermitAuthDestination => match self.is_authorized(question)? {
                true => SmtpdVerdict::Permit,
                false => SmtpdVerdict::Dunno,
            },
            Restriction::UnauthDestination(defers) => self.unauthorized(*defers, question)?,
            Restriction::UnlistedRecipient => {
                *is_listed = true;
                match self.listed(question)? {
                    answer if answer.reply.is_accepted() => SmtpdVerdict::Dunno,
                    answer => SmtpdVerdict::Reject(answer.reply, answer.hit),
                }
            }
            Restriction::UnverifiedRecipient => self.verified(question)?,
            Restriction::NonFqdnRecipient => {
                let domain = split(question.recipient).1.unwrap_or_default();
                if domain.contains('.') || domain.starts_with('[') {
                    SmtpdVerdict::Dunno
                } else {
                    reject(codes.non_fqdn, "5.5.2", "need fully-qualified address")
                }
            }
            Restriction::RecipientAccess(maps) => {
                let hit = self.access_of_recipient(maps, question)?;
                self.act(hit, question, is_listed)?
            }
            Restriction::ClientAccess(maps) => {
                let hit = self.access_of_client(maps, question)?;
                self.act(hit, question, is_listed)?
            }
            Restriction::Class(list) => self.evaluate(list, question, is_listed)?,
            Restriction::Unknown(word) => {
                return Err(LookupError::NotModelled(format!(
                    "the restriction `{word}` is not modelled"
                )));
            }
        })
    }

    /// `reject_unauth_destination`, or `defer_unauth_destination` if it `defers`.
    fn unauthorized(&self, defers: bool, question: &RcptQuestion<'_>) -> Known<SmtpdVerdict> {
        if self.is_authorized(question)? {
            return Ok(SmtpdVerdict::Dunno);
        }
        let code = self.codes.relay_access;
        let (code, enhanced) = match defers {
            true => (code.saturating_sub(100), "4.7.1"),
            false => (code, "5.7.1"),
        };
        let reply = Reply::new(code, enhanced, "Relay access denied");
        Ok(SmtpdVerdict::Reject(reply, None))
    }

    /// Whether `permit_mynetworks` permits the client.
    fn is_trusted(&self, question: &RcptQuestion<'_>) -> Known<bool> {
        let address = match question.client {
            SmtpClient::Unknown => {
                let what = "the address of the host that sends is not in the manifest".to_owned();
                return Err(LookupError::NotModelled(what));
            }
            SmtpClient::Address(address) => address,
        };
        let networks = self.mynetworks.as_ref().map_err(Clone::clone)?;
        let found = networks
            .iter()
            .find(|(network, _)| network.contains(address));
        Ok(found.is_some_and(|(_, is_exception)| !is_exception))
    }

    /// Whether mail for the recipient may be relayed for anyone (`permit_auth_destination`).
    fn is_authorized(&self, question: &RcptQuestion<'_>) -> Known<bool> {
        let route = self.route(question)?;
        Ok(!route.is_routed && route.class.is_some())
    }

    pub(super) fn route(&self, question: &RcptQuestion<'_>) -> Known<Route> {
        let address = question.resolver.canonical(question.recipient)?;
        question.resolver.resolve(&address, question.directory)
    }

    /// `reject_unverified_recipient`: what the next host answers to a probe, once it has.
    fn verified(&self, question: &RcptQuestion<'_>) -> Known<SmtpdVerdict> {
        let route = self.route(question)?;
        let reply = (question.verify)(&route)?;
        let text = "undeliverable address";
        Ok(if reply.is_accepted() {
            SmtpdVerdict::Dunno
        } else if reply.is_temporary() {
            SmtpdVerdict::Reject(Reply::new(self.codes.unverified_defer, "4.1.1", text), None)
        } else {
            SmtpdVerdict::Reject(Reply::new(self.codes.unverified, "5.1.1", text), None)
        })
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
