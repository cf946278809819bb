//! The walk of a message from host to host, until each recipient has an end.

use super::address::internal;
use super::agent::Program;
use super::entry::{Circumstances, Entry};
use super::host::MailHost;
use super::intake::Intake;
use super::murder::MailMurder;
use super::notes::{RouteNeed, RouteNotes};
use super::resolve::Route;
use super::route_memory::{Remembered, RouteMemory};
use super::smtpd::{RcptAnswer, SmtpClient};
use super::table::LookupError;
use super::trace::{Arrival, EndAction, Hop, HopRoute, MailTrace, RouteEnd};
use crate::directory::Directory;

/// A host may be passed this often before `hopcount_limit` of Postfix ends the message.
pub(super) const MOST_HOPS: usize = 50;

/// Ends and hops that one trace keeps.
const MOST_ENDS: usize = 5000;

impl MailMurder {
    /// The route of an address from a place where mail enters. The address is as people write it: [`internal`].
    #[must_use]
    pub fn trace(&self, address: &str, entry: Entry, directory: &Directory) -> MailTrace {
        self.trace_in(address, entry, directory, &Circumstances::default(), None)
    }

    /// The route of an address under circumstances. With a `memory` of the same circumstances and directory, parts of the
    /// route that are known already are not walked again: the trace then has their ends and lacks their hops, but for the
    /// first host's.
    #[must_use]
    pub fn trace_in(
        &self,
        address: &str,
        entry: Entry,
        directory: &Directory,
        circumstances: &Circumstances,
        memory: Option<&mut RouteMemory>,
    ) -> MailTrace {
        self.trace_noting(address, entry, (directory, circumstances), memory, None)
    }

    /// The same, with notes of what the route depends on. The memory must have been filled with notes too.
    #[must_use]
    pub fn trace_noting(
        &self,
        address: &str,
        entry: Entry,
        (directory, circumstances): (&Directory, &Circumstances),
        memory: Option<&mut RouteMemory>,
        notes: Option<&RouteNotes>,
    ) -> MailTrace {
        let mut walk = Walk {
            murder: self,
            directory,
            circumstances,
            notes,
            memory,
            is_utf8: !address.is_ascii(),
            trace: MailTrace {
                address: address.to_owned(),
                ..MailTrace::default()
            },
            path: Vec::new(),
        };
        let recipient = internal(address);
        match entry {
            Entry::Submit(at) => walk.arrive(at, &recipient, Arrival::Submitted, None),
            Entry::Smtp(at, client) => walk.enter(at, &recipient, client),
        }
        walk.trace
    }
}

/// The walk of one message.
pub(super) struct Walk<'a> {
    pub(super) murder: &'a MailMurder,
    pub(super) directory: &'a Directory,
    pub(super) circumstances: &'a Circumstances,
    pub(super) notes: Option<&'a RouteNotes>,
    memory: Option<&'a mut RouteMemory>,
    /// Whether the message needs SMTPUTF8.
    pub(super) is_utf8: bool,
    pub(super) trace: MailTrace,
    /// The hosts and recipients on the way to the one at hand.
    pub(super) path: Vec<(usize, String)>,
}

