//! What the model of mail is told of a host.

use std::collections::HashMap;

use crate::name::HostName;
use crate::postfix::configuration::HostEnvironment;
use crate::postfix::{MainCf, MasterCf};
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
    /// What the host has, where it was observed. None stands for what its distribution installs.
    pub live: Option<LiveInput<'a>>,
}

/// What an instance of Postfix has.
#[derive(Debug, Clone)]
pub struct LiveInput<'a> {
    /// main.cf.
    pub main_cf: &'a MainCf,
    /// master.cf.
    pub master_cf: &'a MasterCf,
    /// The properties of the host from which it makes some defaults.
    pub environment: &'a HostEnvironment,
    /// The texts of files that are known, by path.
    pub files: HashMap<String, String>,
}
