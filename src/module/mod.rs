//! A role's module: the data under `modules/<role>/` that says what a host with that role must have.
//!
//! Rust names no role. What the program must know of a role, the module says: which roles come
//! before it (`after`), whether a murder has one at most, and what it can do (`provides`).

mod embedded;
mod engine;
mod filters;
mod growth;
mod instance;
mod library;
mod names;
mod parameters;
mod read;
mod spend;
mod text_kind;
mod uses;
mod variable;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::SourceId;
use crate::model::{FileSpec, Layer, ServiceSpec, SettingSpec};
use crate::name::{Parameter, RemotePath, RoleName, ServiceName};
use crate::state::Note;
use crate::thing::Thing;

pub use embedded::embedded;
pub use engine::Engine;
pub(crate) use engine::{check_names, value_name, when_name};
pub(crate) use filters::network;
pub use library::{Library, ParsedModules, parse};
pub use names::{FACTS, HOST, LDAP, MURDER};
pub use text_kind::TextKind;
pub use variable::{Variable, VariableKind};

/// Every module of a run, by role.
#[derive(Debug, Clone, Default)]
pub struct Modules(pub BTreeMap<RoleName, Module>);

/// One module, parsed and checked by itself (its templates are rendered by `compile`).
#[derive(Debug, Clone)]
pub struct Module {
    /// The role it is for.
    pub role: RoleName,
    /// One line for people.
    pub summary: String,
    /// Where it was read.
    pub source: SourceId,
    /// Roles whose additions go before this one's.
    pub after: Vec<RoleName>,
    /// What a host with this role can do for others: `mailboxes`, `smart-host`, `edge`, …
    pub provides: BTreeSet<String>,
    /// Whether a murder has one host with this role at most.
    pub at_most_one: bool,
    /// The signs by which a host with this role is recognized: all of one of these lists. None where it is not.
    pub recognized_by: Vec<Vec<String>>,
    /// The port on which other hosts must reach a host with this role, as in master.cf.
    pub listens: Option<String>,
    /// Which of the murder-wide probe addresses a host with this role is asked.
    pub probes: BTreeSet<ProbeKind>,
    /// Its variables.
    pub vars: BTreeMap<String, Variable>,
    /// main.cf parameters; values are Tera templates.
    pub settings: BTreeMap<Parameter, Layer<SettingSpec>>,
    /// master.cf entries; values are Tera templates.
    pub services: BTreeMap<ServiceName, Layer<ServiceSpec>>,
    /// Whole files; content is a Tera template.
    pub files: BTreeMap<RemotePath, Layer<FileSpec>>,
    /// Files that the host has once for each of its directories (`per:`).
    pub per: BTreeMap<RemotePath, Per>,
    /// For any thing above: a Tera expression; where it is false, the thing is not named.
    pub when: BTreeMap<Thing, Layer<String>>,
    /// What a plan says where a value changes in a way that people should look at twice.
    pub notes: BTreeMap<Thing, Note>,
    /// What the module has to say about a host, beside its things.
    pub checks: Vec<Check>,
    /// Its templates, and those that all modules share, by name (`backend/transport.tera`).
    pub templates: BTreeMap<String, Template>,
}

/// The text of one template file.
#[derive(Debug, Clone)]
pub struct Template {
    /// Where it was read.
    pub source: SourceId,
    /// Its text.
    pub text: Arc<str>,
}

/// Which kind of probe (`state::Probes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    /// Addresses that must be accepted.
    Accept,
    /// Addresses that must be refused.
    Refuse,
}

/// What a file with `per:` is repeated for. The first directory's file has the plain path,
/// the others have the directory's suffix before `.cf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// For each search base, with the mail domains under it.
    Directories,
    /// For each domain that has other names (`alias_of`).
    AliasDirectories,
}

/// Something a module says about a host.
#[derive(Debug, Clone)]
pub struct Check {
    /// Whether it stops the run.
    pub error: bool,
    /// The parameter that it is about: not said where that one is set or left alone.
    pub about: Option<Parameter>,
    /// A Tera expression: said where it is true.
    pub when: Layer<String>,
    /// The summary, a Tera template.
    pub text: Layer<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// A file of a module, `role/module.yaml` or `role/templates/x.tera`, or of all, `templates/x.tera`, and its text.
pub type ModuleFile = (Cow<'static, str>, Cow<'static, str>);
