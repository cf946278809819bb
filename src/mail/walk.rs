//! The walk of a message from host to host, until each recipient has an end.

use super::address::split;
use super::agent::Program;
use super::host::MailHost;
use super::local::LocalDelivery;
use super::maps::Known;
use super::murder::MailMurder;
use super::nexthop::{Destination, destinations};
use super::reply::{Reply, split_status};
use super::resolve::{RecipientClass, Route};
use super::smtpd::{RcptAnswer, RcptQuestion, SmtpClient};
use super::table::{AnswerPlace, LookupError};
use super::trace::{Arrival, EndAction, Hop, HopRoute, MailTrace, RouteEnd};
use crate::directory::Directory;

/// Where a message enters the murder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// At a host, over SMTP, from a client.
    Smtp(usize, SmtpClient),
    /// At a host, by sendmail(1).
    Submit(usize),
}

/// A host may be passed this often before `hopcount_limit` of Postfix ends the message.
const MOST_HOPS: usize = 50;

/// Ends and hops that one trace keeps.
const MOST_ENDS: usize = 5000;

impl MailMurder {
    /// The route of an address from a place where mail enters.
    #[must_use]
    pub fn trace(&self, address: &str, entry: Entry, directory: &Directory) -> MailTrace {
        let mut walk = Walk {
            murder: self,
            directory,
            is_utf8: !address.is_ascii(),
            trace: MailTrace {
                address: address.to_owned(),
                ..MailTrace::default()
            },
            path: Vec::new(),
        };
        match entry {
            Entry::Submit(at) => walk.arrive(at, address, Arrival::Submitted, None),
            Entry::Smtp(at, client) => walk.enter(at, address, client),
        }
        walk.trace
    }

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
    ) -> Known<RcptAnswer> {
        self.rcpt_within(at, recipient, client, directory, MOST_HOPS)
    }

    fn rcpt_within(
        &self,
        at: usize,
        recipient: &str,
        client: SmtpClient,
        directory: &Directory,
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
            match destinations(&route.nexthop, false).first() {
                Some(Destination::Host(name, _)) => match self.host(name) {
                    Some(next) => {
                        let answer =
                            self.rcpt_within(next, &route.recipient, client, directory, depth - 1);
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
fn client_of(host: &MailHost) -> SmtpClient {
    let address = host.addresses.first().map(super::table::Network::host);
    address.map_or(SmtpClient::Unknown, SmtpClient::Address)
}

fn words_of(client: SmtpClient) -> String {
    match client {
        SmtpClient::Address(address) => address.to_string(),
        SmtpClient::Unknown => "unknown".to_owned(),
    }
}

struct Walk<'a> {
    murder: &'a MailMurder,
    directory: &'a Directory,
    /// Whether the message needs SMTPUTF8.
    is_utf8: bool,
    trace: MailTrace,
    /// The hosts and recipients on the way to the one at hand.
    path: Vec<(usize, String)>,
}

impl Walk<'_> {
    fn host(&self, at: usize) -> Option<&MailHost> {
        self.murder.hosts.get(at)
    }

    fn end(
        &mut self,
        at: usize,
        recipient: &str,
        action: EndAction,
        via: &str,
        reason: impl Into<String>,
    ) {
        if self.trace.ends.len() >= MOST_ENDS {
            return;
        }
        let host = self
            .host(at)
            .map(|host| host.name.clone())
            .unwrap_or_default();
        self.trace.ends.push(RouteEnd {
            host,
            recipient: recipient.to_owned(),
            action,
            via: via.to_owned(),
            reason: reason.into(),
        });
    }

    /// Ends a recipient for which a lookup had no answer.
    fn failed(&mut self, at: usize, recipient: &str, error: LookupError) {
        match error {
            LookupError::Temporary(what) => {
                self.end(
                    at,
                    recipient,
                    EndAction::Deferred,
                    "queue",
                    format!("4.3.0 {what}"),
                );
            }
            LookupError::NotModelled(what) => {
                let host = self
                    .host(at)
                    .map(|host| host.name.clone())
                    .unwrap_or_default();
                self.trace.not_modelled.push((host, what.clone()));
                self.end(at, recipient, EndAction::NotModelled, "", what);
            }
        }
    }

    /// The first host, over SMTP.
    fn enter(&mut self, at: usize, recipient: &str, client: SmtpClient) {
        let answer = match self.murder.rcpt(at, recipient, client, self.directory) {
            Ok(answer) => answer,
            Err(error) => return self.failed(at, recipient, error),
        };
        self.trace.reply = Some(answer.reply.clone());
        if answer.reply.is_accepted() {
            self.arrive(at, recipient, Arrival::Smtp(words_of(client)), Some(answer));
            return;
        }
        let via = format!("{} {}", answer.reply.code, answer.reply.enhanced);
        let text = answer.reply.text.clone();
        self.hop(at, recipient, Arrival::Smtp(words_of(client)), Some(answer));
        self.end(at, recipient, EndAction::Refused, &via, text);
    }

    fn hop(&mut self, at: usize, recipient: &str, arrival: Arrival, answer: Option<RcptAnswer>) {
        let host = self
            .host(at)
            .map(|host| host.name.clone())
            .unwrap_or_default();
        self.trace.hops.push(Hop {
            host,
            arrival,
            recipient: recipient.to_owned(),
            reply: answer.map(|answer| (answer.reply, answer.hit)),
            rewriting: Vec::new(),
            routes: Vec::new(),
        });
    }

    /// A host that has taken a message for a recipient.
    fn arrive(&mut self, at: usize, recipient: &str, arrival: Arrival, answer: Option<RcptAnswer>) {
        let key = (at, recipient.to_lowercase());
        let is_submitted = arrival == Arrival::Submitted;
        self.hop(at, recipient, arrival, answer);
        let hop = self.trace.hops.len() - 1;
        if self.path.contains(&key) || self.path.len() >= MOST_HOPS {
            return self.end(
                at,
                recipient,
                EndAction::Loop,
                "",
                "5.4.0 Error: too many hops",
            );
        }
        if self.trace.hops.len() > MOST_ENDS {
            let what = format!("more than {MOST_ENDS} hops");
            return self.failed(at, recipient, LookupError::NotModelled(what));
        }
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        if split(recipient).0.starts_with('-') {
            let reason = "5.1.3 bad address syntax";
            return self.end(at, recipient, EndAction::Bounced, "", reason);
        }
        let maps = is_submitted || host.smtpd.as_ref().is_none_or(|smtpd| smtpd.maps_addresses);
        let filter = host
            .smtpd
            .as_ref()
            .map_or("", |smtpd| smtpd.content_filter.as_str());
        if !filter.is_empty() {
            let what = format!("`content_filter = {filter}` takes the mail another way");
            return self.failed(at, recipient, LookupError::NotModelled(what));
        }
        let recipients = if maps {
            match host
                .cleanup
                .rewrite(recipient, &host.resolver, self.directory)
            {
                Ok(rewritten) => {
                    if let Some(hop) = self.trace.hops.get_mut(hop) {
                        hop.rewriting = rewritten.hits;
                    }
                    rewritten.recipients
                }
                Err(error) => return self.failed(at, recipient, error),
            }
        } else {
            vec![recipient.to_owned()]
        };
        self.path.push(key);
        for recipient in recipients {
            self.send(at, hop, &recipient);
        }
        self.path.pop();
    }

    /// Sends one recipient on from a host.
    fn send(&mut self, at: usize, hop: usize, recipient: &str) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        match host.resolver.resolve(recipient, self.directory) {
            Ok(route) => self.deliver(at, hop, &route),
            Err(error) => self.failed(at, recipient, error),
        }
    }

    fn deliver(&mut self, at: usize, hop: usize, route: &Route) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let via = format!("{}:{}", route.transport, route.nexthop);
        if let Some(hop) = self.trace.hops.get_mut(hop) {
            hop.routes.push(HopRoute {
                recipient: route.recipient.clone(),
                class: route.class,
                via: via.clone(),
                hit: route.hit.clone(),
                parameters: route.parameters.clone(),
            });
        }
        let recipient = route.recipient.as_str();
        let program = host.agents.programs.get(&route.transport).copied();
        match program {
            Some(Program::Smtp) => self.send_to(at, route, false),
            Some(Program::Lmtp) => self.send_to(at, route, true),
            Some(Program::Local) => self.deliver_locally(at, hop, route),
            Some(Program::Virtual) => {
                self.end(
                    at,
                    recipient,
                    EndAction::Delivered,
                    &via,
                    "mailbox of virtual(8)",
                );
            }
            Some(Program::Error) => {
                let (status, text) = split_status(&route.nexthop, "5.0.0");
                self.fail(at, recipient, &via, &format!("{status} {text}"));
            }
            Some(Program::Retry) => {
                let (status, text) = split_status(&route.nexthop, "4.0.0");
                self.end(
                    at,
                    recipient,
                    EndAction::Deferred,
                    &via,
                    format!("{status} {text}"),
                );
            }
            Some(Program::Discard) => {
                self.end(
                    at,
                    recipient,
                    EndAction::Discarded,
                    &via,
                    route.nexthop.clone(),
                );
            }
            Some(Program::Other) => {
                let what = format!(
                    "the program of the transport `{}` is not modelled",
                    route.transport
                );
                self.failed(at, recipient, LookupError::NotModelled(what));
            }
            None => {
                let reason = format!(
                    "4.3.0 mail transport unavailable: `{}` is not in master.cf",
                    route.transport
                );
                self.end(at, recipient, EndAction::Deferred, &via, reason);
            }
        }
    }

    /// Ends a recipient with a status of 4 or 5.
    fn fail(&mut self, at: usize, recipient: &str, via: &str, status: &str) {
        let soft = self.host(at).is_some_and(|host| host.agents.soft_bounce);
        let action = if status.starts_with('4') || soft {
            EndAction::Deferred
        } else {
            EndAction::Bounced
        };
        self.end(at, recipient, action, via, status);
    }

    /// The end of a delivery by smtp(8) or lmtp(8) that failed, after the client's filter.
    fn client_failed(&mut self, at: usize, route: &Route, is_lmtp: bool, status: &str) {
        let via = format!("{}:{}", route.transport, route.nexthop);
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let agent = if is_lmtp {
            &host.agents.lmtp
        } else {
            &host.agents.smtp
        };
        match agent.filtered(status, self.directory) {
            Ok(status) => self.fail(at, &route.recipient, &via, &status),
            Err(error) => self.failed(at, &route.recipient, error),
        }
    }

    /// Hands a recipient to the next host.
    fn send_to(&mut self, at: usize, route: &Route, is_lmtp: bool) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let agent = if is_lmtp {
            &host.agents.lmtp
        } else {
            &host.agents.smtp
        };
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
        for destination in destinations(&route.nexthop, is_lmtp) {
            let outcome = match destination {
                Destination::Malformed(word) => Err(format!("4.3.5 `{word}` is not a destination")),
                Destination::Socket(path) if path.contains([',', ' ']) => Err(format!(
                    "4.4.1 connect to `{path}`: No such file or directory"
                )),
                Destination::Socket(_) => Ok(None),
                Destination::Host(..) if is_lmtp => Ok(None),
                Destination::Host(name, port) => self.find(at, route, &name, &port),
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
                    let reason = "5.4.6 mail for the host loops back to itself";
                    return self.end(at, &recipient, EndAction::Loop, &via, reason);
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

    /// Gives a recipient to a host of the murder; the status if that host cannot take it now.
    fn hand_over(
        &mut self,
        at: usize,
        next: usize,
        route: &Route,
        recipient: &str,
    ) -> Option<String> {
        let client = self.host(at).map_or(SmtpClient::Unknown, client_of);
        let from = self
            .host(at)
            .map(|host| host.name.clone())
            .unwrap_or_default();
        let answer = match self.murder.rcpt(next, recipient, client, self.directory) {
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
        if found.is_some() && port == "25" || found == Some(at) {
            return Ok(found);
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

    /// Whether mail for a domain leaves the murder; only DNS knows the mail servers of its own domains.
    fn mail_server(&self, domain: &str) -> Result<(), String> {
        if self.murder.host(domain).is_some() || self.murder.is_domain(domain) {
            return Err(format!("only DNS knows the mail servers of `{domain}`"));
        }
        Ok(())
    }

    fn deliver_locally(&mut self, at: usize, hop: usize, route: &Route) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let via = format!("{}:{}", route.transport, route.nexthop);
        let recipient = route.recipient.as_str();
        match host.agents.local.deliver(recipient, self.directory) {
            Ok(LocalDelivery::Delivered(what)) => {
                self.end(at, recipient, EndAction::Delivered, &via, what);
            }
            Ok(LocalDelivery::Forwarded(recipients, hit)) => {
                if let Some(hop) = self.trace.hops.get_mut(hop) {
                    hop.rewriting.push(hit);
                }
                self.forward(at, hop, route, recipients);
            }
            Ok(LocalDelivery::Transport(transport)) => {
                let (transport, nexthop) = transport.split_once(':').unwrap_or((&transport, ""));
                let nexthop = if nexthop.is_empty() {
                    &route.nexthop
                } else {
                    nexthop
                };
                let next = Route {
                    transport: transport.to_owned(),
                    nexthop: nexthop.to_owned(),
                    ..route.clone()
                };
                self.deliver(at, hop, &next);
            }
            Ok(LocalDelivery::Unknown) => {
                self.fail(at, recipient, &via, "5.1.1 unknown user");
            }
            Err(error) => self.failed(at, recipient, error),
        }
    }

    /// The recipients of an alias of local(8): accounts here, and others by a new message.
    fn forward(&mut self, at: usize, hop: usize, route: &Route, recipients: Vec<String>) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let key = (at, route.recipient.to_lowercase());
        if self.path.contains(&key) && self.path.len() >= MOST_HOPS {
            return self.end(
                at,
                &route.recipient,
                EndAction::Loop,
                "",
                "5.4.6 mail forwarding loop",
            );
        }
        self.path.push(key);
        for recipient in recipients {
            let resolved = host.resolver.canonical(&recipient);
            let resolved = resolved.and_then(|address| {
                let route = host.resolver.resolve(&address, self.directory)?;
                Ok((address, route))
            });
            match resolved {
                Ok((address, next)) => {
                    let is_local =
                        host.agents.programs.get(&next.transport) == Some(&Program::Local);
                    let is_known = self.path.contains(&(at, next.recipient.to_lowercase()));
                    if is_local && !is_known && next.class == RecipientClass::Local {
                        self.deliver_locally(at, hop, &next);
                    } else if is_local && is_known {
                        let via = format!("{}:{}", next.transport, next.nexthop);
                        self.end(
                            at,
                            &next.recipient,
                            EndAction::Delivered,
                            &via,
                            "its own mailbox",
                        );
                    } else {
                        self.arrive(at, &address, Arrival::Submitted, None);
                    }
                }
                Err(error) => self.failed(at, &recipient, error),
            }
        }
        self.path.pop();
    }
}
