//! From murder, modules and facts to what one host must have: a pure function.
//!
//! [`Compiler`] prepares templates once; [`Compiler::compile`] asks it for one host.

mod alias_files;
mod check;
mod context;
mod file;
mod layer;
mod list;
mod module_checks;
mod own_name;
mod path_conflicts;
mod render_cache;
mod routes;
mod service;
mod setting;
mod tls_policy_maps;
mod variable;
mod whole_host;
mod work;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use tera::{Context, Value};

pub use self::check::value_problems;
pub use self::own_name::service_of_name;
pub use self::variable::Behind;
pub use self::work::{Compiled, Reasons, ValueOrigin};

use self::module_checks::probes;
use self::render_cache::RenderCaches;
use self::whole_host::WholeHost;
use self::work::{CompiledService, Role, Work};

use crate::diagnostic::Diagnostic;
use crate::model::{ContentSpec, FileSpec, Host, HostState, Murder};
use crate::module::{Engine, Modules};
use crate::name::{HostName, RoleName};
use crate::service::Service;
use crate::state::Facts;
use crate::thing::Thing;

/// Murder and modules, prepared for any number of hosts.
#[derive(Debug)]
pub struct Compiler<'a> {
    murder: &'a Murder,
    /// Modules and templates for each service that a host has.
    prepared: BTreeMap<Service, Prepared<'a>>,
    common: context::Common,
    leaving: Vec<routes::Leaving>,
    /// What an LDAP lookup of `mailHost` may give.
    mailhosts: BTreeSet<String>,
    /// Which host has which `myhostname`.
    own_names: own_name::Owners,
}

/// The modules for one service, prepared.
#[derive(Debug)]
struct Prepared<'a> {
    modules: Cow<'a, Modules>,
    engine: Cow<'a, Engine>,
    caches: RenderCaches,
    /// The variables of each role, all with their defaults.
    defaults: BTreeMap<RoleName, Value>,
}

/// The templates of modules for the default instance of Postfix, parsed once for many compilers.
#[derive(Debug)]
pub struct ModuleTemplates {
    engine: Engine,
    problems: Vec<Diagnostic>,
}

impl ModuleTemplates {
    /// Parses every template of these modules.
    #[must_use]
    pub fn new(modules: &Modules) -> Self {
        let folder = Service::POSTFIX.folder();
        let (engine, problems) = Engine::new(modules.0.values(), &folder);
        Self { engine, problems }
    }
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

impl<'a> Prepared<'a> {
    /// Parses every template for the hosts of a service: those that the manifest names, and those of the modules, as far as
    /// `parsed` does not have them.
    fn new(
        murder: &Murder,
        modules: &'a Modules,
        parsed: Option<&'a ModuleTemplates>,
        service: &Service,
    ) -> Result<Self, Vec<Diagnostic>> {
        let modules = modules.of_service(service);
        let parsed = parsed.filter(|_| service.named_instance().is_none());
        let (mut engine, mut problems) = match parsed {
            Some(parsed) => (Cow::Borrowed(&parsed.engine), parsed.problems.clone()),
            None => {
                let (engine, problems) = Engine::new(modules.0.values(), &service.folder());
                (Cow::Owned(engine), problems)
            }
        };
        let mut has_own = false;
        let vars: BTreeSet<&str> = modules
            .0
            .values()
            .flat_map(|module| module.vars.keys().map(String::as_str))
            .collect();
        let hosts = murder
            .hosts
            .values()
            .filter(|host| host.roles_on().contains(service));
        for layer in hosts.flat_map(|host| host.files.values().flatten()) {
            if let FileSpec::Present {
                content: ContentSpec::Template { name, text },
                ..
            } = &layer.value
            {
                has_own = true;
                engine.to_mut().add_file(
                    &file::manifest_name(name),
                    text,
                    layer.at,
                    &vars,
                    &mut problems,
                );
            }
        }
        if has_own {
            engine.to_mut().settle(&mut problems);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let defaults = modules.0.iter();
        let defaults = defaults.map(|(role, module)| (role.clone(), variable::defaults(module)));
        Ok(Self {
            engine,
            caches: RenderCaches::default(),
            defaults: defaults.collect(),
            modules,
        })
    }
}

impl<'a> Compiler<'a> {
    /// Parses every template: those of the modules, and those that the manifest names.
    ///
    /// # Errors
    /// Every problem of a template, with its line and column.
    pub fn new(murder: &'a Murder, modules: &'a Modules) -> Result<Self, Vec<Diagnostic>> {
        Self::with_parsed(murder, modules, None)
    }

    /// As [`new`](Self::new), with the templates of the modules parsed before: for many murders of the same modules.
    ///
    /// # Errors
    /// Every problem of a template, with its line and column.
    pub fn with_parsed(
        murder: &'a Murder,
        modules: &'a Modules,
        parsed: Option<&'a ModuleTemplates>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let hosts = murder.hosts.values();
        // The default instance comes first: its templates are the modules' own, and their errors have the right places.
        let services: BTreeSet<Service> = hosts
            .flat_map(|host| host.roles_on().into_iter().cloned())
            .chain([Service::POSTFIX])
            .collect();
        let mut prepared = BTreeMap::new();
        for service in services {
            let of_service = Prepared::new(murder, modules, parsed, &service)?;
            prepared.insert(service, of_service);
        }
        Ok(Self {
            murder,
            prepared,
            common: context::Common::new(murder, modules),
            leaving: routes::leaving(murder),
            mailhosts: murder
                .hosts
                .values()
                .map(|host| host.mailhost.to_string())
                .collect(),
            own_names: own_name::owners(murder),
        })
    }

