//! `murder explain HOST THING`: which line decided, and what it overrode.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::selection::named;
use crate::compile::{Compiled, Compiler, Origin};
use crate::diagnostic::Diagnostic;
use crate::load::{self, Loaded};
use crate::model::Level;
use crate::module::nearest;
use crate::thing::Thing;

/// Arguments of `murder explain`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The host.
    pub host: String,
    /// The thing: `relayhost`, `/etc/postfix/transport`, `lmtp/unix/chroot`, or as plans show it
    /// (`main.cf:relayhost`, `master.cf:lmtp/unix/chroot`).
    pub thing: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Lay this file over the manifest (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
}

/// Runs the verb.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut loaded = load::load(&arguments.path, &arguments.overlay);
    let answer = match answer(&loaded, arguments) {
        Ok(answer) => answer,
        Err(problems) => {
            loaded.diagnostics.extend(problems);
            load::tidy(&mut loaded.diagnostics);
            let mut talk = io::stderr().lock();
            for problem in &loaded.diagnostics {
                let _ = writeln!(talk, "{}\n", problem.render(&loaded.sources, false));
            }
            return ExitCode::from(1);
        }
    };
    match io::stdout().lock().write_all(answer.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(1),
        _ => ExitCode::SUCCESS,
    }
}

fn answer(loaded: &Loaded, arguments: &Arguments) -> Result<String, Vec<Diagnostic>> {
    let Some(murder) = &loaded.murder else {
        return Err(Vec::new());
    };
    let wrong = |error: crate::name::NameError| vec![Diagnostic::error(error.to_string())];
    let host = named(murder, &arguments.host).map_err(|problem| vec![problem])?;
    let name = &host.name;
    let thing = thing(&arguments.thing).map_err(wrong)?;
    let compiled = Compiler::new(murder, &loaded.modules)?.compile(name, &host.facts)?;
    said(loaded, &compiled, &thing).ok_or_else(|| {
        let known: Vec<String> = compiled.origins.keys().map(Thing::to_string).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let problem = Diagnostic::error(format!("nobody names `{thing}` on `{name}`"))
            .detail("what nobody names is never touched");
        vec![match nearest(&thing.to_string(), &known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem,
        }]
    })
}

/// A thing as people write it: `lmtp/unix` without `master.cf:` too.
pub(super) fn thing(text: &str) -> Result<Thing, crate::name::NameError> {
    if !text.starts_with('/') && !text.contains(".cf:") && text.contains('/') {
        return format!("master.cf:{text}").parse();
    }
    text.parse()
}

/// The words on a thing, the winner's first; for a whole master.cf entry those on its parts.
fn said(loaded: &Loaded, compiled: &Compiled, wanted: &Thing) -> Option<String> {
    let mut text = String::new();
    for (thing, origins) in &compiled.origins {
        let part = match (wanted, thing) {
            (Thing::Service(whole), Thing::Field(of, _) | Thing::Option(of, _)) => whole == of,
            _ => false,
        };
        if thing != wanted && !part {
            continue;
        }
        text.push_str(&format!("{thing}\n"));
        for (number, origin) in origins.iter().enumerate() {
            let word = if number == 0 { "decided" } else { "overridden" };
            text.push_str(&line(loaded, word, origin));
        }
    }
    if compiled.desired.leave.contains(wanted) {
        text.push_str(&format!("{wanted}\n  left alone, as `leave:` says\n"));
    }
    (!text.is_empty()).then_some(text)
}

fn line(loaded: &Loaded, word: &str, origin: &Origin) -> String {
    let layer = match &origin.level {
        Level::Host => "the host".to_owned(),
        Level::Site(site) => format!("site {site}"),
        Level::Role(role) => format!("modules.{role} of the manifest"),
        Level::Defaults => "defaults".to_owned(),
        Level::Module(role) => format!("module {role}"),
    };
    let place = loaded.sources.place(origin.at);
    let source = loaded.sources.line(origin.at).trim();
    format!(
        "  {word} by {layer}, {place}\n    {}\n    | {source}\n",
        origin.value
    )
}
