//! `murder diff`: what two manifests, or two revisions of one, want differently.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::command_line::quoted;
use super::diff_mail::{DiffMail, DiffMailArguments};
use super::error::CliError;
use super::exit::Exit;
use super::output::{self, Diff, PlanFormat, PlanOutput};
use super::terminal::Terminal;
use super::{StrangerArguments, output::serialised, selection};
use crate::comparison::{Comparison, Side, compare, rules};
use crate::diagnostic::Diagnostic;
use crate::glob::matches;
use crate::load::{self, Loaded, RevisionRange};
use crate::name::HostName;
use crate::report::comparison as report;
use crate::report::markdown::Markdown;
use crate::session::plan::own_names;

/// Arguments of `murder diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The older manifest, a file or a folder; or two revisions of git: `main..HEAD`, or `main...HEAD` for what HEAD has
    /// changed since it parted from main.
    #[arg(value_name = "OLD|REVISIONS")]
    pub old: PathBuf,
    /// The newer manifest; with two revisions the manifest that is read from both.
    #[arg(value_name = "NEW", default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub new: PathBuf,
    /// Merge this file into both manifests; its values win (repeatable). With two revisions it is read from each.
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// Keep the rules of this policy in the newer manifest: a file, or `builtin:safe` (repeatable).
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<String>,
    /// Show only hosts whose name matches (repeatable).
    #[arg(long, value_name = "GLOB", conflicts_with = "ldif")]
    pub host: Vec<String>,
    /// Whether the manifests are trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
    /// Return exit code 2 if the manifests differ.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How the difference is shown.
    #[command(flatten)]
    pub look: PlanOutput,
    /// What the difference means for mail.
    #[command(flatten)]
    pub mail: DiffMailArguments,
}

/// Runs the verb.
///
/// # Errors
/// If one of the manifests has an error, or git has no such revision.
pub fn run(arguments: &DiffArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    arguments.look.check()?;
    let (comparison, mail) = match revisions(&arguments.old) {
        Some(range) => {
            let checkouts = range.check_out(&arguments.new, &arguments.overlay);
            let (old, new) = checkouts.map_err(|problem| CliError::arguments(vec![problem]))?;
            of_loaded(
                load::load_checkout(&old),
                load::load_checkout(&new),
                arguments,
                terminal,
            )?
        }
        None => {
            for word in [&arguments.old, &arguments.new] {
                check_exists(word)?;
            }
            let links = arguments.stranger.links();
            let load = |path: &Path| load::load_with(path, &arguments.overlay, links);
            let (old, new) = (load(&arguments.old), load(&arguments.new));
            of_loaded(old, new, arguments, terminal)?
        }
    };
    let exit = match comparison.is_empty() || !arguments.detailed_exitcode {
        _ if mail.as_ref().is_some_and(|mail| mail.refuses) => Exit::Refused,
        true => Exit::Done,
        false => Exit::Pending,
    };
    let text = shown(&comparison, mail.as_ref(), arguments, terminal);
    output::deliver(text, exit, terminal)
}

/// Demands that a word is the path of a manifest.
fn check_exists(word: &Path) -> Result<(), CliError> {
    if word.exists() {
        return Ok(());
    }
    let shown = word.display();
    let problem = Diagnostic::error(format!("there is no file or folder `{shown}`"));
    let problem = problem.hint(format!(
        "give two manifests, or two git revisions and the path: `murder diff {}..HEAD PATH`",
        match shown.to_string().contains(['/', '.']) {
            true => "main".to_owned(),
            false => quoted(&shown.to_string()),
        }
    ));
    Err(CliError::arguments(vec![problem]))
}

/// The range of revisions that a word names; a file or folder of that name is meant first.
fn revisions(word: &Path) -> Option<RevisionRange> {
    let text = word.to_str().filter(|_| !word.exists())?;
    RevisionRange::parse(text)
}