    /// Compiles one host: each instance of Postfix that has roles of it, by itself.
    ///
    /// # Errors
    /// Every problem of the host's configuration, each with its place, and its warnings. A problem of a layer that
    /// many hosts share is the same value for each of them.
    pub fn compile(&self, name: &HostName, facts: &Facts) -> Result<Compiled, Vec<Diagnostic>> {
        let Some(host) = self.murder.hosts.get(name) else {
            return Err(vec![Diagnostic::error(format!(
                "`{name}` is not a host of this murder"
            ))]);
        };
        let mut whole = WholeHost::new(host);
        for service in host.roles_on() {
            if host.state == HostState::Retired {
                whole.retired(service);
                continue;
            }
            let Some(prepared) = self.prepared.get(service) else {
                return Err(vec![Diagnostic::error(format!(
                    "`{name}` is not a host that was prepared"
                ))]);
            };
            let part = host.part(service);
            let (compiled, problems) = self.service(prepared, host, &part, facts);
            whole.add(service, compiled, problems);
        }
        let mut compiled = whole.result(facts)?;
        let policies = self.murder.policies.iter();
        compiled.allow_paths = policies
            .flat_map(|policy| policy.allow_paths.clone())
            .collect();
        Ok(compiled)
    }

    /// Compiles what one service of a host must have. `part` is the host as far as the service is concerned.
    fn service(
        &self,
        prepared: &Prepared<'a>,
        host: &Host,
        part: &Host,
        facts: &Facts,
    ) -> (CompiledService, Vec<Diagnostic>) {
        let mut work = Work {
            engine: &prepared.engine,
            host: part,
            facts,
            roles: Vec::new(),
            left: BTreeMap::new(),
            postuser_at: self.murder.postuser_at,
            copies: BTreeMap::new(),
            compiled: CompiledService::default(),
            problems: Vec::new(),
        };
        variable::check_names(&prepared.modules, host, &mut work.problems);
        self.enter_roles(prepared, &mut work);
        work.leave();
        work.settings();
        work.services();
        work.files();
        work.keep_left();
        work.checks();
        work.check_own_name(self.murder, &self.own_names);
        work.check_values();
        work.check_paths();
        work.check_alias_files();
        work.find_tables();
        work.ways_to_leaving(&self.leaving);
        work.tls_policies(&self.mailhosts);
        work.compiled.wanted_mut().probes = probes(self.murder, part, &work.roles);
        work.judge_policies(&self.murder.policies);
        (work.compiled, work.problems)
    }

    /// The variables behind what the modules of a host say of a thing of a service, as far as the manifest sets them.
    #[must_use]
    pub fn behind(&self, host: &Host, service: &Service, thing: &Thing) -> Vec<Behind> {
        let prepared = self.prepared.get(service).into_iter();
        let modules = prepared.flat_map(|prepared| {
            let roles = host.roles.iter();
            roles.filter_map(|role| prepared.modules.0.get(role))
        });
        modules
            .flat_map(|module| variable::behind(module, thing, host))
            .collect()
    }

    fn enter_roles<'w>(&'w self, prepared: &'w Prepared<'a>, work: &mut Work<'w>) {
        let host = self.common.host(work.host, work.facts);
        layer::check_leave(&prepared.modules, work.host, &mut work.compiled.warnings);
        for role in &work.host.roles {
            let Some(module) = prepared.modules.0.get(role) else {
                work.problems.push(
                    Diagnostic::error(format!("there is no module for role `{role}`"))
                        .at(work.host.at, "")
                        .hint(format!(
                            "to define this role yourself, add `modules/{role}/module.yaml`"
                        )),
                );
                continue;
            };
            let vars = match prepared.defaults.get(role) {
                Some(defaults) if !variable::any_set(module, work.host) => defaults.clone(),
                _ => variable::values(module, work.host, &mut work.problems),
            };
            let cache = prepared.caches.get(role, work.facts, vars, |vars| {
                let mut context = Context::new();
                context.insert_value("murder", self.common.murder.clone());
                context.insert_value("facts", context::facts(work.facts));
                context.insert_value("vars", vars.clone());
                context
            });
            let mut context = cache.context.clone();
            context.insert_value("host", host.clone());
            for per in module.per.values() {
                work.copies
                    .entry(*per)
                    .or_insert_with(|| self.common.per_directory(work.host, &host, *per));
            }
            // Also where a condition takes the value away: then its members go.
            let notes = module.notes.iter();
            let notes = notes.map(|(thing, note)| (thing.clone(), note.clone()));
            let wanted = work.compiled.wanted_mut();
            wanted.notes.extend(notes);
            wanted.listens.ports.extend(module.listens.clone());
            if !wanted.listens.ports.is_empty() {
                wanted.listens.addresses.clone_from(&work.host.addresses);
            }
            work.roles.push(Role {
                module,
                context,
                cache,
            });
        }
    }
}
