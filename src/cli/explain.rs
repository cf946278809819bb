//! `murder explain HOST THING`: which line decided, and what it overrode.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::output;
use super::selection::named;
use super::terminal::Terminal;
use crate::compile::{Behind, Compiled, Compiler, Origin};
use crate::diagnostic::{Diagnostic, Span};
use crate::load::{self, Loaded};
use crate::model::{ContentSpec, FileSpec, Host, HostState, Level};
use crate::module::{Module, embedded};
use crate::nearest::nearest;
use crate::postfix::catalogue;
use crate::secret::Body;
use crate::state::Want;
use crate::thing::Thing;

/// Arguments of `murder explain`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The host.
    pub host: String,
    /// The thing: `relayhost`, `/etc/postfix/transport`, `lmtp/unix/chroot`, or as plans show it
    /// (`main.cf:relayhost`, `master.cf:lmtp/unix/chroot`); or a variable: `vars.layout`.
    pub thing: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Lay this file over the manifest (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// Where there is an error in the manifest, or nothing there names the thing.
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let mut loaded = load::load(&arguments.path, &arguments.overlay);
    let answer = match answer(&loaded, arguments) {
        Ok(answer) => answer,
        Err(problems) => {
            loaded.diagnostics.extend(problems);
            load::tidy(&mut loaded.diagnostics);
            return Err(CliError::input(loaded.diagnostics, &loaded.sources));
        }
    };
    output::print(answer.as_bytes(), terminal)?;
    Ok(Exit::Done)
}

fn answer(loaded: &Loaded, arguments: &Arguments) -> Result<String, Vec<Diagnostic>> {
    let Some(murder) = &loaded.murder else {
        return Err(Vec::new());
    };
    let wrong = |error: crate::name::NameError| vec![Diagnostic::error(error.to_string())];
    let host = named(murder, &arguments.host).map_err(|problem| vec![problem])?;
    let explainer = Explainer {
        loaded,
        host,
        compiler: Compiler::new(murder, &loaded.modules)?,
    };
    if let Some(name) = arguments.thing.strip_prefix("vars.") {
        return explainer.variable(name).map_err(|problem| vec![problem]);
    }
    let thing = thing(&arguments.thing).map_err(wrong)?;
    if host.state == HostState::Retired {
        return Err(vec![
            Diagnostic::error(format!("`{}` is retired", host.name))
                .at(host.at, "")
                .detail("whatever is managed there goes, or goes back to what it was"),
        ]);
    }
    let compiled = explainer.compiler.compile(&host.name, &host.facts)?;
    explainer
        .said(&compiled, &thing)
        .ok_or_else(|| vec![explainer.nobody(&compiled, &thing)])
}

/// A thing as people write it: `lmtp/unix` without `master.cf:` too.
pub(super) fn thing(text: &str) -> Result<Thing, crate::name::NameError> {
    if !text.starts_with('/') && !text.contains(".cf:") && text.contains('/') {
        return format!("master.cf:{text}").parse();
    }
    text.parse()
}

/// One host, and where its words come from.
struct Explainer<'a> {
    loaded: &'a Loaded,
    host: &'a Host,
    compiler: Compiler<'a>,
}

