//! From murder, modules and facts to what one host must have: a pure function.
//!
//! [`Compiler`] prepares templates once; [`Compiler::compile`] asks it for one host.

mod check;
mod context;
mod file;
mod layer;
mod list;
mod path_conflicts;
mod render_cache;
mod routes;
mod service;
mod setting;
mod tls_policy_maps;
mod variable;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tera::{Context, Value};

pub use self::check::written;

use self::render_cache::{RenderCache, RenderCaches};
pub use self::variable::Behind;

use crate::diagnostic::{Diagnostic, Span};
use crate::model::{ContentSpec, FileSpec, Host, HostState, Level, Murder};
use crate::module::{Check, Engine, Module, Modules, Per, ProbeKind};
use crate::name::{HostName, Parameter, RoleName};
use crate::state::{Desired, Facts, Probes};
use crate::thing::Thing;

/// What one host must have, and why.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// What it must have.
    pub desired: Desired,
    /// For each thing, who said what of it: the winner first, then what it overrode.
    pub origins: BTreeMap<Thing, Vec<Origin>>,
    /// Things that are left alone here, and who said so.
    pub left: BTreeMap<Thing, Origin>,
    /// What works, and the user should know.
    pub warnings: Vec<Diagnostic>,
    /// What would not work if the host is as its facts say, where nobody has observed them.
    pub guesses: Vec<Diagnostic>,
}

/// One layer's word on a thing, for `explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Which layer.
    pub level: Level,
    /// Where it is written.
    pub at: Span,
    /// What it says; secrets masked.
    pub value: String,
    /// Where it puts words into the list that the next layer gives, those words with their places.
    pub members: Option<Vec<(String, Span)>>,
}

/// Murder and modules, prepared for any number of hosts.
#[derive(Debug)]
pub struct Compiler<'a> {
    murder: &'a Murder,
    modules: &'a Modules,
    engine: Engine,
    common: context::Common,
    leaving: Vec<routes::Leaving>,
    /// What an LDAP lookup of `mailHost` may give.
    mailhosts: BTreeSet<String>,
    grounds: RenderCaches,
    /// The variables of each role where nobody sets any.
    defaults: BTreeMap<RoleName, Value>,
}

/// One role of the host at hand: its module and what its templates see.
struct Role<'a> {
    module: &'a Module,
    context: Context,
    ground: Arc<RenderCache>,
}

impl Role<'_> {
    fn render(&self, engine: &Engine, name: &str) -> Result<String, Diagnostic> {
        self.ground.render(engine, name, &self.context)
    }
}

/// What is being compiled, with what was found so far.
struct Work<'a> {
    engine: &'a Engine,
    host: &'a Host,
    facts: &'a Facts,
    roles: Vec<Role<'a>>,
    left: BTreeMap<Thing, (Level, Span)>,
    postuser_at: Option<Span>,
    /// What templates see for each copy of a `per:` file; the same for every such file of a host.
    copies: BTreeMap<Per, Vec<(String, Value)>>,
    compiled: Compiled,
    problems: Vec<Diagnostic>,
}

/// Compiles one host.
///
/// For many hosts, make one [`Compiler`] and ask it for each.
///
/// # Errors
/// Every problem of the host's configuration, each with its place.
pub fn compile(
    murder: &Murder,
    modules: &Modules,
    host: &HostName,
    facts: &Facts,
) -> Result<Compiled, Vec<Diagnostic>> {
    Compiler::new(murder, modules)?.compile(host, facts)
}

/// Every problem of every host, for a murder of which something else is known to be wrong.
#[must_use]
pub fn problems(murder: &Murder, modules: &Modules) -> Vec<Diagnostic> {
    let compiler = match Compiler::new(murder, modules) {
        Ok(compiler) => compiler,
        Err(problems) => return problems,
    };
    let of_host = |host: &Host| match compiler.compile(&host.name, &host.facts) {
        Ok(compiled) => compiled.warnings,
        Err(problems) => problems,
    };
    murder.hosts.values().flat_map(of_host).collect()
}

