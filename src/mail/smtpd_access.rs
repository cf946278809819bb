//! Access tables of smtpd(8) (access(5)).

use super::address::split;
use super::maps::{Hit, Keys, Known, Maps, QueryForm};
use super::reply::{Reply, split_status};
use super::restrictions::{self, AccessAction, Restriction};
use super::smtpd::{RcptQuestion, Smtpd};
use super::smtpd_pending::{Pending, SmtpdVerdict};
use super::table::{HostTables, LookupError};

impl Smtpd {
    /// The entry of an access table for the recipient (access(5), "EMAIL ADDRESS PATTERNS").
    fn access_of_recipient(
        &self,
        maps: &Maps,
        recipient: &str,
        question: &RcptQuestion<'_>,
    ) -> Known<Option<Hit>> {
        let keys = Keys::OfDomains {
            bare_parents: self.bare_parents,
        };
        let (form, directory) = (QueryForm::QuotedFirst, question.directory);
        if let Some(found) = self.lookup.find(maps, recipient, form, keys, directory)? {
            return Ok(Some(found.hit));
        }
        let (local, _) = split(recipient);
        if let Some(hit) = maps.find_key(&format!("{local}@"), true, directory)? {
            return Ok(Some(hit));
        }
        match self.lookup.extensions.split(recipient) {
            Some((bare, _)) => maps.find_key(&format!("{}@", split(&bare).0), true, directory),
            None => Ok(None),
        }
    }

    /// `check_recipient_access`.
    pub(super) fn recipient_access(
        &self,
        maps: &Maps,
        question: &RcptQuestion<'_>,
        pending: &mut Pending,
    ) -> Known<SmtpdVerdict> {
        let route = self.route(question)?;
        let hit = self.access_of_recipient(maps, &route.recipient, question);
        Ok(match self.act(hit, question, pending)? {
            SmtpdVerdict::Permit if self.is_uncertain(&route) => SmtpdVerdict::Dunno,
            verdict => verdict,
        })
    }

    /// `check_client_access`.
    pub(super) fn client_access(
        &self,
        maps: &Maps,
        question: &RcptQuestion<'_>,
        pending: &mut Pending,
    ) -> Known<SmtpdVerdict> {
        let hit = self.access_of_client(maps, question);
        self.act(hit, question, pending)
    }

    fn act(
        &self,
        hit: Known<Option<Hit>>,
        question: &RcptQuestion<'_>,
        pending: &mut Pending,
    ) -> Known<SmtpdVerdict> {
        let hit = match hit {
            Ok(Some(hit)) => hit,
            Ok(None) => return Ok(SmtpdVerdict::Dunno),
            Err(LookupError::Temporary(what)) => {
                let text = format!("Server configuration error: {what}");
                return Ok(SmtpdVerdict::Reject(Reply::new(451, "4.3.5", text), None));
            }
            Err(error) => return Err(error),
        };
        Ok(match restrictions::action(&hit.answer.value)? {
            AccessAction::Permit => SmtpdVerdict::Permit,
            AccessAction::Dunno => SmtpdVerdict::Dunno,
            AccessAction::Answer {
                code,
                is_temporary,
                text,
            } => {
                let (own, status) = match is_temporary {
                    true => (self.codes.access_defer, "4.7.1"),
                    false => (self.codes.access, "5.7.1"),
                };
                let (enhanced, text) = split_status(&text, status);
                SmtpdVerdict::Reject(Reply::new(code.unwrap_or(own), enhanced, text), Some(hit))
            }
            AccessAction::DeferIf(is_if_permit, text) => {
                let (enhanced, text) = split_status(&text, "4.7.1");
                let reply = Reply::new(self.codes.access_defer, enhanced, text);
                pending.defer(is_if_permit, reply, Some(hit));
                SmtpdVerdict::Dunno
            }
            AccessAction::Discard => {
                let what = "the access action `DISCARD` is not modelled".to_owned();
                return Err(LookupError::NotModelled(what));
            }
            AccessAction::Restrictions(text) => {
                let parameter = hit.parameter.clone();
                let (none, tables) = (|_: &str| None, &mut HostTables::default());
                let list = restrictions::read(&parameter, &text, &none, tables).into_iter();
                let list = list.map(|restriction| self.class_or(restriction));
                let list: Vec<Restriction> = list.collect();
                match self.evaluate(&list, question, pending)? {
                    SmtpdVerdict::Reject(reply, None) => SmtpdVerdict::Reject(reply, Some(hit)),
                    other => other,
                }
            }
        })
    }

    /// The restrictions of a class, where a restriction is the name of one.
    fn class_or(&self, restriction: Restriction) -> Restriction {
        let class = match &restriction {
            Restriction::Unknown(name) => self.classes.get(name),
            _ => None,
        };
        match class {
            Some(list) => Restriction::Class(list.clone()),
            None => restriction,
        }
    }

    /// The entry of an access table for the client's address and its networks (access(5), "HOST ADDRESS PATTERNS").
    fn access_of_client(&self, maps: &Maps, question: &RcptQuestion<'_>) -> Known<Option<Hit>> {
        let address = question.client.address()?;
        let text = address.to_string();
        let mut key = text.as_str();
        loop {
            if let Some(hit) = maps.find_key(key, key != text, question.directory)? {
                return Ok(Some(hit));
            }
            let separator = if address.is_ipv4() { '.' } else { ':' };
            match key.rsplit_once(separator) {
                Some((rest, _)) => key = rest,
                None => return Ok(None),
            }
        }
    }
}
