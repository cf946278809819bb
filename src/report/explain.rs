//! Which line of the manifest or of a module decides a thing of a host, and which lines it overrides.

use std::collections::BTreeSet;
use std::path::Path;

use crate::compile::{Behind, Compiled, Compiler, Reasons, ValueOrigin};
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::model::{ContentSpec, FileSpec, Host, Level};
use crate::module::{Module, Modules, embedded};
use crate::name::RemotePath;
use crate::nearest::nearest;
use crate::postfix::catalogue;
use crate::secret::Body;
use crate::service::Service;
use crate::state::{DesiredService, Want};
use crate::thing::Thing;

/// Explains the things of one service of a host.
pub struct Explainer<'a> {
    /// Every text that was read, with its secrets masked.
    pub sources: &'a Sources,
    /// The modules, the shipped ones and those beside the manifest.
    pub modules: &'a Modules,
    /// The folder of the manifest.
    pub folder: &'a Path,
    /// The host, as far as the service is concerned.
    pub host: &'a Host,
    /// The service.
    pub service: &'a Service,
    /// The compiler of the manifest.
    pub compiler: &'a Compiler<'a>,
}

impl Explainer<'_> {
    /// The lines of manifest and modules that set a thing: first the line that decides, then the lines that it
    /// overrides. For a whole master.cf entry it gives the lines of each part. `compiled` is what the host must have.
    ///
    /// # Errors
    /// Where no line sets the thing.
    pub fn thing(&self, compiled: &Compiled, wanted: &Thing) -> Result<String, Diagnostic> {
        let mut text = String::new();
        let nothing = Reasons::default();
        let mut reasons = compiled.reasons.iter();
        let reasons = reasons.find(|one| one.service == *self.service);
        let reasons = reasons.unwrap_or(&nothing);
        for (thing, origins) in &reasons.origins {
            if thing == wanted || is_part(wanted, thing) {
                text.push_str(&self.decided(compiled, thing, origins));
            }
        }
        for (thing, word) in &reasons.left {
            if thing == wanted || is_part(wanted, thing) {
                let line = self.line("left alone", word);
                text.push_str(&format!("{}\n{line}", self.service.shown(thing)));
            }
        }
        if text.is_empty() {
            text = self.switched_off(wanted);
        }
        if text.is_empty() {
            return Err(self.not_managed(compiled, wanted));
        }
        Ok(text)
    }

    fn decided(&self, compiled: &Compiled, thing: &Thing, origins: &[ValueOrigin]) -> String {
        let mut text = format!("{}\n", self.service.shown(thing));
        for (number, origin) in origins.iter().enumerate() {
            let word = if number == 0 { "decided" } else { "overridden" };
            text.push_str(&self.line(word, origin));
        }
        if let (Some(Want::Present(value)), Some(first)) = (
            compiled.desired.service(self.service).values.get(thing),
            origins.first(),
        ) && first.value != *value
            && !Body::reserved(value)
        {
            text.push_str(&format!("  resolves to\n    {value}\n"));
        }
        if origins.first().is_some_and(is_of_module) {
            if let Some(path) = self.template(thing) {
                text.push_str(&format!("  by the template {path}\n"));
            }
            for word in self.compiler.behind(self.host, self.service, thing) {
                text.push_str(&self.behind(&word));
            }
        }
        text
    }

    fn line(&self, word: &str, origin: &ValueOrigin) -> String {
        let value = &origin.value;
        if origin.level == Level::Postfix {
            return format!("  {word} by Postfix's own default\n    {value}\n");
        }
        let layer = level_word(&origin.level);
        // What a list edit adds or removes has places of its own, below that of its key.
        let member = origin.members.as_ref().and_then(|members| members.first());
        let place = self.place(member.map_or(origin.at, |(_, at)| *at));
        if word == "left alone" {
            return format!("  {word} by {layer}, {place}");
        }
        format!(
            "  {word} by {layer}, {}",
            place.replacen('\n', &format!("\n    {value}\n"), 1)
        )
    }

    /// A place with its line, as `FILE:LINE:COLUMN` and the text below it.
    fn place(&self, at: Span) -> String {
        let place = self.sources.place(at);
        let source = self.sources.line(at).trim();
        format!("{place}\n    | {source}\n")
    }

    fn behind(&self, word: &Behind) -> String {
        let (name, layer) = (&word.name, level_word(&word.level));
        format!(
            "  by the variable `{name}` of {layer}, {}",
            self.place(word.at)
        )
    }

    /// The template of a module's file, and whether it is one of the site's own.
    fn template(&self, thing: &Thing) -> Option<String> {
        let Thing::File(path) = thing else {
            return None;
        };
        let path = self.service.as_in_modules(path);
        let layer = self.modules().find_map(|module| module.files.get(&path))?;
        let FileSpec::Present {
            content: ContentSpec::Template { name, text },
            ..
        } = &layer.value
        else {
            return None;
        };
        let file = match name.split_once('/') {
            Some(("templates", _)) | None => name.clone(),
            Some((role, short)) => format!("{role}/templates/{short}"),
        };
        let shipped = embedded()
            .iter()
            .any(|(known, own)| *known == file && own == text);
        Some(if shipped {
            format!("{file} (shipped with `murder`)")
        } else {
            let own = self.folder.join("modules").join(file);
            own.display().to_string()
        })
    }

    fn modules(&self) -> impl Iterator<Item = &Module> {
        let roles = self.host.roles.iter();
        roles.filter_map(|role| self.modules.0.get(role))
    }

    /// The modules that set a thing on other hosts only, because their `when` does not hold on this one.
    fn switched_off(&self, thing: &Thing) -> String {
        let mut text = String::new();
        for module in self.modules() {
            let whole = match thing {
                Thing::Field(service, _) | Thing::Option(service, _) => {
                    Thing::Service(service.clone())
                }
                other => other.clone(),
            };
            let Some(when) = module.when.get(&whole) else {
                continue;
            };
            text.push_str(&format!(
                "{}\n  not set on this host: module {} sets it only where `{}`, {}",
                self.service.shown(thing),
                module.role,
                when.value,
                self.place(when.at)
            ));
            for name in module.variables_of_condition(thing) {
                text.push_str(&self.value_of(module, &name));
            }
        }
        text
    }

    /// The value of a module's variable that decides: the manifest's, or the module's default.
    fn value_of(&self, module: &Module, name: &str) -> String {
        self.values_of_variable(module, name)
            .first()
            .map(|word| {
                let line = self.line("set", word);
                line.replacen("  set", &format!("  `{name}` is set"), 1)
            })
            .unwrap_or_default()
    }

    /// Each value that is given to a variable: the one that decides first, the module's default last.
    fn values_of_variable(&self, module: &Module, name: &str) -> Vec<ValueOrigin> {
        let Some(variable) = module.vars.get(name) else {
            return Vec::new();
        };
        let set = self.host.vars.get(name).into_iter().flatten();
        let set = set.filter(|layer| match &layer.level {
            Level::Role(role) => *role == module.role,
            _ => true,
        });
        let own = ValueOrigin {
            level: Level::Module(module.role.clone()),
            at: variable.at,
            value: variable.default.to_string(),
            members: None,
        };
        set.map(|layer| ValueOrigin {
            level: layer.level.clone(),
            at: layer.at,
            value: layer.value.to_string(),
            members: None,
        })
        .chain([own])
        .collect()
    }

    /// The lines that set a variable of the host's modules, for each module that has it.
    ///
    /// # Errors
    /// Where no module of the host has the variable.
    pub fn variable(&self, name: &str) -> Result<String, Diagnostic> {
        let mut text = String::new();
        let mut known = BTreeSet::new();
        for module in self.modules() {
            known.extend(module.vars.keys().map(String::as_str));
            let words = self.values_of_variable(module, name);
            if words.is_empty() {
                continue;
            }
            text.push_str(&format!("vars.{name} of {}\n", module.role));
            for (number, word) in words.iter().enumerate() {
                let by = if number == 0 { "decided" } else { "overridden" };
                text.push_str(&self.line(by, word));
            }
        }
        if !text.is_empty() {
            return Ok(text);
        }
        let problem = Diagnostic::error(format!(
            "no module of `{}` has a variable `{name}`",
            self.host.name
        ));
        let known: Vec<&str> = known.into_iter().collect();
        Err(match nearest(name, &known) {
            Some(near) => problem.hint(format!("did you mean `vars.{near}`?")),
            None if known.is_empty() => problem,
            None => problem.hint(format!("known: `{}`", known.join("`, `"))),
        })
    }

    /// The error for a thing that no line sets. It suggests only things of the same kind.
    fn not_managed(&self, compiled: &Compiled, wanted: &Thing) -> Diagnostic {
        let problem = Diagnostic::error(format!(
            "`{wanted}` is not managed on `{}`: no manifest key or module sets it",
            self.host.name
        ))
        .detail("`murder` never changes what it does not manage");
        let hint = match wanted {
            Thing::Parameter(name) => near_parameter(name.as_str()),
            Thing::File(path) => near_file(compiled.desired.service(self.service), path),
            Thing::Service(_) | Thing::Field(..) | Thing::Option(..) => {
                Some(services(compiled, self.service))
            }
        };
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

/// A hint for a parameter's name that Postfix does not know.
fn near_parameter(name: &str) -> Option<String> {
    let known = catalogue::names();
    if known.contains(name) {
        return None;
    }
    let known: Vec<&str> = known.into_iter().collect();
    let near = nearest(name, &known)?;
    Some(format!("did you mean `{near}`?"))
}

/// A hint for a file whose name is close to that of a managed file.
fn near_file(wanted: &DesiredService, path: &RemotePath) -> Option<String> {
    let files = wanted.files.keys();
    let names: Vec<&str> = files.clone().map(RemotePath::file_name).collect();
    let near = nearest(path.file_name(), &names)?;
    let near = files.into_iter().find(|path| path.file_name() == near)?;
    Some(format!("did you mean `{near}`?"))
}

/// The services that are managed. Service names are too short to guess: `smtp` and `lmtp` are one letter apart.
fn services(compiled: &Compiled, service: &Service) -> String {
    let reasons = compiled.reasons.iter();
    let services: BTreeSet<String> = reasons
        .filter(|one| one.service == *service)
        .flat_map(|one| one.origins.keys())
        .filter_map(|thing| match thing {
            Thing::Service(of) | Thing::Field(of, _) | Thing::Option(of, _) => {
                Some(format!("`{of}`"))
            }
            Thing::File(_) | Thing::Parameter(_) => None,
        })
        .collect();
    if services.is_empty() {
        return "no service is managed on this host".to_owned();
    }
    let services: Vec<String> = services.into_iter().collect();
    format!("managed on this host: {}", services.join(", "))
}

/// Whether a thing is a part of the master.cf entry that is asked for.
fn is_part(wanted: &Thing, thing: &Thing) -> bool {
    match (wanted, thing) {
        (Thing::Service(whole), Thing::Field(of, _) | Thing::Option(of, _)) => whole == of,
        _ => false,
    }
}

fn is_of_module(origin: &ValueOrigin) -> bool {
    matches!(origin.level, Level::Module(_))
}

/// The word for a layer.
#[must_use]
pub fn level_word(level: &Level) -> String {
    match level {
        Level::Host => "the host".to_owned(),
        Level::Range => "the host's range".to_owned(),
        Level::Site(site) => format!("site {site}"),
        Level::Role(role) => format!("modules.{role} of the manifest"),
        Level::Defaults => "defaults".to_owned(),
        Level::Module(role) => format!("module {role}"),
        Level::Postfix => "Postfix".to_owned(),
    }
}
