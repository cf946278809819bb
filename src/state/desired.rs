//! What a host must have.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{Mode, RemotePath, TableType, UserName};
use crate::secret::Body;
use crate::service::Service;
use crate::thing::Thing;

/// What is wanted of a thing that the manifest or a module names. A thing that none names is in no map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want<T> {
    /// It must exist, with this content or value.
    Present(T),
    /// It must not exist.
    Absent,
}

/// The whole content and the permissions that a file must have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its text; ends with a line end.
    pub body: Body,
    /// Its owner.
    pub owner: UserName,
    /// Its group.
    pub group: UserName,
    /// Its permission bits.
    pub mode: Mode,
    /// The table type of the index beside it, if it is an indexed table.
    pub index: Option<TableType>,
    /// The table type as which Postfix opens it (`ldap`, `hash`, `regexp`, …), if it does.
    pub table: Option<TableType>,
}

/// Addresses that are asked over SMTP after an apply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Probes {
    /// Must be accepted at RCPT.
    pub accept: Vec<String>,
    /// Must be refused at RCPT.
    pub refuse: Vec<String>,
}

/// Everything that one host must have: a pure function of murder, modules and facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desired {
    /// Whether the host is being retired (`state: retired` in the manifest): everything managed goes.
    pub retired: bool,
    /// What each service must have.
    pub services: BTreeMap<Service, DesiredService>,
}

/// Everything that one service of a host must have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredService {
    /// Whole files. The service loads them at its activation.
    pub files: BTreeMap<RemotePath, Want<File>>,
    /// Parameters, fields and options (`Thing::Parameter`, `Field`, `Option`), and
    /// `Thing::Service` only as `Want::Absent`.
    pub values: BTreeMap<Thing, Want<String>>,
    /// Things that a module would manage and that the manifest leaves alone on this host.
    pub leave: BTreeSet<Thing>,
    /// The addresses that are asked after an apply.
    pub probes: Probes,
    /// What a plan says about values that are lists, beside the change itself.
    pub notes: BTreeMap<Thing, Note>,
    /// Where other hosts must reach it.
    pub listens: Listens,
}

/// The ports on which other hosts must reach a service. It changes no step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listens {
    /// The ports as in master.cf: `smtp`. Empty if no other host needs to reach it.
    pub ports: BTreeSet<String>,
    /// The host's addresses in the manifest; empty if it has none there.
    pub addresses: Vec<String>,
}

static NOTHING: DesiredService = DesiredService {
    files: BTreeMap::new(),
    values: BTreeMap::new(),
    leave: BTreeSet::new(),
    probes: Probes {
        accept: Vec::new(),
        refuse: Vec::new(),
    },
    notes: BTreeMap::new(),
    listens: Listens {
        ports: BTreeSet::new(),
        addresses: Vec::new(),
    },
};

impl Desired {
    /// What a service must have: nothing if no manifest key or module names it.
    #[must_use]
    pub fn service(&self, service: &Service) -> &DesiredService {
        self.services.get(service).unwrap_or(&NOTHING)
    }

    /// What the default instance of Postfix must have.
    #[must_use]
    pub fn postfix(&self) -> &DesiredService {
        self.service(&Service::POSTFIX)
    }

    /// The same, to change it.
    pub fn postfix_mut(&mut self) -> &mut DesiredService {
        self.services.entry(Service::POSTFIX).or_default()
    }

    /// The files of all services.
    pub fn files(&self) -> impl Iterator<Item = (&RemotePath, &Want<File>)> {
        self.services.values().flat_map(|service| &service.files)
    }

    /// The values of all services.
    pub fn values(&self) -> impl Iterator<Item = (&Thing, &Want<String>)> {
        self.services.values().flat_map(|service| &service.values)
    }
}

/// What a module says about the members of a list, for whoever reads the plan. It changes no decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Note {
    /// How to keep members that the host's own value had before the first apply.
    pub dropped: Option<String>,
    /// The address class of the domains in the list (ADDRESS_CLASS_README).
    pub class: Option<String>,
}