impl<'a> Compiler<'a> {
    /// Parses every template: those of the modules, and those that the manifest names.
    ///
    /// # Errors
    /// Every problem of a template, with its line and column.
    pub fn new(murder: &'a Murder, modules: &'a Modules) -> Result<Self, Vec<Diagnostic>> {
        let (mut engine, mut problems) = Engine::new(modules.0.values());
        let vars: BTreeSet<&str> = modules
            .0
            .values()
            .flat_map(|module| module.vars.keys().map(String::as_str))
            .collect();
        for layer in murder
            .hosts
            .values()
            .flat_map(|host| host.files.values().flatten())
        {
            if let FileSpec::Present {
                content: ContentSpec::Template { name, text },
                ..
            } = &layer.value
            {
                engine.add_file(
                    &file::manifest_name(name),
                    text,
                    layer.at,
                    &vars,
                    &mut problems,
                );
            }
        }
        engine.settle(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            murder,
            modules,
            engine,
            common: context::Common::new(murder, modules),
            leaving: routes::leaving(murder),
            mailhosts: murder
                .hosts
                .values()
                .map(|host| host.mailhost.to_string())
                .collect(),
            grounds: RenderCaches::default(),
            defaults: modules
                .0
                .iter()
                .map(|(role, module)| (role.clone(), variable::defaults(module)))
                .collect(),
        })
    }

    /// Compiles one host.
    ///
    /// # Errors
    /// Every problem of the host's configuration, each with its place. A problem of a layer that
    /// many hosts share is the same value for each of them.
    pub fn compile(&self, name: &HostName, facts: &Facts) -> Result<Compiled, Vec<Diagnostic>> {
        let Some(host) = self.murder.hosts.get(name) else {
            return Err(vec![Diagnostic::error(format!(
                "there is no host `{name}`"
            ))]);
        };
        if host.state == HostState::Retired {
            let desired = Desired {
                retired: true,
                ..Desired::default()
            };
            return Ok(Compiled {
                desired,
                ..Compiled::default()
            });
        }
        let mut work = Work {
            engine: &self.engine,
            host,
            facts,
            roles: Vec::new(),
            left: BTreeMap::new(),
            postuser_at: self.murder.postuser_at,
            copies: BTreeMap::new(),
            compiled: Compiled::default(),
            problems: Vec::new(),
        };
        self.enter_roles(&mut work);
        work.leave();
        work.settings();
        work.services();
        work.files();
        work.checks();
        work.check_values();
        work.check_paths();
        work.find_tables();
        work.ways_to_leaving(&self.leaving);
        work.tls_policies(&self.mailhosts);
        work.compiled.desired.probes = probes(self.murder, host, &work.roles);
        if work.problems.is_empty() {
            Ok(work.compiled)
        } else {
            Err(work.problems)
        }
    }

    /// The variables behind what the modules of a host say of a thing, as far as the manifest sets
    /// them.
    #[must_use]
    pub fn behind(&self, host: &Host, thing: &Thing) -> Vec<Behind> {
        let modules = host
            .roles
            .iter()
            .filter_map(|role| self.modules.0.get(role));
        modules
            .flat_map(|module| variable::behind(module, thing, host))
            .collect()
    }

    fn enter_roles(&self, work: &mut Work<'a>) {
        let host = self.common.host(work.host, work.facts);
        variable::check_names(self.modules, work.host, &mut work.problems);
        layer::check_leave(self.modules, work.host, &mut work.compiled.warnings);
        for role in &work.host.roles {
            let Some(module) = self.modules.0.get(role) else {
                work.problems.push(
                    Diagnostic::error(format!("there is no module for role `{role}`"))
                        .at(work.host.at, "")
                        .hint(format!("a module of your own stands in `modules/{role}/`")),
                );
                continue;
            };
            let vars = match self.defaults.get(role) {
                Some(defaults) if !variable::any_set(module, work.host) => defaults.clone(),
                _ => variable::values(module, work.host, &mut work.problems),
            };
            let ground = self.grounds.get(role, work.facts, vars, |vars| {
                let mut context = Context::new();
                context.insert_value("murder", self.common.murder.clone());
                context.insert_value("facts", context::facts(work.facts));
                context.insert_value("vars", vars.clone());
                context
            });
            let mut context = ground.context.clone();
            context.insert_value("host", host.clone());
            for per in module.per.values() {
                work.copies
                    .entry(*per)
                    .or_insert_with(|| self.common.per_directory(work.host, &host, *per));
            }
            // Also where a condition takes the value away: then its members go.
            let notes = module.notes.iter();
            let notes = notes.map(|(thing, note)| (thing.clone(), note.clone()));
            work.compiled.desired.notes.extend(notes);
            work.roles.push(Role {
                module,
                context,
                ground,
            });
        }
    }
}

