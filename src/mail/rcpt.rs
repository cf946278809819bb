//! The answer of a host to RCPT, and of the next host where the first one verifies recipients.

use super::agent::Program;
use super::entry::Circumstances;
use super::host::MailHost;
use super::maps::Known;
use super::murder::{Absence, MailMurder};
use super::nexthop::Destination;
use super::notes::{RouteNeed, RouteNotes};
use super::reply::Reply;
use super::resolve::Route;
use super::smtpd::{RcptAnswer, RcptQuestion, SmtpClient};
use super::table::LookupError;
use crate::directory::Directory;
use crate::postfix::Network;

/// Why a host takes no mail over SMTP.
const NOTHING: &str = "no service of its master.cf answers on port 25";

/// Why a machine refuses connections to port 25 from others.
const SHUT: &str = "Connection refused: smtpd(8) listens on loopback addresses only (`inet_interfaces`, master.cf)";

/// Why a probe is not modelled.
const ONLY_NEXT: &str = "only the next host knows whether the recipient is valid";

/// How many hosts may verify a recipient with each other.
const MOST_PROBES: usize = 8;

impl MailMurder {
    /// The answer of a host to RCPT.
    ///
    /// # Errors
    /// If it is not modelled.
    pub fn rcpt(
        &self,
        at: usize,
        recipient: &str,
        client: SmtpClient,
        directory: &Directory,
        circumstances: &Circumstances,
    ) -> Known<RcptAnswer> {
        self.rcpt_noting(at, (recipient, client), directory, circumstances, None)
    }

    /// The answer of a host to RCPT, with notes of what it depends on.
    ///
    /// # Errors
    /// If it is not modelled.
    pub(super) fn rcpt_noting(
        &self,
        at: usize,
        question: (&str, SmtpClient),
        directory: &Directory,
        circumstances: &Circumstances,
        notes: Option<&RouteNotes>,
    ) -> Known<RcptAnswer> {
        let asked = Asked {
            directory,
            circumstances,
            notes,
        };
        self.rcpt_within(at, question, &asked, MOST_PROBES)
    }

    /// Why a host takes no connection to port 25 from others; none if it does.
    pub(super) fn no_connection(&self, at: usize, now: &Circumstances) -> Option<&'static str> {
        if now.down.contains(&at) {
            return Some("it does not answer");
        }
        let is_shut = self.hosts.get(at).is_some_and(|host| host.is_shut);
        is_shut.then_some(SHUT)
    }

    fn rcpt_within(
        &self,
        at: usize,
        (recipient, client): (&str, SmtpClient),
        asked: &Asked<'_>,
        depth: usize,
    ) -> Known<RcptAnswer> {
        let Asked {
            directory,
            circumstances,
            notes,
        } = *asked;
        if let Some(notes) = notes {
            notes.add(RouteNeed::Host(at));
        }
        let Some(host) = self.hosts.get(at) else {
            return not_modelled("there is no such host");
        };
        let Some(smtpd) = &host.smtpd else {
            return not_modelled(if host.is_shut { SHUT } else { NOTHING });
        };
        let verify = |route: &Route| -> Known<Reply> {
            if depth == 0 {
                return not_modelled("hosts verify the recipient with each other");
            }
            let client = client_of(host);
            let program = host.agents.programs.get(&route.transport);
            if program != Some(&Program::Smtp) {
                return match program {
                    Some(Program::Error) => Ok(Reply::new(550, "5.1.1", "undeliverable")),
                    Some(Program::Retry) => Ok(Reply::new(450, "4.1.1", "undeliverable")),
                    _ => not_modelled("a probe of this transport is not modelled"),
                };
            }
            match self
                .destinations_noting(&route.nexthop, false, notes)
                .first()
            {
                Some(Destination::Host(name, _)) => match self.host_noting(name, notes) {
                    Some(next) => {
                        if let Some(why) = self.no_connection(next, circumstances) {
                            return Ok(Reply::new(450, "4.4.1", why));
                        }
                        let question = (route.recipient.as_str(), client);
                        let answer = self.rcpt_within(next, question, asked, depth - 1);
                        answer.map(|answer| answer.reply)
                    }
                    None => self.probe_elsewhere(name),
                },
                _ => not_modelled(ONLY_NEXT),
            }
        };
        smtpd.rcpt(&RcptQuestion {
            recipient,
            client,
            resolver: &host.resolver,
            directory,
            verify: &verify,
        })
    }

    /// What becomes of a probe for a name that is that of no host, or of one that is not there.
    fn probe_elsewhere(&self, name: &str) -> Known<Reply> {
        match self.absence(name) {
            Some(Absence::NoAnswer) => Ok(Reply::new(450, "4.4.1", "no answer")),
            Some(Absence::NoName) => Ok(Reply::new(550, "5.4.4", "no such host")),
            None => not_modelled(ONLY_NEXT),
        }
    }
}

/// By what a host answers.
struct Asked<'a> {
    directory: &'a Directory,
    circumstances: &'a Circumstances,
    notes: Option<&'a RouteNotes>,
}

fn not_modelled<T>(what: &str) -> Known<T> {
    Err(LookupError::NotModelled(what.to_owned()))
}

/// A host as the client of another one.
pub(super) fn client_of(host: &MailHost) -> SmtpClient {
    let address = host.addresses.first().map(Network::host);
    address.map_or(SmtpClient::Unknown, SmtpClient::Address)
}
