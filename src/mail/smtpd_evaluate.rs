//! How smtpd(8) evaluates its lists of access restrictions for a recipient (SMTPD_ACCESS_README).

use super::address::split;
use super::maps::Known;
use super::reply::Reply;
use super::resolve::Route;
use super::restrictions::Restriction;
use super::smtpd::{RcptQuestion, Smtpd};
use super::smtpd_pending::{Pending, SmtpdVerdict};
use super::table::LookupError;

impl Smtpd {
    /// Evaluates a list until a restriction decides.
    pub(super) fn evaluate(
        &self,
        list: &[Restriction],
        question: &RcptQuestion<'_>,
        pending: &mut Pending,
    ) -> Known<SmtpdVerdict> {
        let warned_before = pending.warns;
        for restriction in list {
            if matches!(restriction, Restriction::WarnIfReject) {
                pending.warns = true;
                continue;
            }
            let verdict = self.evaluate_one(restriction, question, pending);
            let is_warning = std::mem::replace(&mut pending.warns, warned_before);
            match verdict? {
                // smtpd_check.c: whatever comes, the recipient is deferred.
                SmtpdVerdict::Dunno if pending.is_decided() => break,
                SmtpdVerdict::Dunno => {}
                SmtpdVerdict::Reject(..) if is_warning => {}
                decided => return Ok(decided),
            }
        }
        pending.warns = warned_before;
        Ok(SmtpdVerdict::Dunno)
    }

    fn evaluate_one(
        &self,
        restriction: &Restriction,
        question: &RcptQuestion<'_>,
        pending: &mut Pending,
    ) -> Known<SmtpdVerdict> {
        let codes = &self.codes;
        let reject = |code, enhanced, text: &str| {
            SmtpdVerdict::Reject(Reply::new(code, enhanced, text), None)
        };
        let permit_if = |is_so| match is_so {
            true => SmtpdVerdict::Permit,
            false => SmtpdVerdict::Dunno,
        };
        Ok(match restriction {
            Restriction::OfOthers | Restriction::WarnIfReject => SmtpdVerdict::Dunno,
            Restriction::Permit => SmtpdVerdict::Permit,
            Restriction::Reject(false) => reject(codes.reject, "5.7.1", "Access denied"),
            Restriction::Reject(true) => reject(codes.defer, "4.3.2", "Try again later"),
            Restriction::DeferIf(is_if_permit) => {
                let reply = Reply::new(450, "4.7.0", "the request is deferred");
                pending.defer(*is_if_permit, reply, None);
                SmtpdVerdict::Dunno
            }
            Restriction::PermitMynetworks => match self.is_trusted(question) {
                Ok(is_trusted) => permit_if(is_trusted),
                // Where the destination is ours, it does not matter whether the client may relay.
                Err(_) if self.is_authorized(question)? => SmtpdVerdict::Dunno,
                Err(error) => return Err(error),
            },
            Restriction::PermitAuthDestination => permit_if(self.is_authorized(question)?),
            Restriction::UnauthDestination(defers) => self.unauthorized(*defers, question)?,
            Restriction::UnlistedRecipient => {
                pending.is_listed |= !pending.warns;
                match self.listed(question)? {
                    answer if answer.reply.is_accepted() => SmtpdVerdict::Dunno,
                    answer => SmtpdVerdict::Reject(answer.reply, answer.hit),
                }
            }
            Restriction::UnverifiedRecipient => self.verified(question, pending)?,
            Restriction::NonFqdnRecipient => {
                let domain = split(question.recipient).1.unwrap_or_default();
                match domain.contains('.') || domain.starts_with('[') {
                    true => SmtpdVerdict::Dunno,
                    false => reject(codes.non_fqdn, "5.5.2", "need fully-qualified address"),
                }
            }
            Restriction::UnknownRecipientDomain => self.known_domain(question)?,
            Restriction::RecipientAccess(maps) => self.recipient_access(maps, question, pending)?,
            Restriction::ClientAccess(maps) => self.client_access(maps, question, pending)?,
            Restriction::Class(list) => self.evaluate(list, question, pending)?,
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

    /// `reject_unknown_recipient_domain`: the domains for which the host takes mail exist.
    fn known_domain(&self, question: &RcptQuestion<'_>) -> Known<SmtpdVerdict> {
        if self.route(question)?.class.is_some() {
            return Ok(SmtpdVerdict::Dunno);
        }
        let domain = split(question.recipient).1.unwrap_or_default();
        let what = format!("only DNS knows whether the domain `{domain}` exists");
        Err(LookupError::NotModelled(what))
    }

    /// Whether `permit_mynetworks` permits the client.
    fn is_trusted(&self, question: &RcptQuestion<'_>) -> Known<bool> {
        let address = question.client.address()?;
        let networks = self.mynetworks.as_ref().map_err(Clone::clone)?;
        let found = networks
            .iter()
            .find(|(network, _)| network.contains(address));
        Ok(found.is_some_and(|(_, is_exception)| !is_exception))
    }

    /// Whether mail for the recipient may be relayed for anyone (`permit_auth_destination`).
    fn is_authorized(&self, question: &RcptQuestion<'_>) -> Known<bool> {
        let route = self.route(question)?;
        Ok(!self.is_uncertain(&route) && route.class.is_some())
    }

    /// Whether a recipient may be another one for the next host, such as `user%elsewhere@here`: nothing permits it, unless `allow_untrusted_routing` does.
    pub(super) fn is_uncertain(&self, route: &Route) -> bool {
        route.is_routed && !self.allows_routing
    }

    pub(super) fn route(&self, question: &RcptQuestion<'_>) -> Known<Route> {
        let address = question.resolver.canonical(question.recipient)?;
        question.resolver.resolve(&address, question.directory)
    }

    /// `reject_unverified_recipient`: what the next host answers to a probe, once it has.
    fn verified(&self, question: &RcptQuestion<'_>, pending: &mut Pending) -> Known<SmtpdVerdict> {
        let route = self.route(question)?;
        let reply = (question.verify)(&route)?;
        let text = "undeliverable address";
        Ok(if reply.is_accepted() {
            SmtpdVerdict::Dunno
        } else if reply.is_temporary() {
            let reply = Reply::new(self.codes.unverified_defer, "4.1.1", text);
            if !self.unverified_defers_if_permit {
                return Ok(SmtpdVerdict::Reject(reply, None));
            }
            pending.defer(true, reply, None);
            SmtpdVerdict::Dunno
        } else {
            SmtpdVerdict::Reject(Reply::new(self.codes.unverified, "5.1.1", text), None)
        })
    }
}
