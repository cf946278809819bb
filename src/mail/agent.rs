//! The delivery agents of a host: which program each transport runs, and the parameters of those that run smtp(8) and lmtp(8).

use std::collections::{BTreeMap, BTreeSet};

use super::address::{list, quoted, split, with_extension};
use super::local::LocalAgent;
use super::maps::{AddressLookup, Keys, Known, Maps, QueryForm};
use super::reader::ParameterReader;
use super::table::LookupError;
use crate::directory::Directory;

/// The programs that deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// smtp(8) over SMTP.
    Smtp,
    /// smtp(8) over LMTP.
    Lmtp,
    /// local(8).
    Local,
    /// virtual(8).
    Virtual,
    /// error(8) as `error`.
    Error,
    /// error(8) as `retry`.
    Retry,
    /// discard(8).
    Discard,
    /// pipe(8) and all others.
    Other,
}

/// The parameters of one service of smtp(8) or lmtp(8).
#[derive(Debug)]
pub struct ClientAgent {
    /// `smtp_fallback_relay` or `lmtp_fallback_relay`.
    pub fallback_relay: Known<String>,
    /// `smtp_reply_filter` or `lmtp_reply_filter`, which may change all that the next host says.
    pub reply_filter: Known<String>,
    /// `relayhost`, for which smtp(8) bounces no mail if it cannot be reached.
    pub relayhost: Known<String>,
    lookup: AddressLookup,
    generic_maps: Maps,
    /// Whether an extension that a key lacks goes to the new address (`propagate_unmatched_extensions`).
    propagates: bool,
    status_filter: Maps,
}

/// The delivery agents of a host.
#[derive(Debug)]
pub struct Agents {
    /// The program of each transport.
    pub programs: BTreeMap<String, Program>,
    /// The transports that run in a chroot.
    pub chrooted: BTreeSet<String>,
    /// The parameters of each transport that runs smtp(8) or lmtp(8).
    pub clients: BTreeMap<String, ClientAgent>,
    /// local(8).
    pub local: LocalAgent,
    /// Whether `virtual_mailbox_base` is set, without which virtual(8) does not start (postconf(5)).
    pub has_virtual_base: bool,
    /// The transports of which qmgr(8) lets all mail wait (`defer_transports`).
    pub waiting: Vec<String>,
    /// The transports where `soft_bounce` turns bounces into deferrals.
    pub soft: BTreeSet<String>,
}

impl Agents {
    /// Whether qmgr(8) lets all mail of a transport wait.
    #[must_use]
    pub fn waits(&self, transport: &str) -> bool {
        self.waiting.iter().any(|name| name == transport)
    }

    /// Whether a transport delivers over LMTP.
    #[must_use]
    pub fn is_lmtp(&self, transport: &str) -> bool {
        self.programs.get(transport) == Some(&Program::Lmtp)
    }

    /// Whether a transport delivers over SMTP.
    #[must_use]
    pub fn is_smtp(&self, transport: &str) -> bool {
        self.programs.get(transport) == Some(&Program::Smtp)
    }
}

impl ClientAgent {
    /// Reads the parameters of a service, which begin with `smtp` or `lmtp`.
    pub fn read(prefix: &str, reader: &mut ParameterReader<'_, '_>) -> Self {
        Self {
            fallback_relay: reader.text(&format!("{prefix}_fallback_relay")),
            reply_filter: reader.text(&format!("{prefix}_reply_filter")),
            relayhost: reader.text("relayhost"),
            lookup: reader.address_lookup(),
            propagates: reader.propagates("generic"),
            generic_maps: reader.maps(&format!("{prefix}_generic_maps")),
            status_filter: reader.maps(&format!("{prefix}_delivery_status_filter")),
        }
    }

    /// Fails where a filter changes what the next host says.
    ///
    /// # Errors
    /// If it does, or is not known.
    pub fn unfiltered(&self) -> Known<()> {
        match self.reply_filter.clone()?.as_str() {
            "" => Ok(()),
            filter => Err(LookupError::NotModelled(format!(
                "the filter `{filter}` of the next host's replies is not modelled"
            ))),
        }
    }

    /// The recipient as the client gives it to the next host (generic(5)).
    ///
    /// # Errors
    /// If a table on the way has no answer.
    pub fn rewritten(&self, recipient: &str, directory: &Directory) -> Known<String> {
        let (form, keys) = (QueryForm::Quoted, Keys::OfAddresses);
        let found = self
            .lookup
            .find(&self.generic_maps, recipient, form, keys, directory)?;
        let Some(found) = found else {
            return Ok(recipient.to_owned());
        };
        let mut value = found.hit.answer.value;
        if value.starts_with('@') {
            let (local, _) = split(recipient);
            let extension = found.extension.as_deref().unwrap_or_default();
            value = quoted(&format!(
                "{}{value}",
                local.strip_suffix(extension).unwrap_or(local)
            ));
        }
        let first = list(&value).and_then(|addresses| addresses.into_iter().next());
        let first = first.ok_or_else(|| {
            LookupError::NotModelled(format!("the form of `{value}` is not modelled"))
        })?;
        Ok(match found.extension.filter(|_| self.propagates) {
            Some(extension) => with_extension(&first, &extension),
            None => first,
        })
    }

    /// The status of a delivery after `…_delivery_status_filter`: `5.4.4 text` may become `4.4.4 text`.
    ///
    /// # Errors
    /// If the filter's table has no answer.
    pub fn filtered(&self, status: &str, directory: &Directory) -> Known<String> {
        let found = self.status_filter.find_key(status, false, directory)?;
        Ok(found.map_or(status.to_owned(), |hit| hit.answer.value))
    }
}
