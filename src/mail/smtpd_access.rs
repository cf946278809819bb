//! Access tables of smtpd(8) (access(5)).

use super::address::split;
use super::maps::{Hit, Keys, Known, Maps, QueryForm};
use super::reply::{Reply, split_status};
use super::restrictions::{self, AccessAction};
use super::smtpd::{RcptQuestion, SmtpClient, Smtpd, SmtpdVerdict};
use super::table::{HostTables, LookupError};

impl Smtpd {
    /// The entry of an access table for the recipient (access(5), "EMAIL ADDRESS PATTERNS").
    pub(super) fn access_of_recipient(
        &self,
        maps: &Maps,
        question: &RcptQuestion<'_>,
    ) -> Known<Option<Hit>> {
        let recipient = self.route(question)?.recipient;
        let keys = Keys::OfDomains {
            bare_parents: self.bare_parents,
        };
        let (form, directory) = (QueryForm::QuotedFirst, question.directory);
        if let Some(found) = self.lookup.find(maps, &recipient, form, keys, directory)? {
            return Ok(Some(found.hit));
        }
        let (local, _) = split(&recipient);
        if let Some(hit) = maps.find_key(&format!("{local}@"), true, directory)? {
            return Ok(Some(hit));
        }
        match self.lookup.extensions.split(&recipient) {
            Some((bare, _)) => maps.find_key(&format!("{}@", split(&bare).0), true, directory),
            None => Ok(None),
        }
    }

    pub(super) fn act(
        &self,
        hit: Option<Hit>,
        question: &RcptQuestion<'_>,
        is_listed: &mut bool,
    ) -> Known<SmtpdVerdict> {
        let Some(hit) = hit else {
            return Ok(SmtpdVerdict::Dunno);
        };
        Ok(match restrictions::action(&hit.answer.value)? {
            AccessAction::Permit => SmtpdVerdict::Permit,
            AccessAction::Dunno => SmtpdVerdict::Dunno,
            AccessAction::Answer {
                code,
                is_temporary,
                text,
            } => {
                let own = if is_temporary {
                    self.codes.defer
                } else {
                    self.codes.access
                };
                let status = if is_temporary { "4.7.1" } else { "5.7.1" };
                let (enhanced, text) = split_status(&text, status);
                SmtpdVerdict::Reject(Reply::new(code.unwrap_or(own), enhanced, text), Some(hit))
            }
            AccessAction::Discard => {
                let what = "the access action `DISCARD` is not modelled".to_owned();
                return Err(LookupError::NotModelled(what));
            }
            AccessAction::Restrictions(text) => {
                let none = |_: &str| None;
                let parameter = hit.parameter.clone();
                let list = restrictions::read(&parameter, &text, &none, &mut HostTables::default());
                match self.evaluate(&list, question, is_listed)? {
                    SmtpdVerdict::Reject(reply, None) => SmtpdVerdict::Reject(reply, Some(hit)),
                    other => other,
                }
            }
        })
    }

    /// The entry of an access table for the client's address and its networks (access(5), "HOST ADDRESS PATTERNS").
    pub(super) fn access_of_client(
        &self,
        maps: &Maps,
        question: &RcptQuestion<'_>,
    ) -> Known<Option<Hit>> {
        let SmtpClient::Address(address) = question.client else {
            // The tables name clients that the murder knows; those of names need DNS.
            return Ok(None);
        };
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
