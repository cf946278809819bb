//! `murder explain HOST THING`: which line sets a value, and which lines it overrides. `murder explain CODE`: what a finding
//! of `verify` means; `murder explain`: all codes.

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::manifest_arguments::ManifestArguments;
use super::selection::named;
use super::terminal::Terminal;
use super::{StrangerArguments, output};
use crate::compile::Compiler;
use crate::diagnostic::Diagnostic;
use crate::load::{self, Loaded};
use crate::model::{Host, HostState};
use crate::nearest::nearest;
use crate::report::explain::Explainer;
use crate::service::{Instance, Service};
use crate::thing::Thing;
use crate::verify::FindingCode;

/// Arguments of `murder explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The host; or, alone, the code of a finding of `verify`, such as `loop`. Without it, lists all codes.
    pub host: Option<String>,
    /// The thing: `relayhost`, `/etc/postfix/transport`, `lmtp/unix/chroot`, or its name in plans
    /// (`main.cf:relayhost`, `master.cf:lmtp/unix/chroot`); or a variable of a module: `vars.layout`.
    pub thing: Option<String>,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
}

/// Runs the verb.
///
/// # Errors
/// If the manifest has an error, or no line sets the thing.
pub fn run(arguments: &ExplainArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let (host, thing) = match (&arguments.host, &arguments.thing) {
        (Some(host), Some(thing)) => (host, thing),
        (Some(word), None) => return page(word, terminal),
        (None, _) => return list(terminal),
    };
    let mut loaded = load::load_with(
        &arguments.manifest.path,
        &arguments.manifest.overlay,
        arguments.stranger.links(),
    );
    let answer = match answer(&loaded, host, thing) {
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

/// Prints the page of a finding's code.
fn page(word: &str, terminal: &Terminal) -> Result<Exit, CliError> {
    let code = code(word).map_err(|problem| CliError::arguments(vec![problem]))?;
    let text = format!("{code} ({})\n\n{}\n", code.severity().word(), code.page());
    output::print_text(&text, terminal)?;
    Ok(Exit::Done)
}

/// The code of a finding, as a user writes it.
pub(super) fn code(word: &str) -> Result<FindingCode, Diagnostic> {
    word.parse().map_err(|()| {
        let words = FindingCode::ALL.iter().map(|code| code.word());
        let problem = Diagnostic::error(format!("`{word}` is not the code of a finding"));
        problem.hint(match nearest(&word.to_lowercase(), words) {
            Some(code) => format!("did you mean `{code}`?"),
            None => "`murder explain` lists all codes; for a value of a host, name the thing too: `murder explain HOST THING`".to_owned(),
        })
    })
}

/// Prints all codes, each with its severity and what is wrong.
fn list(terminal: &Terminal) -> Result<Exit, CliError> {
    let width = FindingCode::ALL.iter().map(|code| code.word().len()).max();
    let mut text = String::from("findings of `murder verify`:\n");
    for code in FindingCode::ALL {
        text.push_str(&format!(
            "  {:width$}  {:7}  {}\n",
            code.word(),
            code.severity().word(),
            code.summary(),
            width = width.unwrap_or_default()
        ));
    }
    text.push_str("`murder explain CODE` prints the page of one, with examples and the fix\n");
    output::print_text(&text, terminal)?;
    Ok(Exit::Done)
}

fn answer(loaded: &Loaded, host: &str, wanted: &str) -> Result<String, Vec<Diagnostic>> {
    let Some(murder) = &loaded.murder else {
        return Err(Vec::new());
    };
    let wrong = |error: crate::name::NameError| vec![Diagnostic::error(error.to_string())];
    let host = named(murder, host).map_err(|problem| vec![problem])?;
    let compiler = Compiler::new(murder, &loaded.modules)?;
    if let Some(name) = wanted.strip_prefix("vars.") {
        let explained = explainer(loaded, &compiler, host, &host.main_service()).variable(name);
        return explained.map_err(|problem| vec![problem]);
    }
    let (of, text) = on_instance(wanted);
    let thing = thing(text).map_err(wrong)?;
    if host.state == HostState::Retired {
        return Err(vec![
            Diagnostic::error(format!("`{}` is retired", host.name))
                .at(host.at, "")
                .detail("`murder` deletes what it created there and restores what it adopted"),
        ]);
    }
    let compiled = compiler.compile(&host.name, &host.facts)?;
    let services = host.roles_on().into_iter();
    let services = services.filter(|service| of.as_ref().is_none_or(|of| of == *service));
    let (mut text, mut problem) = (String::new(), None);
    for service in services {
        let part = host.part(service);
        match explainer(loaded, &compiler, &part, service).thing(&compiled, &thing) {
            Ok(lines) => text.push_str(&lines),
            Err(other) => problem = problem.or(Some(other)),
        }
    }
    if text.is_empty() {
        let none = || Diagnostic::error(format!("no role of `{}` is on this instance", host.name));
        return Err(vec![problem.unwrap_or_else(none)]);
    }
    Ok(text)
}

fn explainer<'a>(
    loaded: &'a Loaded,
    compiler: &'a Compiler<'a>,
    host: &'a Host,
    service: &'a Service,
) -> Explainer<'a> {
    Explainer {
        sources: &loaded.sources,
        modules: &loaded.modules,
        folder: &loaded.folder,
        host,
        service,
        compiler,
    }
}

/// A thing as a plan shows it, `/etc/postfix-out/main.cf:relayhost`: its instance, and the thing without the folder.
fn on_instance(text: &str) -> (Option<Service>, &str) {
    let split = || {
        let (folder, thing) = text.strip_prefix("/etc/")?.split_once('/')?;
        let is_value = thing.starts_with("main.cf:") || thing.starts_with("master.cf:");
        let instance = Instance::new(folder).ok().filter(|_| is_value)?;
        Some((Service::Postfix(instance), thing))
    };
    split().map_or((None, text), |(service, thing)| (Some(service), thing))
}

/// A thing in its text form; `master.cf:` may be left out, as in `lmtp/unix`.
pub(super) fn thing(text: &str) -> Result<Thing, crate::name::NameError> {
    if !text.starts_with('/') && !text.contains(".cf:") && text.contains('/') {
        return format!("master.cf:{text}").parse();
    }
    text.parse()
}
