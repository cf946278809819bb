//! Delivery by local(8): aliases, and the mailboxes of accounts.

use std::collections::BTreeSet;

use super::address::{split, unquoted, with_extension};
use super::maps::{AddressLookup, Hit, Known, Maps};
use super::reader::ParameterReader;
use super::table::{HostTables, LookupError};
use crate::directory::Directory;
use crate::postfix::split_list;

/// What is said after the mailbox of an account. No file of the model says that it forwards its mail, but only the host knows.
pub(super) const IF_NO_FORWARD: &str = ", if it has no file `.forward`";

/// The parameters of local(8).
#[derive(Debug)]
pub struct LocalAgent {
    lookup: AddressLookup,
    alias_maps: Maps,
    accounts: Maps,
    mailbox_transport: Known<String>,
    fallback_transport: Known<String>,
    luser_relay: Known<String>,
    /// Whether `forward_path` is another one than the default: only the host knows what the files say.
    has_own_forward_path: bool,
    /// The accounts that have a file `.forward` on the host.
    forwarding: BTreeSet<String>,
    mailbox_transport_maps: Maps,
    fallback_transport_maps: Maps,
    /// Whether an extension that the name of an alias lacks goes to its addresses (`propagate_unmatched_extensions`).
    propagates: bool,
}

/// What local(8) does with a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalDelivery {
    /// It delivers into a mailbox, a file or a command.
    Delivered(String),
    /// It sends a new message to these recipients, by the alias.
    Forwarded(Vec<String>, Hit),
    /// Another transport delivers, in the form of `mailbox_transport`.
    Transport(String),
    /// There is no such account.
    Unknown,
}

impl LocalAgent {
    /// Reads the parameters of the service `local/unix`.
    pub fn read(reader: &mut ParameterReader<'_, '_>) -> Self {
        Self {
            lookup: reader.address_lookup(),
            alias_maps: reader.maps("alias_maps"),
            accounts: Maps {
                parameter: "accounts".to_owned(),
                tables: Ok(HostTables::default().all("unix:passwd.byname")),
            },
            mailbox_transport: reader.text("mailbox_transport"),
            fallback_transport: reader.text("fallback_transport"),
            luser_relay: reader.text("luser_relay"),
            has_own_forward_path: reader.view.is_set("forward_path"),
            forwarding: reader.tables.forwarding_accounts(),
            mailbox_transport_maps: reader.maps("mailbox_transport_maps"),
            fallback_transport_maps: reader.maps("fallback_transport_maps"),
            propagates: reader.propagates("alias"),
        }
    }

    /// What becomes of a recipient (local(8), "DELIVERY METHOD CONTROLS"). `alias` is the one that names it, if one does: an alias
    /// that names itself means the mailbox.
    ///
    /// # Errors
    /// If a table on the way has no answer, or only the host knows the account.
    pub fn deliver(
        &self,
        recipient: &str,
        alias: Option<&str>,
        directory: &Directory,
    ) -> Known<LocalDelivery> {
        let (user, _) = split(recipient);
        // `\root` in an alias stands for root's own mailbox.
        if let Some(user) = user.strip_prefix('\\') {
            return self.deliver_to_account(user, directory);
        }
        let user = user.to_lowercase();
        let bare = self.lookup.extensions.split(&user);
        let whole = [(user.as_str(), None)];
        let bare = bare
            .as_ref()
            .map(|(bare, extension)| (bare.as_str(), Some(extension.as_str())));
        for (key, extension) in whole.into_iter().chain(bare) {
            if alias == Some(key) {
                continue;
            }
            if let Some(hit) = self.alias_maps.find_key(key, false, directory)? {
                return expanded(hit, extension.filter(|_| self.propagates));
            }
        }
        self.deliver_to_account(recipient, directory)
    }

    /// What becomes of a recipient that no alias has.
    fn deliver_to_account(&self, recipient: &str, directory: &Directory) -> Known<LocalDelivery> {
        let user = split(recipient).0.to_lowercase();
        let bare = self.lookup.extensions.split(&user).map(|(bare, _)| bare);
        let account = bare.as_deref().unwrap_or(&user);
        if self.has_own_forward_path || self.forwarding.contains(account) {
            let what = format!("the file `.forward` of `{account}` is not modelled");
            return Err(LookupError::NotModelled(what));
        }
        if let Some(hit) = self
            .mailbox_transport_maps
            .find_key(account, false, directory)?
        {
            return Ok(LocalDelivery::Transport(hit.answer.value));
        }
        let mailbox = self.mailbox_transport.clone()?;
        if !mailbox.is_empty() {
            return Ok(LocalDelivery::Transport(mailbox));
        }
        if self.accounts.find_key(account, false, directory)?.is_some() {
            let what = format!("mailbox of {account}{IF_NO_FORWARD}");
            return Ok(LocalDelivery::Delivered(what));
        }
        if let Some(hit) = self
            .fallback_transport_maps
            .find_key(account, false, directory)?
        {
            return Ok(LocalDelivery::Transport(hit.answer.value));
        }
        let fallback = self.fallback_transport.clone()?;
        if !fallback.is_empty() {
            return Ok(LocalDelivery::Transport(fallback));
        }
        if !self.luser_relay.clone()?.is_empty() {
            return Err(LookupError::NotModelled(
                "`luser_relay` is not modelled".to_owned(),
            ));
        }
        Ok(LocalDelivery::Unknown)
    }
}

/// An address of an alias in internal form; a backslash before it stays.
fn unquoted_alias(word: &str) -> String {
    match word.strip_prefix('\\') {
        Some(rest) => format!("\\{}", unquoted(rest)),
        None => unquoted(word),
    }
}

/// What the value of an alias means (aliases(5)). Its addresses get the extension.
fn expanded(hit: Hit, extension: Option<&str>) -> Known<LocalDelivery> {
    let value = hit.answer.value.trim();
    let first = value.trim_start_matches('"');
    if first.starts_with('|') || first.starts_with('/') {
        return Ok(LocalDelivery::Delivered(format!("`{value}`")));
    }
    let words = split_list(value);
    if value.contains(":include:") || words.iter().any(|word| word.starts_with(['|', '/'])) {
        return Err(LookupError::NotModelled(format!(
            "the alias `{value}` is not modelled"
        )));
    }
    let words = words.iter().map(|word| unquoted_alias(word));
    let words = words.map(|word| match extension {
        Some(extension) => with_extension(&word, extension),
        None => word,
    });
    Ok(LocalDelivery::Forwarded(words.collect(), hit))
}
