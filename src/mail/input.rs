//! What the model of mail is told of a host.

use crate::name::HostName;
use crate::service::Service;
use crate::state::{DesiredService, Facts};

/// What a host does in the murder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostAbilities {
    /// It takes mail from the Internet.
    pub is_edge: bool,
    /// Other hosts send to it what is not their own.
    pub is_smart_host: bool,
    /// It holds mailboxes.
    pub holds_mailboxes: bool,
}

/// What the manifest says of a host.
#[derive(Debug, Clone)]
pub struct HostInput<'a> {
    /// Its name.
    pub name: &'a HostName,
    /// What a trace calls it: its name, with the instance of Postfix where the host has roles on several.
    pub label: String,
    /// The instance of Postfix.
    pub service: &'a Service,
    /// The name under which other hosts send mail to it.
    pub reached_by: &'a str,
    /// The value of `mailHost` for its mailboxes.
    pub mailhost: &'a str,
    /// The addresses and networks from which it sends.
    pub addresses: &'a [String],
    /// What it must have.
    pub desired: &'a DesiredService,
    /// Its facts.
    pub facts: &'a Facts,
    /// What it does in the murder.
    pub abilities: HostAbilities,
}
