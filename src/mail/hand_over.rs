//! Deliveries by smtp(8) and lmtp(8): to the next host, out of the murder, or to a mailbox.

use std::net::IpAddr;

use super::agent::ClientAgent;
use super::murder::Absence;
use super::nexthop::{Destination, words};
use super::rcpt::client_of;
use super::reply::Reply;
use super::resolve::Route;
use super::smtpd::SmtpClient;
use super::table::{AnswerPlace, LookupError};
use super::trace::{Arrival, EndAction};
use super::walk::Walk;

/// A path of a socket is shorter than this (`sun_path` of unix(7)).
const SOCKET_PATH_MAX: usize = 108;

/// What one destination does with a recipient.
enum Attempt {
    /// A mailbox or a host outside of the murder takes it.
    Delivered,
    /// It is this host of the murder.
    Host(usize),
    /// It is the sending host itself.
    LoopsBack,
    /// The client cannot deliver there: the status.
    Failed(String),
    /// The client ends with an error, and qmgr(8) defers the mail of the transport.
    Crash(String),
    /// The model cannot tell.
    NotModelled(String),
}

impl Walk<'_> {
    /// Hands a recipient to the next host: to the first destination that takes or refuses it, and those of the fallback relay last
    /// (smtp(8); postconf(5), `smtp_fallback_relay`).
    pub(super) fn send_to(&mut self, at: usize, route: &Route, is_lmtp: bool) {
        let Some(agent) = self.client(at, route) else {
            return;
        };
        let prepared = agent
            .unfiltered()
            .and_then(|()| agent.rewritten(&route.recipient, self.directory))
            .and_then(|recipient| Ok((recipient, agent.fallback_relay.clone()?)));
        let (recipient, fallback) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.failed(at, &route.recipient, error),
        };
        let via = format!("{}:{}", route.transport, route.nexthop);
        // Cyrus's LMTP offers no SMTPUTF8.
        if is_lmtp && self.is_utf8 {
            let status = "5.6.7 SMTPUTF8 is required, but was not offered";
            return self.client_failed(at, route, status);
        }
        let (murder, notes) = (self.murder, self.notes);
        let own = murder.destinations_noting(&route.nexthop, is_lmtp, notes);
        let is_socket = matches!(own.first(), Some(Destination::Socket(_)));
        let fallback = match is_socket {
            true => Vec::new(),
            false => murder.destinations_noting(&fallback, is_lmtp, notes),
        };
        let own = own.into_iter().map(|one| (one, false));
        let all = own.chain(fallback.into_iter().map(|one| (one, true)));
        let all: Vec<(Destination, bool)> = all.collect();
        let is_choice = all.len() > 1;
        let is_relayhost = self.is_relayhost(at, route, is_lmtp);
        let mut status = String::from("4.4.1 no destination");
        for (destination, is_fallback) in all {
            let name = destination.name().filter(|_| is_choice);
            let taken = name.map_or_else(String::new, |name| format!("`{name}` takes it"));
            let softened = is_fallback || is_relayhost;
            match self.attempt(at, route, destination, is_lmtp) {
                Attempt::Delivered => {
                    return self.end(at, &recipient, EndAction::Delivered, &via, taken);
                }
                Attempt::LoopsBack => {
                    return self.loops_back(at, route, softened, &recipient);
                }
                Attempt::Host(next) => match self.hand_over(at, next, route, &recipient) {
                    Some(temporary) => status = temporary,
                    None => return,
                },
                Attempt::Failed(why) if softened => status = soft(&why),
                Attempt::Failed(why) => status = why,
                Attempt::Crash(why) => {
                    return self.end(at, &route.recipient, EndAction::Deferred, &via, why);
                }
                Attempt::NotModelled(what) => {
                    return self.failed(at, &route.recipient, LookupError::NotModelled(what));
                }
            }
        }
        self.client_failed(at, route, &status);
    }

    fn client(&self, at: usize, route: &Route) -> Option<&ClientAgent> {
        let host = self.murder.hosts.get(at)?;
        host.agents.clients.get(&route.transport)
    }

    /// Whether the next hop is `relayhost`: smtp(8) does not bounce mail if it cannot be found.
    fn is_relayhost(&self, at: usize, route: &Route, is_lmtp: bool) -> bool {
        let agent = self.client(at, route).filter(|_| !is_lmtp);
        let relayhost = agent.and_then(|agent| agent.relayhost.as_ref().ok());
        relayhost.map(String::as_str) == words(&route.nexthop).next()
    }

    /// What a destination does.
    fn attempt(
        &self,
        at: usize,
        route: &Route,
        destination: Destination,
        is_lmtp: bool,
    ) -> Attempt {
        match destination {
            Destination::Malformed(word) => Attempt::Crash(format!(
                "4.3.0 unknown mail transport error: `{word}` is not a destination"
            )),
            Destination::Socket(path) if path.len() >= SOCKET_PATH_MAX => Attempt::Failed(format!(
                "4.3.5 Server configuration error: the path `{path}` is too long for a socket"
            )),
            Destination::Socket(path) if path.contains([',', ' ']) => Attempt::Failed(format!(
                "4.4.1 connect to `{path}`: No such file or directory"
            )),
            // A path from the root of the chroot, where the socket is not.
            Destination::Socket(path) if self.is_chrooted(at, route, &path) => Attempt::Failed(
                format!("4.4.1 connect to `{path}`: No such file or directory within the chroot"),
            ),
            Destination::Socket(_) => Attempt::Delivered,
            Destination::Host(name, port) => self.find(at, route, (&name, &port), is_lmtp),
            // A host's own name has no mail servers but the host; only DNS knows those of the murder's domains.
            Destination::Domain(name, _) if self.murder.is_domain(&name) => {
                Attempt::NotModelled(format!("only DNS knows the mail servers of `{name}`"))
            }
            Destination::Domain(name, port) => self.find(at, route, (&name, &port), is_lmtp),
        }
    }

    /// Ends a recipient whose next host is the host itself: a loop, unless the client's filter, `soft_bounce`, or its being
    /// `relayhost` or the fallback relay lets it wait.
    fn loops_back(&mut self, at: usize, route: &Route, is_softened: bool, recipient: &str) {
        let Some(host) = self.murder.hosts.get(at) else {
            return;
        };
        let reason = "5.4.6 mail for the host loops back to itself";
        if is_softened {
            return self.client_failed(at, route, &soft(reason));
        }
        let agent = host.agents.clients.get(&route.transport);
        let filtered = agent.map(|agent| agent.filtered(reason, self.directory));
        let is_bounce = filtered.is_some_and(|it| it.is_ok_and(|it| it.starts_with('5')));
        if is_bounce && !host.agents.soft.contains(&route.transport) {
            let via = format!("{}:{}", route.transport, route.nexthop);
            return self.end(at, recipient, EndAction::Loop, &via, reason);
        }
        self.client_failed(at, route, reason);
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
        if let Some(why) = self.murder.no_connection(next, circumstances) {
            let name = self.host(next).map_or("", |host| &host.name);
            return Some(format!("4.4.1 connect to `{name}`: {why}"));
        }
        let client = self.host(at).map_or(SmtpClient::Unknown, client_of);
        let from = self
            .host(at)
            .map(|host| host.name.clone())
            .unwrap_or_default();
        let answer = self.murder.rcpt_noting(
            next,
            (recipient, client),
            self.directory,
            circumstances,
            self.notes,
        );
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
        self.client_failed(at, route, &status);
        None
    }

    /// What the host of a name does: one of the murder, or one to which mail leaves the murder.
    fn find(&self, at: usize, route: &Route, (name, port): (&str, &str), is_lmtp: bool) -> Attempt {
        let found = self.murder.host_noting(name, self.notes);
        if let Some(next) = found {
            self.note(next);
        }
        match self.murder.absence(name) {
            Some(Absence::NoAnswer) => {
                let why = "no host answers there";
                return Attempt::Failed(format!("4.4.1 connect to `{name}`: {why}"));
            }
            Some(Absence::NoName) => {
                let what = "is a host that is gone, and DNS is taken to lack it";
                return Attempt::Failed(format!(
                    "5.4.4 Host or domain name not found: `{name}` {what}"
                ));
            }
            None => {}
        }
        if let Some(next) = found.filter(|_| is_lmtp) {
            return match self.circumstances.down.contains(&next) {
                true => Attempt::Failed(format!("4.4.1 connect to `{name}`: it does not answer")),
                false => Attempt::Delivered,
            };
        }
        if let Some(next) = found.filter(|_| port == "25") {
            return match self.is_itself(at, next) {
                true => Attempt::LoopsBack,
                false => Attempt::Host(next),
            };
        }
        if found.is_none() && !is_lmtp && is_loopback(name) {
            return self.on_the_host_itself(at, name, port);
        }
        let is_from_directory = route.hit.as_ref().is_some_and(|hit| {
            matches!(hit.answer.place, AnswerPlace::Entry(..))
                && hit.answer.value.to_lowercase().contains(name)
        });
        // A name that only an entry of the directory has is a mistake there; the manifest's own names are not.
        if found.is_none() && is_from_directory && !self.murder.is_external(name) {
            let what = "is no host of the manifest, and DNS is taken to lack it";
            return Attempt::Failed(format!(
                "5.4.4 Host or domain name not found: `{name}` {what}"
            ));
        }
        if found.is_some() {
            return Attempt::NotModelled(format!(
                "what listens on port {port} of `{name}` is not modelled"
            ));
        }
        Attempt::Delivered
    }

    /// What smtp(8) finds at a loopback address: Postfix itself on port 25, or what only the host knows, such as a filter.
    fn on_the_host_itself(&self, at: usize, name: &str, port: &str) -> Attempt {
        let address = name.parse::<IpAddr>().ok();
        let listens = self.host(at).and_then(|host| host.listens.as_ref());
        let is_own =
            address.is_some_and(|address| listens.is_none_or(|all| all.contains(&address)));
        if is_own && port == "25" {
            return Attempt::LoopsBack;
        }
        Attempt::NotModelled(format!(
            "only the host knows what listens on port {port} of `{name}`"
        ))
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

    /// The end of a delivery by smtp(8) or lmtp(8) that failed, after the client's filter.
    fn client_failed(&mut self, at: usize, route: &Route, status: &str) {
        let via = format!("{}:{}", route.transport, route.nexthop);
        let Some(agent) = self.client(at, route) else {
            return;
        };
        match agent.filtered(status, self.directory) {
            Ok(status) => self.fail(at, &route.recipient, &via, &status),
            Err(error) => self.failed(at, &route.recipient, error),
        }
    }
}

/// Whether a name or an address means the host itself, for each host.
fn is_loopback(name: &str) -> bool {
    let is_address = name
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback());
    is_address || name == "localhost" || name.starts_with("localhost.")
}

/// The status of a failure to reach a relay: no bounce, as it may be a mistake of the configuration.
fn soft(status: &str) -> String {
    match status.strip_prefix('5') {
        Some(rest) => format!("4.3.5{}", rest.get(4..).unwrap_or_default()),
        None => status.to_owned(),
    }
}