impl Walk<'_> {
    pub(super) fn host(&self, at: usize) -> Option<&MailHost> {
        self.murder.hosts.get(at).map(AsRef::as_ref)
    }

    /// Notes that the route depends on a host.
    pub(super) fn note(&self, at: usize) {
        if let Some(notes) = self.notes {
            notes.add(RouteNeed::Host(at));
        }
    }

    pub(super) fn end(
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
    pub(super) fn failed(&mut self, at: usize, recipient: &str, error: LookupError) {
        match error {
            LookupError::Temporary(what) => {
                let what = match what.starts_with("4.") {
                    true => what,
                    false => format!("4.3.0 {what}"),
                };
                self.end(at, recipient, EndAction::Deferred, "queue", what);
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
        let (murder, down) = (self.murder, self.circumstances);
        let (question, directory) = ((recipient, client), self.directory);
        let answer = match murder.rcpt_noting(at, question, directory, down, self.notes) {
            Ok(answer) => answer,
            Err(error) => return self.failed(at, recipient, error),
        };
        self.trace.reply = Some(answer.reply.clone());
        if answer.reply.is_accepted() {
            self.arrive(at, recipient, Arrival::Smtp(client.words()), Some(answer));
            return;
        }
        let via = format!("{} {}", answer.reply.code, answer.reply.enhanced);
        let text = answer.reply.text.clone();
        self.hop(at, recipient, Arrival::Smtp(client.words()), Some(answer));
        self.end(at, recipient, EndAction::Refused, &via, text);
    }

    pub(super) fn hop(
        &mut self,
        at: usize,
        recipient: &str,
        arrival: Arrival,
        answer: Option<RcptAnswer>,
    ) {
        let host = self
            .host(at)
            .map(|host| host.name.clone())
            .unwrap_or_default();
        self.trace.passed.push(at);
        self.trace.hops.push(Hop {
            host,
            arrival,
            recipient: recipient.to_owned(),
            reply: answer.map(|answer| (answer.reply, answer.hit)),
            rewriting: Vec::new(),
            copies: Vec::new(),
            routes: Vec::new(),
        });
    }

    /// A host that has taken a message for a recipient.
    pub(super) fn arrive(
        &mut self,
        at: usize,
        recipient: &str,
        arrival: Arrival,
        answer: Option<RcptAnswer>,
    ) {
        self.note(at);
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
        // A message of the host itself: an alias of local(8) has another recipient.
        let is_internal = is_submitted && !self.path.is_empty();
        let intake = host.intake(is_submitted, is_internal);
        if let Some(Err(error)) = intake.map(Intake::unfiltered) {
            return self.failed(at, recipient, error);
        }
        let mut recipients = vec![recipient.to_owned()];
        if intake.is_none_or(|intake| intake.maps_addresses) {
            let resolver = &host.resolver;
            let rewritten = host
                .cleanup
                .rewrite(recipient, !is_internal, resolver, self.directory);
            match rewritten {
                Ok(rewritten) => {
                    recipients = rewritten.recipients;
                    if let Some(hop) = self.trace.hops.get_mut(hop) {
                        hop.rewriting = rewritten.hits;
                        hop.copies = rewritten.copies;
                    }
                }
                Err(error) => return self.failed(at, recipient, error),
            }
        }
        self.path.push(key);
        for recipient in recipients {
            self.remember(at, hop, &recipient);
        }
        self.path.pop();
    }

    /// Sends one recipient on from a host, or takes the ends from the memory.
    fn remember(&mut self, at: usize, hop: usize, recipient: &str) {
        let Some(memory) = &self.memory else {
            return self.send(at, hop, recipient);
        };
        let key = (at, recipient.to_lowercase());
        if let (Some(known), false) = (memory.0.get(&key), hop == 0) {
            self.trace.ends.extend(known.ends.iter().cloned());
            self.trace.passed.extend(&known.passed);
            if let Some(notes) = self.notes {
                known.needs.iter().for_each(|need| notes.add(need.clone()));
            }
            return;
        }
        let (ends, unknown) = (self.trace.ends.len(), self.trace.not_modelled.len());
        let passed = self.trace.passed.len();
        let aside = self.notes.map(RouteNotes::set_aside);
        self.note(at);
        self.send(at, hop, recipient);
        let notes = self.notes.zip(aside);
        let needs = notes.map(|(notes, aside)| notes.take_back(aside));
        let found = self.trace.ends.get(ends..).unwrap_or_default();
        // A loop depends on the way that the message has come.
        let depends = found.iter().any(|end| end.action == EndAction::Loop)
            || self.trace.not_modelled.len() > unknown
            || self.trace.ends.len() >= MOST_ENDS;
        if let (Some(memory), false) = (&mut self.memory, depends) {
            let passed = self.trace.passed.get(passed..).unwrap_or_default();
            let known = Remembered {
                ends: found.to_vec(),
                passed: passed.to_vec(),
                needs: needs.unwrap_or_default(),
            };
            memory.0.insert(key, known);
        }
    }

    /// Sends one recipient on from a host.
    fn send(&mut self, at: usize, hop: usize, recipient: &str) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        match host.resolver.resolve(recipient, self.directory) {
            // qmgr(8) bounces it before it delivers it, and after its tables had an answer.
            Ok(route) if route.is_malformed && !host.agents.waits("error") => {
                self.fail(at, &route.recipient, "", "5.1.3 bad address syntax");
            }
            Ok(route) if route.is_malformed || host.agents.waits(&route.transport) => {
                let waits = Route {
                    transport: "retry".to_owned(),
                    nexthop: "4.3.2 deferred transport".to_owned(),
                    ..route
                };
                self.deliver(at, hop, &waits);
            }
            Ok(route) => self.deliver(at, hop, &route),
            Err(error) => self.failed(at, recipient, error),
        }
    }

    pub(super) fn deliver(&mut self, at: usize, hop: usize, route: &Route) {
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
        match host.agents.programs.get(&route.transport).copied() {
            Some(Program::Smtp) => self.send_to(at, route, false),
            Some(Program::Lmtp) => self.send_to(at, route, true),
            Some(Program::Local) => self.deliver_locally(at, hop, route),
            Some(program) => self.end_by(at, route, &via, program),
            None => {
                let reason = format!(
                    "4.3.0 mail transport unavailable: `{}` is not in master.cf",
                    route.transport
                );
                self.end(at, &route.recipient, EndAction::Deferred, &via, reason);
            }
        }
    }
}