impl Work<'_> {
    /// The value of a template of a module for this host; problems are kept.
    fn render(&mut self, name: &str, role: usize) -> Option<String> {
        match self.roles.get(role)?.render(self.engine, name) {
            Ok(text) => Some(text),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// Whether the module of that role names the thing on this host.
    fn named(&mut self, thing: &Thing, role: usize) -> bool {
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

    fn role_name(&self, role: usize) -> Option<&RoleName> {
        self.roles.get(role).map(|role| &role.module.role)
    }

    /// Whether a parameter is set on this host, or left alone on purpose.
    fn is_decided(&self, name: &Parameter) -> bool {
        let thing = Thing::Parameter(name.clone());
        self.left.contains_key(&thing) || self.compiled.desired.values.contains_key(&thing)
    }

    /// What the modules have to say about this host.
    fn checks(&mut self) {
        for role in 0..self.roles.len() {
            let Some(module) = self.roles.get(role).map(|role| role.module) else {
                continue;
            };
            for (number, check) in module.checks.iter().enumerate() {
                let (when, text) = crate::module::check_names(module.role.as_str(), number);
                if check
                    .about
                    .as_ref()
                    .is_some_and(|name| self.is_decided(name))
                {
                    continue;
                }
                let holds = self
                    .render(&when, role)
                    .is_some_and(|text| !text.is_empty());
                if !holds {
                    continue;
                }
                let Some(text) = self.render(&text, role) else {
                    continue;
                };
                let mut said = if check.error {
                    Diagnostic::error(text.trim())
                } else {
                    Diagnostic::warning(text.trim())
                };
                said = self.put_at(said, module, check).hint(check.hint.as_deref().map_or(
                    "docs/modules.md says where a module's own checks stand, and how a host departs from it",
                    str::trim,
                ));
                if check.error {
                    self.problems.push(said);
                } else {
                    self.compiled.warnings.push(said);
                }
            }
        }
    }
}

impl Work<'_> {
    /// Points a module's word at what it is about: the postuser, variables that the manifest sets,
    /// or else the host.
    fn put_at(&self, said: Diagnostic, module: &Module, check: &Check) -> Diagnostic {
        let postuser = self
            .postuser_at
            .filter(|_| check.when.value.contains("murder.postuser"))
            .map(|at| (at, "the postuser".to_owned()));
        let variables = variable::set(module, check.variables(), self.host)
            .into_iter()
            .map(|word| (word.at, format!("the variable `{}`", word.name)));
        let mut places = postuser.into_iter().chain(variables);
        let Some((at, _)) = places.next() else {
            return said.at(self.host.at, "");
        };
        places.fold(said.at(at, ""), |said, (at, label)| said.related(at, label))
    }
}

/// The murder-wide addresses go to the hosts whose modules answer for every address; a host's
/// own are asked in any case.
fn probes(murder: &Murder, host: &Host, roles: &[Role<'_>]) -> Probes {
    let asked = |kind: ProbeKind| roles.iter().any(|role| role.module.probes.contains(&kind));
    let choose = |kind: ProbeKind, all: &[String], shared: &[String]| -> Vec<String> {
        all.iter()
            .filter(|address| asked(kind) || !shared.contains(address))
            .cloned()
            .collect()
    };
    Probes {
        accept: choose(
            ProbeKind::Accept,
            &host.probes.accept,
            &murder.probes.accept,
        ),
        refuse: choose(
            ProbeKind::Refuse,
            &host.probes.refuse,
            &murder.probes.refuse,
        ),
    }
}