/// Compares two manifests, and says what the difference means for mail if that is asked; prints the warnings of the newer one.
fn of_loaded(
    mut old: Loaded,
    mut new: Loaded,
    arguments: &DiffArguments,
    terminal: &Terminal,
) -> Result<(Comparison, Option<DiffMail>), CliError> {
    let policies = {
        let rules = |loaded: &Loaded| loaded.murder.as_ref().map(|murder| rules(&murder.policies));
        rules(&old) != rules(&new)
    };
    // A rule that the older manifest breaks is no reason not to show what mends it.
    if let Some(murder) = &mut old.murder {
        murder.policies.clear();
    }
    load::add_policies(&mut new, &arguments.policy);
    let [old, new] = [old, new].map(usable);
    let (old, new) = (old?, new?);
    terminal.diagnostics(&new.diagnostics, &new.sources);
    let (Some(before), Some(after)) = (side(&old), side(&new)) else {
        return Err(CliError::message("a manifest could not be read"));
    };
    let mut own = own_names(before.murder, before.murder.hosts.keys());
    own.extend(own_names(after.murder, after.murder.hosts.keys()));
    let mut comparison = compare(before, after, own).map_err(|(number, problems)| {
        let sources = if number == 0 {
            &old.sources
        } else {
            &new.sources
        };
        CliError::input(problems, sources)
    })?;
    let mail = arguments.mail.judge([before, after], &comparison)?;
    comparison.handling.policies = policies;
    select(&mut comparison, [before, after], &arguments.host)?;
    Ok((comparison, mail))
}

/// Keeps the hosts that match one of the patterns; all, if there is none.
fn select(
    comparison: &mut Comparison,
    sides: [Side<'_>; 2],
    patterns: &[String],
) -> Result<(), CliError> {
    if patterns.is_empty() {
        return Ok(());
    }
    let hosts = sides.iter().flat_map(|side| side.murder.hosts.keys());
    let all: BTreeSet<&HostName> = hosts.collect();
    selection::check_hosts(patterns, &all).map_err(CliError::arguments)?;
    comparison.keep(&all, &|name| {
        patterns.iter().any(|one| matches(one, name.as_str()))
    });
    Ok(())
}

fn usable(loaded: Loaded) -> Result<Loaded, CliError> {
    match loaded.failed() {
        true => Err(CliError::input(loaded.diagnostics, &loaded.sources)),
        false => Ok(loaded),
    }
}

fn side(loaded: &Loaded) -> Option<Side<'_>> {
    Some(Side {
        murder: loaded.murder.as_ref()?,
        modules: &loaded.modules,
        sources: &loaded.sources,
        manifest: loaded.manifest.as_ref()?,
        folder: &loaded.folder,
        shown_folder: &loaded.shown_folder,
    })
}

fn shown(
    comparison: &Comparison,
    mail: Option<&DiffMail>,
    arguments: &DiffArguments,
    terminal: &Terminal,
) -> Result<String, CliError> {
    let PlanOutput {
        format,
        diff,
        limit,
    } = arguments.look;
    match format {
        PlanFormat::Text => output::written(|text| {
            report::write_text(comparison, diff.into(), terminal.color_out, text)?;
            match mail {
                Some(mail) => write!(text, "\n{}", mail.text),
                None => Ok(()),
            }
        }),
        PlanFormat::Json => serialised(report::of_comparison(
            comparison,
            mail.map(|mail| &mail.change),
        )),
        PlanFormat::Markdown => {
            let words = [&arguments.old, &arguments.new];
            let [old, new] = words.map(|word| quoted(&word.display().to_string()));
            let command = arguments
                .look
                .with_diff(&format!("murder diff {old} {new}"));
            let how = Markdown {
                detail: Diff::into(diff),
                forge: limit,
                command: &command,
                mail: mail.map(|mail| mail.text.as_str()),
            };
            output::written(|text| report::write_markdown(comparison, &how, text))
        }
    }
}
