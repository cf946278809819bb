//! `murder check`.

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::exit::Exit;
use super::output;
use super::terminal::Terminal;
use super::{Selection, StrangerArguments, selection, untrusted};
use crate::compile::{self, Compiler};
use crate::diagnostic::Severity;
use crate::load::{self, Loaded};
use crate::model::Host;
use crate::report::{self, findings};
use crate::secret_source::check_secret_files;
use crate::session::precompile::compile_problems;
use crate::visible::visible_json;

/// Arguments of `murder check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The manifest and the selected hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
    /// The format of the problems.
    #[arg(long, value_enum, default_value = "text")]
    pub format: CheckFormat,
}

/// The forms of the problems of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
    /// GitLab's Code Quality report.
    Codequality,
}

/// Runs the verb: exit code 0, also with warnings, or 1 with an error.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(arguments: &CheckArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let selection = &arguments.selection.of_stranger(arguments.stranger);
    let mut loaded = load::load_with(&selection.path, &selection.added.overlay, selection.links());
    load::add_policies(&mut loaded, &selection.policy);
    compile_hosts(&mut loaded, selection);
    match arguments.format {
        CheckFormat::Text => {
            terminal.diagnostics(&loaded.diagnostics, &loaded.sources);
            untrusted::say_unread(loaded.murder.as_ref(), selection, terminal);
            terminal.say(&summary(&loaded));
        }
        CheckFormat::Json => output::print_text(&json(&loaded)?, terminal)?,
        CheckFormat::Sarif => {
            let (text, left_out) = findings::sarif(&loaded.diagnostics, &loaded.sources);
            output::print_text(&visible_json(&text), terminal)?;
            if left_out > 0 {
                terminal.report(&format!(
                    "{} more are left out of the report: code scanning shows {} of them",
                    plural(left_out, "problem"),
                    findings::RESULTS
                ));
            }
        }
        CheckFormat::Github => {
            // These lines are commands of `murder` itself; the texts in them are made harmless there.
            let text = findings::github(&loaded.diagnostics, &loaded.sources);
            output::print(text.as_bytes(), terminal)?;
        }
        CheckFormat::Codequality => {
            let text = findings::codequality(&loaded.diagnostics, &loaded.sources);
            output::print_text(&visible_json(&text), terminal)?;
        }
    }
    Ok(if loaded.failed() {
        Exit::Refused
    } else {
        Exit::Done
    })
}

/// Compiles each selected host with the facts of the manifest, and adds the problems to `loaded`.
fn compile_hosts(loaded: &mut Loaded, selected: &Selection) {
    let Some(murder) = &loaded.murder else {
        return;
    };
    let found = match (
        Compiler::new(murder, &loaded.modules),
        selection::select(murder, selected),
    ) {
        (Ok(compiler), Ok(hosts)) => {
            let paths = selected.paths();
            let compile = |host: &Host| paths.judge(compiler.compile(&host.name, &host.facts));
            compile_problems(compile, murder, &hosts, true)
        }
        // If a template is broken, the values of the manifest are still checked.
        (Err(mut problems), _) => {
            let hosts = murder.hosts.values();
            problems.extend(hosts.flat_map(|host| compile::value_problems(host, &loaded.modules)));
            problems
        }
        (Ok(_), Err(problems)) => problems,
    };
    loaded.diagnostics.extend(found);
    if !selected.untrusted {
        loaded.diagnostics.extend(check_secret_files(murder));
    }
    // Hosts that share a layer share its problems.
    load::tidy(&mut loaded.diagnostics);
}

/// The result of the check in one line.
fn summary(loaded: &Loaded) -> String {
    let count = |level| {
        let all = loaded.diagnostics.iter();
        all.filter(|diagnostic| diagnostic.level == level).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut parts = Vec::new();
    if let Some(murder) = &loaded.murder {
        parts.push(format!("`{}`", murder.name));
        parts.push(plural(murder.hosts.len(), "host"));
    }
    match (errors, warnings) {
        (0, 0) => parts.push("no problems".to_owned()),
        (0, warnings) => parts.push(plural(warnings, "warning")),
        (errors, 0) => parts.push(plural(errors, "error")),
        (errors, warnings) => {
            parts.push(plural(errors, "error"));
            parts.push(plural(warnings, "warning"));
        }
    }
    parts.join(", ")
}

fn plural(count: usize, noun: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{end}")
}

fn json(loaded: &Loaded) -> Result<String, CliError> {
    let of = loaded.murder.as_ref();
    let of = of.map(|murder| (murder.name.as_str(), murder.hosts.len()));
    output::serialised(report::check::json(
        of,
        &loaded.diagnostics,
        &loaded.sources,
    ))
}