impl Explainer<'_> {
    /// The words on a thing, the winner's first; for a whole master.cf entry those on its parts.
    fn said(&self, compiled: &Compiled, wanted: &Thing) -> Option<String> {
        let mut text = String::new();
        for (thing, origins) in &compiled.origins {
            if thing == wanted || is_part(wanted, thing) {
                text.push_str(&self.decided(compiled, thing, origins));
            }
        }
        for (thing, word) in &compiled.left {
            if thing == wanted || is_part(wanted, thing) {
                text.push_str(&format!("{thing}\n{}", self.line("left alone", word)));
            }
        }
        if text.is_empty() {
            text = self.switched_off(wanted);
        }
        (!text.is_empty()).then_some(text)
    }

    fn decided(&self, compiled: &Compiled, thing: &Thing, origins: &[Origin]) -> String {
        let mut text = format!("{thing}\n");
        for (number, origin) in origins.iter().enumerate() {
            let word = if number == 0 { "decided" } else { "overridden" };
            text.push_str(&self.line(word, origin));
        }
        if let (Some(Want::Present(value)), Some(first)) =
            (compiled.desired.values.get(thing), origins.first())
            && first.value != *value
            && !Body::reserved(value)
        {
            text.push_str(&format!("  which comes to\n    {value}\n"));
        }
        if origins.first().is_some_and(is_of_module) {
            if let Some(path) = self.template(thing) {
                text.push_str(&format!("  by the template {path}\n"));
            }
            for word in self.compiler.behind(self.host, thing) {
                text.push_str(&self.behind(&word));
            }
        }
        text
    }

    fn line(&self, word: &str, origin: &Origin) -> String {
        let value = &origin.value;
        if origin.level == Level::Postfix {
            return format!("  {word} by Postfix's own default\n    {value}\n");
        }
        let layer = layer(&origin.level);
        let place = self.place(origin.at);
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
        let place = self.loaded.sources.place(at);
        let source = self.loaded.sources.line(at).trim();
        format!("{place}\n    | {source}\n")
    }

    fn behind(&self, word: &Behind) -> String {
        let (name, layer) = (&word.name, layer(&word.level));
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
        let layer = self.modules().find_map(|module| module.files.get(path))?;
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
            format!("{file} of the program")
        } else {
            self.loaded
                .folder
                .join("modules")
                .join(file)
                .display()
                .to_string()
        })
    }

    fn modules(&self) -> impl Iterator<Item = &Module> {
        let roles = self.host.roles.iter();
        roles.filter_map(|role| self.loaded.modules.0.get(role))
    }

    /// Modules that would name a thing, and do not here, because of their condition.
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
                "{thing}\n  switched off: module {} names it only where `{}`, {}",
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

    /// The nearest word on a variable of a module: the manifest's, or its default.
    fn value_of(&self, module: &Module, name: &str) -> String {
        self.words(module, name)
            .first()
            .map(|word| {
                let said = self.line("set", word);
                said.replacen("  set", &format!("  `{name}` is set"), 1)
            })
            .unwrap_or_default()
    }

    /// Every word on a variable, the nearest first, and the module's own last.
    fn words(&self, module: &Module, name: &str) -> Vec<Origin> {
        let Some(variable) = module.vars.get(name) else {
            return Vec::new();
        };
        let said = self.host.vars.get(name).into_iter().flatten();
        let said = said.filter(|layer| match &layer.level {
            Level::Role(role) => *role == module.role,
            _ => true,
        });
        let own = Origin {
            level: Level::Module(module.role.clone()),
            at: variable.at,
            value: variable.default.to_string(),
            members: None,
        };
        said.map(|layer| Origin {
            level: layer.level.clone(),
            at: layer.at,
            value: layer.value.to_string(),
            members: None,
        })
        .chain([own])
        .collect()
    }

    /// `vars.NAME`: who says what of a variable.
    fn variable(&self, name: &str) -> Result<String, Diagnostic> {
        let mut text = String::new();
        let mut known = BTreeSet::new();
        for module in self.modules() {
            known.extend(module.vars.keys().map(String::as_str));
            let words = self.words(module, name);
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
            None => problem.hint(format!("there are `{}`", known.join("`, `"))),
        })
    }

    /// Nobody has a word on the thing. Only things of its own kind are near to it.
    fn nobody(&self, compiled: &Compiled, wanted: &Thing) -> Diagnostic {
        let problem = Diagnostic::error(format!("nobody names `{wanted}` on `{}`", self.host.name))
            .detail("what nobody names is never touched");
        let (name, known): (String, BTreeSet<String>) = match wanted {
            Thing::Parameter(name) => {
                if catalogue::names().contains(name.as_str()) {
                    return problem;
                }
                let names = catalogue::names().into_iter().map(str::to_owned);
                (name.to_string(), names.collect())
            }
            Thing::File(path) => {
                let files = compiled.desired.files.keys();
                let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
                let name = last(path.as_str());
                let near: Vec<String> = files.clone().map(|path| last(path.as_str())).collect();
                let near = nearest(&name, &near);
                let found = files
                    .filter(|path| Some(last(path.as_str()).as_str()) == near)
                    .map(ToString::to_string)
                    .next();
                return match found {
                    Some(found) => problem.hint(format!("did you mean `{found}`?")),
                    None => problem,
                };
            }
            Thing::Service(_) | Thing::Field(..) | Thing::Option(..) => {
                // Service names are too short to guess: `smtp` and `lmtp` are one letter apart.
                let things = compiled.origins.keys();
                let services: BTreeSet<String> = things
                    .filter_map(|thing| match thing {
                        Thing::Service(of) | Thing::Field(of, _) | Thing::Option(of, _) => {
                            Some(format!("`{of}`"))
                        }
                        _ => None,
                    })
                    .collect();
                let services: Vec<String> = services.into_iter().collect();
                return match services.is_empty() {
                    true => problem.hint("no service is named here"),
                    false => problem.hint(format!("named here: {}", services.join(", "))),
                };
            }
        };
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        match nearest(&name, &known) {
            Some(near) if near != name => problem.hint(format!("did you mean `{near}`?")),
            _ => problem,
        }
    }
}

/// Whether a thing is a part of the master.cf entry that is asked for.
fn is_part(wanted: &Thing, thing: &Thing) -> bool {
    match (wanted, thing) {
        (Thing::Service(whole), Thing::Field(of, _) | Thing::Option(of, _)) => whole == of,
        _ => false,
    }
}

fn is_of_module(origin: &Origin) -> bool {
    matches!(origin.level, Level::Module(_))
}

fn layer(level: &Level) -> String {
    match level {
        Level::Host => "the host".to_owned(),
        Level::Site(site) => format!("site {site}"),
        Level::Role(role) => format!("modules.{role} of the manifest"),
        Level::Defaults => "defaults".to_owned(),
        Level::Module(role) => format!("module {role}"),
        Level::Postfix => "Postfix".to_owned(),
    }
}
