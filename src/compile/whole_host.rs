//! The services of a host, compiled one by one, as one host.

use std::collections::BTreeMap;

use super::work::{Compiled, CompiledService, Reasons};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::model::Host;
use crate::name::{Parameter, RemotePath};
use crate::service::Service;
use crate::state::{Facts, Want};
use crate::thing::Thing;

/// A host while its services are brought together.
pub(super) struct WholeHost<'a> {
    host: &'a Host,
    compiled: Compiled,
    problems: Vec<Diagnostic>,
    /// How many services were added.
    services: usize,
    /// Warnings, each with the number of services that gave it.
    warnings: Vec<(Diagnostic, usize)>,
}

impl<'a> WholeHost<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self {
            host,
            compiled: Compiled::default(),
            problems: Vec::new(),
            services: 0,
            warnings: Vec::new(),
        }
    }

    /// Adds a service of a host that is retired: nothing is left of it.
    pub(super) fn retired(&mut self, service: &Service) {
        self.compiled.desired.retired = true;
        self.compiled.reasons.push(Reasons {
            service: service.clone(),
            ..Reasons::default()
        });
    }

    /// Adds a service with its problems. What several services say alike is said once.
    pub(super) fn add(
        &mut self,
        service: &Service,
        compiled: CompiledService,
        problems: Vec<Diagnostic>,
    ) {
        self.services += 1;
        for warning in compiled.warnings {
            match self
                .warnings
                .iter_mut()
                .find(|(known, _)| *known == warning)
            {
                Some((_, times)) => *times += 1,
                None => self.warnings.push((warning, 1)),
            }
        }
        add_new(&mut self.compiled.guesses, compiled.guesses);
        add_new(&mut self.problems, problems);
        let desired = &mut self.compiled.desired.services;
        desired.insert(service.clone(), compiled.wanted);
        self.compiled.reasons.push(Reasons {
            service: service.clone(),
            origins: compiled.origins,
            left: compiled.left,
        });
    }

    /// What the host must have, or its problems with its warnings.
    pub(super) fn result(mut self, facts: &Facts) -> Result<Compiled, Vec<Diagnostic>> {
        if self.services > 1 {
            self.shared_files();
            self.shared_names();
        }
        // That no module manages what is left alone must be so for every service.
        let services = self.services;
        let counts = |(warning, times): (Diagnostic, usize)| {
            (times == services || !super::layer::is_about_leave(&warning)).then_some(warning)
        };
        let mut warnings: Vec<Diagnostic> = self.warnings.into_iter().filter_map(counts).collect();
        let (more, mut problems) = self
            .problems
            .into_iter()
            .partition(|problem| problem.level != Severity::Error);
        add_new(&mut warnings, more);
        self.compiled.warnings = warnings;
        if problems.is_empty() {
            return Ok(self.compiled);
        }
        problems.extend(self.compiled.warnings);
        if !facts.observed() {
            problems.extend(self.compiled.guesses);
        }
        Err(problems)
    }

    /// Refuses a file that two services would manage: one would undo what the other does.
    fn shared_files(&mut self) {
        let mut owners: BTreeMap<&RemotePath, &Service> = BTreeMap::new();
        let services = &self.compiled.desired.services;
        let files = services
            .iter()
            .flat_map(|(service, one)| one.files.keys().map(move |path| (service, path)));
        let mut found = Vec::new();
        for (service, path) in files {
            let Some(first) = owners.insert(path, service) else {
                continue;
            };
            let thing = Thing::File(path.clone());
            let place = |service: &Service| self.place(service, &thing);
            found.push(
                Diagnostic::error(format!(
                    "the instances `{first}` and `{service}` would both manage `{path}`"
                ))
                .at(place(service), format!("for `{service}`"))
                .related(place(first), format!("for `{first}`"))
                .hint(format!(
                    "leave it to one of them, as in `instances: {{{service}: {{leave: [{path}]}}}}` on the host"
                )),
            );
        }
        self.problems.append(&mut found);
    }

    /// Warns of instances with one `myhostname`: smtp(8) takes a server that greets it with its own name for itself.
    fn shared_names(&mut self) {
        let Ok(parameter) = Parameter::new("myhostname") else {
            return;
        };
        let thing = Thing::Parameter(parameter);
        let mut names: BTreeMap<&str, &Service> = BTreeMap::new();
        let mut found = Vec::new();
        for (service, one) in &self.compiled.desired.services {
            let Some(Want::Present(name)) = one.values.get(&thing) else {
                continue;
            };
            if let Some(first) = names.insert(name, service) {
                found.push(
                    Diagnostic::warning(format!(
                        "the instances `{first}` and `{service}` of `{}` have the same `myhostname`: `{name}`",
                        self.host.name
                    ))
                    .at(self.host.at, "this host has roles on both")
                    .detail("Postfix sends no mail to a server that greets it with its own name: `mail loops back to myself`")
                    .hint(format!(
                        "give one another name: `instances: {{{service}: {{settings: {{myhostname: …}}}}}}` on the host"
                    )),
                );
            }
        }
        let services = self.services;
        self.warnings
            .extend(found.into_iter().map(|warning| (warning, services)));
    }

    /// Where a thing of a service is named; the host's own place where no layer names it.
    fn place(&self, service: &Service, thing: &Thing) -> Span {
        let origins = self.compiled.origins(service, thing);
        origins
            .and_then(|origins| Some(origins.first()?.at))
            .unwrap_or(self.host.at)
    }
}

/// Adds those that are not there yet.
fn add_new(list: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for one in more {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}
