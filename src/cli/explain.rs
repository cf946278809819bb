//! `murder explain HOST THING`: which line sets a value, and which lines it overrides.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::selection::named;
use super::terminal::Terminal;
use super::{StrangerArguments, output};
use crate::compile::Compiler;
use crate::diagnostic::Diagnostic;
use crate::load::{self, Loaded};
use crate::model::HostState;
use crate::report::explain::Explainer;
use crate::thing::Thing;

/// Arguments of `murder explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The host.
    pub host: String,
    /// The thing: `relayhost`, `/etc/postfix/transport`, `lmtp/unix/chroot`, or its name in plans
    /// (`main.cf:relayhost`, `master.cf:lmtp/unix/chroot`); or a variable of a module: `vars.layout`.
    pub thing: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Merge this file into the manifest; its values win (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
}

/// Runs the verb.
///
/// # Errors
/// If the manifest has an error, or no line sets the thing.
pub fn run(arguments: &ExplainArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let mut loaded = load::load_with(
        &arguments.path,
        &arguments.overlay,
        arguments.stranger.links(),
    );
    let answer = match answer(&loaded, arguments) {
        Ok(answer) => answer,
        Err(problems) => {
            loaded.diagnostics.extend(problems);
            load::tidy(&mut loaded.diagnostics);
            return Err(CliError::input(loaded.diagnostics, &loaded.sources));
        }
    };
    output::print_text(&answer, terminal)?;
    Ok(Exit::Done)
}

fn answer(loaded: &Loaded, arguments: &ExplainArguments) -> Result<String, Vec<Diagnostic>> {
    let Some(murder) = &loaded.murder else {
        return Err(Vec::new());
    };
    let wrong = |error: crate::name::NameError| vec![Diagnostic::error(error.to_string())];
    let host = named(murder, &arguments.host).map_err(|problem| vec![problem])?;
    let explainer = Explainer {
        sources: &loaded.sources,
        modules: &loaded.modules,
        folder: &loaded.folder,
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
                .detail("`murder` deletes what it created there and restores what it adopted"),
        ]);
    }
    let compiled = explainer.compiler.compile(&host.name, &host.facts)?;
    explainer
        .thing(&compiled, &thing)
        .map_err(|problem| vec![problem])
}

/// A thing in its text form; `master.cf:` may be left out, as in `lmtp/unix`.
pub(super) fn thing(text: &str) -> Result<Thing, crate::name::NameError> {
    if !text.starts_with('/') && !text.contains(".cf:") && text.contains('/') {
        return format!("master.cf:{text}").parse();
    }
    text.parse()
}
