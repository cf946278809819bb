//! Holds the desired state of a host against the policies of the murder.

use super::configuration_of;
use super::settings::DesiredSettings;
use crate::compile::work::Work;
use crate::diagnostic::Diagnostic;
use crate::policy::{Policy, PolicyHost, PolicyRule, Violation, violations};

impl Work<'_> {
    /// Adds an error for each rule that the host breaks. A host with other errors is not judged.
    pub(in crate::compile) fn judge_policies(&mut self, policies: &[Policy]) {
        if !self.problems.is_empty() {
            return;
        }
        let wanted = self.compiled.wanted();
        let settings = DesiredSettings(&wanted.values);
        let roles = self.roles.iter();
        let host = PolicyHost {
            roles: &self.host.roles,
            provides: roles
                .flat_map(|role| role.module.provides.iter().map(String::as_str))
                .collect(),
            wanted,
            configuration: configuration_of(&settings, self.facts),
        };
        let mut found = Vec::new();
        for policy in policies {
            for rule in &policy.rules {
                let broken = violations(rule, &host).into_iter();
                found.extend(broken.map(|violation| self.broken(policy, rule, violation)));
            }
        }
        self.problems.extend(found);
    }

    fn broken(&self, policy: &Policy, rule: &PolicyRule, violation: Violation) -> Diagnostic {
        let origin = violation.thing.and_then(|thing| {
            let origins = self.compiled.origins.get(&thing)?;
            origins.first().map(|origin| origin.at)
        });
        let mut problem = Diagnostic::error(format!("{} (rule `{}`)", violation.what, rule.name));
        problem = match origin {
            Some(at) => problem.at(at, "this breaks the rule"),
            None => problem.at(self.host.at, "this host breaks the rule"),
        };
        if let Some(at) = rule.at {
            problem = problem.related(at, "the rule");
        }
        let detail = [rule.message.clone(), rule.reference.clone()];
        let detail: Vec<String> = detail.into_iter().flatten().collect();
        if !detail.is_empty() {
            problem = problem.detail(detail.join("\n"));
        }
        problem.hint(format!(
            "keep the rule, or ask whoever writes the policy ({})",
            policy.name
        ))
    }
}
