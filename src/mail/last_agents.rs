//! The delivery agents that send nothing on: error(8), retry(8), discard(8), virtual(8).

use super::agent::Program;
use super::reply::split_status;
use super::resolve::Route;
use super::table::LookupError;
use super::trace::EndAction;
use super::walk::Walk;

impl Walk<'_> {
    /// Ends a recipient by a program that sends nothing on.
    pub(super) fn end_by(&mut self, at: usize, route: &Route, via: &str, program: Program) {
        let recipient = route.recipient.as_str();
        match program {
            Program::Virtual
                if !self
                    .host(at)
                    .is_some_and(|host| host.agents.has_virtual_base) =>
            {
                let reason = "4.3.0 virtual(8) does not start without `virtual_mailbox_base`";
                self.end(at, recipient, EndAction::Deferred, via, reason);
            }
            Program::Virtual => {
                let what = "the mailboxes of virtual(8) are not modelled";
                self.failed(at, recipient, LookupError::NotModelled(what.to_owned()));
            }
            Program::Error => {
                let (status, text) = status_like("5.0.0", &route.nexthop);
                self.fail(at, recipient, via, &format!("{status} {text}"));
            }
            Program::Retry => {
                let (status, text) = status_like("4.0.0", &route.nexthop);
                let reason = format!("{status} {text}");
                self.end(at, recipient, EndAction::Deferred, via, reason);
            }
            Program::Discard => {
                let reason = route.nexthop.clone();
                self.end(at, recipient, EndAction::Discarded, via, reason);
            }
            Program::Smtp | Program::Lmtp | Program::Local | Program::Other => {
                let what = format!(
                    "the program of the transport `{}` is not modelled",
                    route.transport
                );
                self.failed(at, recipient, LookupError::NotModelled(what));
            }
        }
    }

    /// Ends a recipient with a status of 4 or 5.
    pub(super) fn fail(&mut self, at: usize, recipient: &str, via: &str, status: &str) {
        // qmgr(8) gives what it cannot deliver to error(8).
        let transport = via.split(':').next().filter(|word| !word.is_empty());
        let transport = transport.unwrap_or("error");
        let soft = self
            .host(at)
            .is_some_and(|host| host.agents.soft.contains(transport));
        // `soft_bounce`: the first digit becomes 4.
        let status = match status.strip_prefix('5') {
            Some(rest) if soft => format!("4{rest} (`soft_bounce` keeps it in the queue)"),
            _ => status.to_owned(),
        };
        let action = if status.starts_with('4') {
            EndAction::Deferred
        } else {
            EndAction::Bounced
        };
        self.end(at, recipient, action, via, status);
    }
}

/// The status at the begin of a next hop, and the text behind it. bounce(8) and defer(8) use `default` where there is none, or one of another class.
fn status_like<'a>(default: &'a str, nexthop: &'a str) -> (&'a str, &'a str) {
    let (status, text) = split_status(nexthop, default);
    match status.get(..1) == default.get(..1) {
        true => (status, text),
        false => (default, text),
    }
}
