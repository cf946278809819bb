//! What the modules of a host say about it beside its things: their `checks`, and the addresses to probe.

use super::variable;
use super::work::{Role, Work};
use crate::diagnostic::Diagnostic;
use crate::model::{Host, Murder};
use crate::module::{Check, Module, ProbeKind};
use crate::state::Probes;

impl Work<'_> {
    /// What the modules have to say about this host.
    pub(super) fn checks(&mut self) {
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
                    "see docs/modules.md for the checks of a module, and how a host departs from it",
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
pub(super) fn probes(murder: &Murder, host: &Host, roles: &[Role<'_>]) -> Probes {
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
