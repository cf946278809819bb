//! Whether smtpd(8) knows a recipient: `reject_unlisted_recipient`.

use super::address::split;
use super::maps::{Keys, Known, Maps, QueryForm};
use super::reply::{Reply, split_status};
use super::resolve::Route;
use super::smtpd::{RcptAnswer, RcptQuestion, Smtpd};
use crate::postfix::configuration::AddressClass;

impl Smtpd {
    /// Whether the recipient is listed in the tables of its class (`reject_unlisted_recipient`).
    pub(super) fn listed(&self, question: &RcptQuestion<'_>) -> Known<RcptAnswer> {
        // smtpd_check.c: it outdoes `reject_unlisted_recipient` in a list, too.
        if !self.checks_unknown {
            return Ok(RcptAnswer::accepted(None));
        }
        let route = self.route(question)?;
        let recipient = &route.recipient;
        let find = |maps: &Maps| {
            let (form, keys) = (QueryForm::QuotedFirst, Keys::OfAddresses);
            self.lookup
                .find(maps, recipient, form, keys, question.directory)
        };
        for maps in &self.rewriting {
            if let Some(found) = find(maps)? {
                return Ok(RcptAnswer::accepted(Some(found.hit)));
            }
        }
        if route.transport == "error" || route.transport == "retry" {
            return Ok(self.undeliverable(&route));
        }
        let (local, _) = split(recipient);
        let is = |name: &str| local.eq_ignore_ascii_case(name);
        let own =
            is("postmaster") || is("mailer-daemon") || is(&self.lookup.extensions.double_bounce);
        let accepted = Ok(RcptAnswer::accepted(None));
        let codes = &self.codes;
        let (maps, code, table) = match route.class {
            Some(AddressClass::Local) if own => return accepted,
            Some(AddressClass::VirtualAlias) | None => return accepted,
            Some(AddressClass::Local) => (
                &self.local_recipient_maps,
                codes.local,
                "local recipient table",
            ),
            Some(AddressClass::Relay) => (
                &self.relay_recipient_maps,
                codes.relay,
                "relay recipient table",
            ),
            Some(AddressClass::VirtualMailbox) => (
                &self.virtual_mailbox_maps,
                codes.mailbox,
                "virtual mailbox table",
            ),
        };
        if maps.is_empty() {
            return accepted;
        }
        if let Some(found) = find(maps)? {
            return Ok(RcptAnswer::accepted(Some(found.hit)));
        }
        let text = format!("User unknown in {table}");
        Ok(RcptAnswer {
            reply: Reply::new(code, "5.1.1", text),
            hit: None,
        })
    }

    /// The answer for a recipient whose transport is `error` or `retry`.
    fn undeliverable(&self, route: &Route) -> RcptAnswer {
        let (code, status) = if route.transport == "retry" {
            (450, "4.1.1")
        } else if route.class == Some(AddressClass::VirtualAlias) {
            (self.codes.alias, "5.1.1")
        } else {
            (550, "5.1.1")
        };
        let (enhanced, text) = split_status(&route.nexthop, status);
        RcptAnswer {
            reply: Reply::new(code, enhanced, text),
            hit: route.hit.clone(),
        }
    }
}
