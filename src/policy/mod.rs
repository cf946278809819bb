//! Policies: rules that the configuration of every host must keep, whoever wrote it, and times without changes.
//!
//! A rule is about what the manifest and its modules want of a host. What only the host itself sets is not known here.

mod host;
mod judge;
mod mistakes;
mod read;

pub use host::{PolicyHost, Violation};
pub use judge::violations;
pub use read::{read, safe};

use std::collections::BTreeMap;

use crate::diagnostic::Span;
use crate::name::{Mode, Parameter, RoleName, ServiceName, UserName};
use crate::thing::Field;

/// The name of the set of rules that `murder` has, on the command line.
pub const SAFE: &str = "builtin:safe";

/// The rules of one file, of the manifest, or of `murder` itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Where it is from, for messages.
    pub name: String,
    /// The rules.
    pub rules: Vec<PolicyRule>,
    /// Times without changes.
    pub freezes: Vec<Freeze>,
    /// Patterns of files outside of Postfix's folder that manifests may manage.
    pub allow_paths: Vec<String>,
}

/// A time in which nothing is applied without a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// The first moment, in seconds since 1970 (UTC).
    pub from: u64,
    /// The first moment after it.
    pub until: u64,
    /// The end as it is written.
    pub until_text: String,
    /// Why.
    pub reason: Option<String>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// Its name.
    pub name: String,
    /// Only for hosts with one of these roles; for all where there is none.
    pub roles: Vec<RoleName>,
    /// Only for hosts with a role that provides one of these.
    pub provides: Vec<String>,
    /// What is demanded.
    pub demand: Demand,
    /// Why.
    pub message: Option<String>,
    /// Where to read more.
    pub reference: Option<String>,
    /// Where it is written; none for a rule of `murder` itself.
    pub at: Option<Span>,
}

/// What a rule demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// Of a parameter in main.cf and the options of every service, or of one service alone.
    Parameter(Parameter, Option<ServiceName>, ValueDemand),
    /// That master.cf has no such service.
    NoService(ServiceName),
    /// That the entry of a service has these columns.
    Service(ServiceName, BTreeMap<Field, String>),
    /// That no managed file matches.
    NoFile(String),
    /// That every managed file that matches is so.
    File(String, FileDemand),
    /// That a mistake is not made.
    No(Mistake),
}

/// What is demanded of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueDemand {
    /// It is this one.
    Is(String),
    /// It is a list that has these.
    Has(Vec<String>),
    /// It is none of these; in a list, no member is or covers one.
    Not(Vec<String>),
    /// It is one of these; in a list, every member.
    OneOf(Vec<String>),
    /// It is not less.
    AtLeast(String),
    /// It is not more.
    AtMost(String),
}

/// What is demanded of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileDemand {
    /// Its owner.
    pub owner: Option<UserName>,
    /// Its group.
    pub group: Option<UserName>,
    /// The permissions that it may have at most.
    pub mode: Option<Mode>,
}

/// A mistake that `murder` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// The host relays for every client.
    OpenRelay,
    /// A password goes to the LDAP server of another host without TLS.
    CleartextBind,
    /// A file with a secret that all users can read.
    WorldReadableSecret,
    /// `mynetworks` hold the Internet, or a great part of it.
    WholeInternet,
}
