//! Tera, prepared once for all modules and asked once for each host.
//!
//! Values, conditions and files are all templates. What holds no `{{` or `{%` is kept as it is
//! and never reaches Tera, which is most of a module.

use std::collections::{BTreeMap, BTreeSet};

use tera::{Context, ErrorKind, Tera};

use super::tera_errors::{Report, reports};
use super::{Module, filters, names};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{ContentSpec, FileSpec, ServiceSpec, SettingSpec};
use crate::nearest::nearest;
use crate::thing::Thing;

/// The names that a template may use by themselves.
const ROOTS: [&str; 4] = ["murder", "host", "vars", "facts"];

/// Every template of a run, parsed and linted.
#[derive(Debug)]
pub struct Engine {
    tera: Tera,
    parts: BTreeMap<String, Part>,
    /// Names and texts that Tera does not have yet.
    waiting: Vec<(String, String)>,
}

/// Where a template's text stands.
#[derive(Debug, Clone)]
struct Part {
    /// Where it begins.
    at: Span,
    /// Whether byte offsets in the template are offsets in the source: not so in YAML scalars.
    exact: bool,
    /// Whether it may read `host`. Only what surely does not is rendered once for many hosts.
    reads_host: bool,
    /// The text itself, where there is nothing in it to render.
    plain: Option<String>,
}

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
    /// Parses every template of these modules; each problem is a diagnostic with its place.
    #[must_use]
    pub fn new<'a>(modules: impl Iterator<Item = &'a Module>) -> (Self, Vec<Diagnostic>) {
        let mut tera = Tera::new();
        // These are configuration files: nothing is HTML.
        tera.autoescape_on(Vec::<&str>::new());
        filters::register(&mut tera);
        let mut engine = Self {
            tera,
            parts: BTreeMap::new(),
            waiting: Vec::new(),
        };
        let mut problems = Vec::new();
        for module in modules {
            engine.add_module(module, &mut problems);
        }
        engine.settle(&mut problems);
        (engine, problems)
    }

    fn add_module(&mut self, module: &Module, problems: &mut Vec<Diagnostic>) {
        let vars: BTreeSet<&str> = module.vars.keys().map(String::as_str).collect();
        for (name, template) in &module.templates {
            let at = Span {
                source: template.source,
                start: 0,
                end: 0,
            };
            let known = self.parts.contains_key(name);
            self.parts.insert(
                name.clone(),
                Part {
                    at,
                    exact: true,
                    reads_host: true,
                    plain: None,
                },
            );
            if !known {
                self.waiting.push((name.clone(), template.text.to_string()));
            }
            // A shared template may use variables that only some modules have.
            if name.starts_with(&format!("{}/", module.role)) {
                self.lint(name, &template.text, &vars, problems);
            }
        }
        let role = module.role.as_str();
        for (parameter, layer) in &module.settings {
            if let SettingSpec::Value(text) = &layer.value {
                let name = value_name(role, &Thing::Parameter(parameter.clone()));
                self.add(&name, text, layer.at, &vars, problems);
            }
        }
        for (service, layer) in &module.services {
            let ServiceSpec::Entry { fields, options } = &layer.value else {
                continue;
            };
            for (field, text) in fields {
                let name = value_name(role, &Thing::Field(service.clone(), *field));
                self.add(&name, text, layer.at, &vars, problems);
            }
            for (option, text) in options {
                if let Some(text) = text {
                    let thing = Thing::Option(service.clone(), option.clone());
                    self.add(&value_name(role, &thing), text, layer.at, &vars, problems);
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
                self.add(&name, text, layer.at, &vars, problems);
            }
        }
        for (thing, layer) in &module.when {
            self.add_condition(
                &when_name(role, thing),
                &layer.value,
                layer.at,
                &vars,
                problems,
            );
        }
        for (number, check) in module.checks.iter().enumerate() {
            let (when, text) = check_names(role, number);
            self.add_condition(&when, &check.when.value, check.when.at, &vars, problems);
            self.add(&text, &check.text.value, check.text.at, &vars, problems);
        }
    }

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

    /// Gives Tera all that waits. At each gift it goes through all templates that it has, so there is
    /// one gift; only where that is refused do they come one by one, so that each bad one is named.
    pub fn settle(&mut self, problems: &mut Vec<Diagnostic>) {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return;
        }
        let all = waiting.iter().map(|(name, text)| (name, text));
        if self.tera.add_raw_templates(all).is_err() {
            self.settle_each(&waiting, problems);
        }
        for (name, _) in &waiting {
            if let (Ok(used), Some(part)) =
                (self.tera.get_template_variables(name), self.parts.get(name))
                && !part.exact
            {
                let used: BTreeSet<&str> = used.into_iter().collect();
                let unknown = used.into_iter().filter(|root| !ROOTS.contains(root));
                problems.extend(unknown.map(|root| unknown_root(root, part.at)));
            }
            self.find_readers(name);
        }
    }

    /// Gives Tera what it takes, again and again, because a template may be included by one that
    /// comes before it. What is left then is wrong, or includes what is.
    fn settle_each(&mut self, waiting: &[(String, String)], problems: &mut Vec<Diagnostic>) {
        let mut left: Vec<&(String, String)> = waiting.iter().collect();
        let mut refused: Vec<(&str, tera::Error)> = Vec::new();
        loop {
            let before = left.len();
            refused.clear();
            left.retain(
                |(name, text)| match self.tera.add_raw_template(name, text) {
                    Ok(()) => false,
                    Err(error) => {
                        refused.push((name, error));
                        true
                    }
                },
            );
            if left.len() == before || left.is_empty() {
                break;
            }
        }
        let names: BTreeSet<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
        let mut said = Vec::new();
        for ((name, text), (_, error)) in left.iter().zip(&refused) {
            let reports = reports(error);
            if reports.is_empty() {
                said.push(self.diagnostic(error, None));
            }
            for report in reports {
                // A template that is wrong itself is missing to all that include it.
                if !report.missing().is_some_and(|name| names.contains(name)) {
                    said.push(self.report(name, text, &report));
                }
            }
        }
        // Templates that include each other in a circle wait for each other, and nothing else is wrong.
        if said.is_empty() {
            said.extend(
                refused
                    .iter()
                    .take(1)
                    .map(|(_, error)| self.diagnostic(error, None)),
            );
        }
        problems.extend(said);
    }

    /// One of several things that Tera found in one template.
    fn report(&self, name: &str, text: &str, report: &Report<'_>) -> Diagnostic {
        let before: usize = text
            .split_inclusive('\n')
            .take(report.line.saturating_sub(1))
            .map(str::len)
            .sum();
        let at = before + report.column.saturating_sub(1);
        let problem = Diagnostic::error(format!("template: {}", report.what)).detail(format!(
            "template `{name}`, line {}, column {}",
            report.line, report.column
        ));
        let problem = match self.parts.get(name) {
            Some(part) => problem.at(part.place(at, at), ""),
            None => problem,
        };
        match report.missing() {
            Some(missing) => {
                let known: Vec<&str> = self.parts.keys().map(String::as_str).collect();
                problem.hint(match nearest(missing, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it would stand in `modules/{missing}`"),
                })
            }
            None => problem.hint("docs/modules.md says what a template may use"),
        }
    }

    /// Adds one text that was written in YAML; `at` is where it stands there. Tera has it once
    /// everything was told to [`settle`](Self::settle).
    pub fn add(
        &mut self,
        name: &str,
        text: &str,
        at: Span,
        vars: &BTreeSet<&str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let plain = ["{{", "{%", "{#"].iter().all(|open| !text.contains(open));
        self.parts.insert(
            name.to_owned(),
            Part {
                at,
                exact: false,
                reads_host: true,
                plain: plain.then(|| text.to_owned()),
            },
        );
        if plain {
            return;
        }
        self.lint(name, text, vars, problems);
        self.waiting.push((name.to_owned(), text.to_owned()));
    }

    /// Adds a template file that the manifest names, with every variable of the run allowed.
    pub fn add_file(
        &mut self,
        name: &str,
        text: &str,
        at: Span,
        vars: &BTreeSet<&str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        if !self.parts.contains_key(name) {
            self.add(name, text, at, vars, problems);
        }
    }

    fn lint(&self, name: &str, text: &str, vars: &BTreeSet<&str>, problems: &mut Vec<Diagnostic>) {
        let Some(part) = self.parts.get(name) else {
            return;
        };
        for unknown in names::unknown(text, vars) {
            let mut problem = Diagnostic::error(format!("`{}` does not exist", unknown.name)).at(
                part.place(unknown.at.start, unknown.at.end),
                "templates see no such name",
            );
            if !part.exact {
                problem = problem.detail(format!("in `{}`", text.trim()));
            }
            problems.push(match unknown.nearest {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(
                    "a template sees `murder`, `host`, `vars` and `facts`; docs/modules.md has their keys",
                ),
            });
        }
    }

    /// Finds out whether a template, or one that it includes, reads `host` by any name.
    fn find_readers(&mut self, name: &str) {
        const SHARED: [&str; 3] = ["murder", "vars", "facts"];
        let shared = self
            .tera
            .get_template_variables(name)
            .is_ok_and(|used| used.iter().all(|root| SHARED.contains(root)));
        if let Some(part) = self.parts.get_mut(name) {
            part.reads_host = !shared;
        }
    }

    /// Whether what a template renders to may differ between hosts of the same facts and variables.
    /// A text with nothing to render counts as such too: it is as cheap to give as to remember.
    #[must_use]
    pub fn reads_host(&self, name: &str) -> bool {
        self.parts.get(name).is_none_or(|part| part.reads_host)
    }

    /// Renders a template by its name.
    ///
    /// # Errors
    /// A diagnostic with template, line and column.
    pub fn render(&self, name: &str, context: &Context) -> Result<String, Diagnostic> {
        if let Some(Part {
            plain: Some(text), ..
        }) = self.parts.get(name)
        {
            return Ok(text.clone());
        }
        self.tera
            .render(name, context)
            .map_err(|error| self.diagnostic(&error, Some(name)))
    }

    fn diagnostic(&self, error: &tera::Error, rendered: Option<&str>) -> Diagnostic {
        let (summary, place) = match error.kind() {
            ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => (
                report.message().trim_end_matches('.').to_owned(),
                Some((report.filename().to_owned(), report.span().clone())),
            ),
            other => (other.to_string(), None),
        };
        let mut problem = Diagnostic::error(format!("template: {summary}"));
        let at = match &place {
            Some((name, span)) => self
                .parts
                .get(name)
                .map(|part| part.place(span.range.start, span.range.end)),
            None => rendered
                .and_then(|name| self.parts.get(name))
                .map(|part| part.place(0, 0)),
        };
        if let Some(at) = at {
            problem = problem.at(at, "");
        }
        if let Some((name, span)) = place {
            problem = problem.detail(format!(
                "template `{name}`, line {}, column {}",
                span.start_line,
                span.start_col + 1
            ));
        }
        problem.hint(if matches!(error.kind(), ErrorKind::SyntaxError(_)) {
            "a literal `{{` or `{%` stands between `{% raw %}` and `{% endraw %}`"
        } else {
            "docs/modules.md says what a template may use"
        })
    }
}

fn unknown_root(root: &str, at: Span) -> Diagnostic {
    Diagnostic::error(format!("`{root}` does not exist"))
        .at(at, "templates see no such name")
        .hint("a template sees `murder`, `host`, `vars` and `facts`")
}

impl Part {
    fn place(&self, start: usize, end: usize) -> Span {
        let bytes = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        if self.exact {
            Span {
                source: self.at.source,
                start: bytes(start),
                end: bytes(end),
            }
        } else {
            self.at
        }
    }
}
