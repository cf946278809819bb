//! One host while it is compiled: what is known of it, and what was found so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use tera::{Context, Value};

use super::render_cache::RenderCache;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Host, Level};
use crate::module::{Engine, Module, Per};
use crate::name::{Parameter, RoleName};
use crate::service::Service;
use crate::state::{Desired, DesiredService, Facts};
use crate::thing::Thing;

/// What one host must have, and why.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// What it must have.
    pub desired: Desired,
    /// Why each of its services must have that, in the order of the services.
    pub reasons: Vec<Reasons>,
    /// What works, and the user should know.
    pub warnings: Vec<Diagnostic>,
    /// What would not work if the host is as its facts say, where they were not observed.
    pub guesses: Vec<Diagnostic>,
    /// Patterns of files outside of the services' folders that the operator's policies allow.
    pub allow_paths: Vec<String>,
}

/// Why a service of a host must have what it must have.
#[derive(Debug, Clone, Default)]
pub struct Reasons {
    /// The service.
    pub service: Service,
    /// For each thing, who said what of it: the winner first, then what it overrode.
    pub origins: BTreeMap<Thing, Vec<ValueOrigin>>,
    /// Things that are left alone here, and who said so.
    pub left: BTreeMap<Thing, ValueOrigin>,
}

impl Compiled {
    /// Who said what of a thing, the winner first. None where no line names it.
    #[must_use]
    pub fn origins(&self, service: &Service, thing: &Thing) -> Option<&[ValueOrigin]> {
        let reasons = self.reasons.iter().find(|one| one.service == *service)?;
        reasons.origins.get(thing).map(Vec::as_slice)
    }

    /// The same, whatever service has the thing.
    #[must_use]
    pub fn any_origins(&self, thing: &Thing) -> Option<&[ValueOrigin]> {
        let mut reasons = self.reasons.iter();
        reasons.find_map(|one| one.origins.get(thing).map(Vec::as_slice))
    }
}

/// One service of a host, compiled.
#[derive(Debug, Clone, Default)]
pub(super) struct CompiledService {
    /// What the service must have.
    pub(super) wanted: DesiredService,
    /// For each thing, who said what of it: the winner first, then what it overrode.
    pub(super) origins: BTreeMap<Thing, Vec<ValueOrigin>>,
    /// Things that are left alone here, and who said so.
    pub(super) left: BTreeMap<Thing, ValueOrigin>,
    /// What works, and the user should know.
    pub(super) warnings: Vec<Diagnostic>,
    /// What would not work if the host is as its facts say, where they were not observed.
    pub(super) guesses: Vec<Diagnostic>,
}

impl CompiledService {
    /// What the service must have.
    pub(super) fn wanted(&self) -> &DesiredService {
        &self.wanted
    }

    /// The same, to change it.
    pub(super) fn wanted_mut(&mut self) -> &mut DesiredService {
        &mut self.wanted
    }
}

/// What one layer says of a thing, for `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueOrigin {
    /// Which layer.
    pub level: Level,
    /// Where it is written.
    pub at: Span,
    /// What it says; secrets masked.
    pub value: String,
    /// Where it puts words into the list that the next layer gives, those words with their places.
    pub members: Option<Vec<(String, Span)>>,
}

/// One role of the host at hand: its module and what its templates see.
pub(super) struct Role<'a> {
    pub(super) module: &'a Module,
    pub(super) context: Context,
    pub(super) cache: Arc<RenderCache>,
}

impl Role<'_> {
    pub(super) fn render(&self, engine: &Engine, name: &str) -> Result<String, Diagnostic> {
        self.cache.render(engine, name, &self.context)
    }
}

/// What is being compiled, with what was found so far.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) host: &'a Host,
    pub(super) facts: &'a Facts,
    pub(super) roles: Vec<Role<'a>>,
    pub(super) left: BTreeMap<Thing, (Level, Span)>,
    pub(super) postuser_at: Option<Span>,
    /// What templates see for each copy of a `per:` file; the same for every such file of a host.
    pub(super) copies: BTreeMap<Per, Vec<(String, Value)>>,
    pub(super) compiled: CompiledService,
    pub(super) problems: Vec<Diagnostic>,
}

impl Work<'_> {
    /// The value of a template of a module for this host; problems are kept.
    pub(super) fn render(&mut self, name: &str, role: usize) -> Option<String> {
        match self.roles.get(role)?.render(self.engine, name) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// Whether the module of that role names the thing on this host.
    pub(super) fn named(&mut self, thing: &Thing, role: usize) -> bool {
        let Some(held) = self.roles.get(role) else {
            return false;
        };
        let module = held.module;
        if !module.when.contains_key(thing) {
            return true;
        }
        let name = crate::module::when_name(module.role.as_str(), thing);
        self.render(&name, role)
            .is_some_and(|text| !text.is_empty())
    }

    pub(super) fn role_name(&self, role: usize) -> Option<&RoleName> {
        self.roles.get(role).map(|role| &role.module.role)
    }

    /// Whether a parameter is set on this host, or left alone on purpose.
    pub(super) fn is_decided(&self, name: &Parameter) -> bool {
        let thing = Thing::Parameter(name.clone());
        self.left.contains_key(&thing) || self.compiled.wanted().values.contains_key(&thing)
    }
}
