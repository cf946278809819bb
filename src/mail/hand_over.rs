//! Deliveries by smtp(8) and lmtp(8): to the next host, out of the murder, or to a mailbox.

use super::nexthop::Destination;
use super::rcpt::client_of;
use super::reply::Reply;
use super::resolve::Route;
use super::smtpd::SmtpClient;
use super::table::{AnswerPlace, LookupError};
use super::trace::{Arrival, EndAction};
use super::walk::Walk;

impl Walk<'_> {
    /// Hands a recipient to the next host.
    pub(super) fn send_to(&mut self, at: usize, route: &Route, is_lmtp: bool) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let agent = host.agents.client(is_lmtp);
        let recipient = match agent.rewritten(&route.recipient, self.directory) {
            Ok(recipient) => recipient,
            Err(error) => return self.failed(at, &route.recipient, error),
        };
        let via = format!("{}:{}", route.transport, route.nexthop);
        // Cyrus's LMTP offers no SMTPUTF8.
        if is_lmtp && self.is_utf8 {
            let status = "5.6.7 SMTPUTF8 is required, but was not offered";
            return self.client_failed(at, route, is_lmtp, status);
        }
        let mut status = String::from("4.4.1 no destination");
        for destination in self.murder.destinations(&route.nexthop, is_lmtp) {
            let outcome = match destination {
                Destination::Malformed(word) => Err(format!("4.3.5 `{word}` is not a destination")),
                Destination::Socket(path) if path.contains([',', ' ']) => Err(format!(
                    "4.4.1 connect to `{path}`: No such file or directory"
                )),
                // A path from the root of the chroot, where the socket is not.
                Destination::Socket(path) if self.is_chrooted(at, route, &path) => Err(format!(
                    "4.4.1 connect to `{path}`: No such file or directory within the chroot"
                )),
                Destination::Socket(_) => Ok(None),
                Destination::Host(..) if is_lmtp => Ok(None),
                Destination::Host(name, port) => self.find(at, route, &name, &port),
                // A host's own name has no mail servers but the host.
                Destination::Domain(name, port)
                    if self.murder.host(&name).is_some() && !self.murder.is_domain(&name) =>
                {
                    self.find(at, route, &name, &port)
                }
                Destination::Domain(name, _) => match self.mail_server(&name) {
                    Ok(()) => Ok(None),
                    Err(what) => {
                        return self.failed(at, &route.recipient, LookupError::NotModelled(what));
                    }
                },
            };
            match outcome {
                Ok(None) => return self.end(at, &recipient, EndAction::Delivered, &via, ""),
                Ok(Some(next)) if next == at => {
                    return self.loops_back(at, route, is_lmtp, &recipient);
                }
                Ok(Some(next)) => match self.hand_over(at, next, route, &recipient) {
                    Some(temporary) => status = temporary,
                    None => return,
                },
                Err(why) if why.starts_with('5') => {
                    return self.client_failed(at, route, is_lmtp, &why);
                }
                Err(why) => status = why,
            }
        }
        self.client_failed(at, route, is_lmtp, &status);
    }

    /// Ends a recipient whose next host is the host itself: a loop, unless the client's filter or `soft_bounce` lets it wait.
    fn loops_back(&mut self, at: usize, route: &Route, is_lmtp: bool, recipient: &str) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let reason = "5.4.6 mail for the host loops back to itself";
        let filtered = host.agents.client(is_lmtp).filtered(reason, self.directory);
        if filtered.is_ok_and(|status| status.starts_with('5')) && !host.agents.soft_bounce {
            let via = format!("{}:{}", route.transport, route.nexthop);
            return self.end(at, recipient, EndAction::Loop, &via, reason);
        }
        self.client_failed(at, route, is_lmtp, reason);
    }

    /// Whether a transport runs in a chroot, outside of which a socket is.
    fn is_chrooted(&self, at: usize, route: &Route, path: &str) -> bool {
        path.starts_with('/')
            && self
                .host(at)
                .is_some_and(|host| host.agents.chrooted.contains(&route.transport))
    }

    /// Gives a recipient to a host of the murder; the status if that host cannot take it now.
    fn hand_over(
        &mut self,
        at: usize,
        next: usize,
        route: &Route,
        recipient: &str,
    ) -> Option<String> {
        let circumstances = self.circumstances;
        if circumstances.down.contains(&next) {
            let name = self.host(next).map_or("", |host| &host.name);
            return Some(format!("4.4.1 connect to `{name}`: it does not answer"));
        }
        let client = self.host(at).map_or(SmtpClient::Unknown, client_of);
        let from = self
            .host(at)
            .map(|host| host.name.clone())
            .unwrap_or_default();
        let answer = self
            .murder
            .rcpt(next, recipient, client, self.directory, circumstances);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.failed(next, recipient, error);
                return None;
            }
        };
        if answer.reply.is_accepted() {
            self.arrive(next, recipient, Arrival::Smtp(from), Some(answer));
            return None;
        }
        let Reply {
            code,
            enhanced,
            text,
        } = answer.reply.clone();
        self.hop(next, recipient, Arrival::Smtp(from), Some(answer));
        let name = self
            .host(next)
            .map(|host| host.name.clone())
            .unwrap_or_default();
        let status = format!("{enhanced} `{name}` said: {code} {enhanced} {text}");
        if code < 500 {
            return Some(status);
        }
        self.client_failed(at, route, false, &status);
        None
    }

    /// The host of the murder with a name; none if the mail leaves the murder there.
    fn find(
        &self,
        at: usize,
        route: &Route,
        name: &str,
        port: &str,
    ) -> Result<Option<usize>, String> {
        let found = self.murder.host(name);
        if let Some(next) = found
            && (next == at || port == "25")
        {
            return Ok(Some(if self.is_itself(at, next) { at } else { next }));
        }
        let is_from_directory = route
            .hit
            .as_ref()
            .is_some_and(|hit| matches!(hit.answer.place, AnswerPlace::Entry(..)));
        // A name that only an entry of the directory has is a mistake there; the manifest's own names are not.
        if found.is_none() && is_from_directory && !self.murder.is_external(name) {
            let what = "is no host of the manifest, and DNS is taken to lack it";
            return Err(format!(
                "5.4.4 Host or domain name not found: `{name}` {what}"
            ));
        }
        Ok(None)
    }

    /// Whether smtp(8) takes the next host for its own: another instance of its machine that has its name, or that has an
    /// address of it, where it listens on all addresses.
    fn is_itself(&self, at: usize, next: usize) -> bool {
        let (Some(own), Some(other)) = (self.host(at), self.host(next)) else {
            return false;
        };
        at == next
            || own.machine == other.machine
                && (own.listens.is_none() || own.names.get(2) == other.names.get(2))
    }

    /// Whether mail for a domain leaves the murder; only DNS knows the mail servers of its own domains.
    fn mail_server(&self, domain: &str) -> Result<(), String> {
        if self.murder.is_domain(domain) {
            return Err(format!("only DNS knows the mail servers of `{domain}`"));
        }
        Ok(())
    }

    /// The end of a delivery by smtp(8) or lmtp(8) that failed, after the client's filter.
    fn client_failed(&mut self, at: usize, route: &Route, is_lmtp: bool, status: &str) {
        let via = format!("{}:{}", route.transport, route.nexthop);
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let agent = host.agents.client(is_lmtp);
        match agent.filtered(status, self.directory) {
            Ok(status) => self.fail(at, &route.recipient, &via, &status),
            Err(error) => self.failed(at, &route.recipient, error),
        }
    }
}
