//! What a module gives to the engine: each of its values, conditions and files is a template with a name.

use std::collections::BTreeSet;

use super::budget::Guarded;
use super::{Engine, Part, reserved};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{ContentSpec, FileSpec, ServiceSpec, SettingSpec};
use crate::module::Module;
use crate::secret::Body;
use crate::thing::Thing;

/// How a value of a module is named among the templates.
pub(crate) fn value_name(role: &str, thing: &Thing) -> String {
    format!("{role} {thing}")
}

/// How the condition of a thing is named among the templates.
pub(crate) fn when_name(role: &str, thing: &Thing) -> String {
    format!("{role} when {thing}")
}

/// How a check of a module is named among the templates: its condition and its text.
pub(crate) fn check_names(role: &str, number: usize) -> (String, String) {
    (
        format!("{role} when check {number}"),
        format!("{role} check {number}"),
    )
}

impl Engine {
    /// Adds every template of a module, and says which names in them do not exist.
    pub(super) fn add_module(&mut self, module: &Module, problems: &mut Vec<Diagnostic>) {
        let vars: BTreeSet<&str> = module.vars.keys().map(String::as_str).collect();
        self.add_template_files(module, &vars, problems);
        self.add_things(module, &vars, problems);
        for (thing, layer) in &module.when {
            let name = when_name(module.role.as_str(), thing);
            self.add_condition(&name, &layer.value, layer.at, &vars, problems);
        }
        for (number, check) in module.checks.iter().enumerate() {
            let (when, text) = check_names(module.role.as_str(), number);
            self.add_condition(&when, &check.when.value, check.when.at, &vars, problems);
            self.add(&text, &check.text.value, check.text.at, &vars, problems);
        }
    }

    fn add_template_files(
        &mut self,
        module: &Module,
        vars: &BTreeSet<&str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        for (name, template) in &module.templates {
            let at = Span {
                source: template.source,
                start: 0,
                end: 0,
            };
            let known = self.parts.contains_key(name);
            if Body::reserved(&template.text) {
                problems.push(reserved(at));
            }
            self.parts.insert(
                name.clone(),
                Part {
                    at,
                    exact: true,
                    reads_host: true,
                    plain: None,
                    calls: Guarded::default(),
                },
            );
            if !known {
                self.waiting.push((name.clone(), template.text.to_string()));
            }
            // A shared template may use variables that only some modules have.
            if name.starts_with(&format!("{}/", module.role)) {
                self.lint(name, &template.text, vars, problems);
            }
        }
    }

    fn add_things(
        &mut self,
        module: &Module,
        vars: &BTreeSet<&str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let role = module.role.as_str();
        for (parameter, layer) in &module.settings {
            if let SettingSpec::Value(text) = &layer.value {
                let name = value_name(role, &Thing::Parameter(parameter.clone()));
                self.add(&name, text, layer.at, vars, problems);
            }
        }
        for (service, layer) in &module.services {
            let ServiceSpec::Entry { fields, options } = &layer.value else {
                continue;
            };
            for (field, text) in fields {
                let name = value_name(role, &Thing::Field(service.clone(), *field));
                self.add(&name, text, layer.at, vars, problems);
            }
            for (option, text) in options {
                if let Some(text) = text {
                    let thing = Thing::Option(service.clone(), option.clone());
                    self.add(&value_name(role, &thing), text, layer.at, vars, problems);
                }
            }
        }
        for (path, layer) in &module.files {
            if let FileSpec::Present {
                content: ContentSpec::Literal(text),
                ..
            } = &layer.value
            {
                let name = value_name(role, &Thing::File(path.clone()));
                self.add(&name, text, layer.at, vars, problems);
            }
        }
    }

    /// Adds a condition: it renders to `1` where it holds, else to nothing.
    fn add_condition(
        &mut self,
        name: &str,
        expression: &str,
        at: Span,
        vars: &BTreeSet<&str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let text = format!("{{% if {expression} %}}1{{% endif %}}");
        self.add(name, &text, at, vars, problems);
    }
}
