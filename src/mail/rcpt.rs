//! The answer of a host to RCPT, and of the next host where the first one verifies recipients.

use super::agent::Program;
use super::host::MailHost;
use super::maps::Known;
use super::murder::MailMurder;
use super::nexthop::Destination;
use super::reply::Reply;
use super::resolve::Route;
use super::smtpd::{RcptAnswer, RcptQuestion, SmtpClient};
use super::table::LookupError;
use super::walk::Circumstances;
use crate::directory::Directory;
use crate::postfix::Network;

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
        self.rcpt_within(
            at,
            (recipient, client),
            directory,
            circumstances,
            MOST_PROBES,
        )
    }

    fn rcpt_within(
        &self,
        at: usize,
        (recipient, client): (&str, SmtpClient),
        directory: &Directory,
        circumstances: &Circumstances,
        depth: usize,
    ) -> Known<RcptAnswer> {
        let Some(host) = self.hosts.get(at) else {
            return not_modelled("there is no such host");
        };
        let Some(smtpd) = &host.smtpd else {
            return not_modelled("no service of its master.cf answers on port 25");
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
            match self.destinations(&route.nexthop, false).first() {
                Some(Destination::Host(name, _)) => match self.host(name) {
                    Some(next) if circumstances.down.contains(&next) => {
                        Ok(Reply::new(450, "4.4.1", "the host does not answer"))
                    }
                    Some(next) => {
                        let question = (route.recipient.as_str(), client);
                        let answer =
                            self.rcpt_within(next, question, directory, circumstances, depth - 1);
                        answer.map(|answer| answer.reply)
                    }
                    None => not_modelled("only the next host knows whether the recipient is valid"),
                },
                _ => not_modelled("only the next host knows whether the recipient is valid"),
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
}

fn not_modelled<T>(what: &str) -> Known<T> {
    Err(LookupError::NotModelled(what.to_owned()))
}

/// A host as the client of another one.
pub(super) fn client_of(host: &MailHost) -> SmtpClient {
    let address = host.addresses.first().map(Network::host);
    address.map_or(SmtpClient::Unknown, SmtpClient::Address)
}
