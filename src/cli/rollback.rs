//! `murder rollback HOST`: restores an earlier generation.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::confirm::{self, ConfirmOptions, confirm_and_apply};
use super::error::CliError;
use super::exit::Exit;
use super::manifest_arguments::AdditionArguments;
use super::open;
use super::output::{Diff, Format};
use super::reach::{ConsentArguments, ReachArguments};
use super::terminal::Terminal;
use crate::history::manifest_revision;
use crate::name::HostName;
use crate::plan::{Verdict, hold_changes};
use crate::session::SessionError;
use crate::session::hold::new_hold;
use crate::session::one_host::without_answer;
use crate::session::options::Reach;
use crate::session::rollback::{self, Target};

/// How long a rollback holds what it changed.
const HELD_FOR: Duration = Duration::from_secs(86_400);

/// Arguments of `murder rollback`.
#[derive(Debug, Args)]
#[command(
    after_help = "A rollback is an apply of an earlier generation: it shows a plan, asks for confirmation, and \
                  makes a new generation, so that it can itself be rolled back. Files get the present \
                  secrets. The manifest does not change, so the next apply reverts the rollback, \
                  unless the manifest is restored too.\n\nExit codes are those of `apply`."
)]
pub struct RollbackArguments {
    /// The host.
    pub host: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// The generation to restore (`murder history` lists them); 0 is the host as it was before its first
    /// apply. Default: the generation before the last change.
    #[arg(long, value_name = "N")]
    pub to: Option<u64>,
    /// What the operator adds to the manifest.
    #[command(flatten)]
    pub added: AdditionArguments,
    /// Do not hold what the rollback changes: the next apply reverts it. Without this flag it is held for 24 hours.
    #[arg(long)]
    pub no_hold: bool,
    /// Apply without asking; needed if there is no terminal.
    #[arg(long)]
    pub yes: bool,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How much of each file the plan shows.
    #[arg(long, value_enum, value_name = "MUCH", default_value_t = Diff::Context)]
    pub diff: Diff,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: ReachArguments,
    /// What is consented to.
    #[command(flatten)]
    pub consent: ConsentArguments,
}

/// Runs the verb.
///
/// # Errors
/// If the host has no such generation, or it cannot be restored. Nothing was changed.
pub fn run(arguments: &RollbackArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    confirm::may_ask(arguments.yes, "murder history")?;
    let (path, overlays) = (&arguments.path, &arguments.added.overlay);
    let (loaded, host) = open::one_host(&arguments.host, path, overlays, terminal)?;
    let consent = arguments.consent.options();
    let reach = Reach {
        paths: arguments.added.paths(),
        ..arguments.reach.options()
    };
    let mut one_host = open::session_of_host(&loaded, &host, &reach, terminal)?;
    let looked = rollback::target(&mut one_host, arguments.to).and_then(|target| {
        let verdict = rollback::compare(&mut one_host, &target)?;
        Ok((Some(target), verdict))
    });
    let (target, verdict) = match looked {
        Ok(looked) => looked,
        Err(SessionError::Host(_, error)) => (None, without_answer(error)),
        Err(error) => return Err(CliError::session(error, &loaded.sources)),
    };
    let warnings = target.iter().flat_map(|target| &target.warnings);
    terminal.diagnostics(warnings, &loaded.sources);
    let mut plan = one_host.plan(verdict);
    if let Some(target) = target.as_ref().filter(|_| !arguments.no_hold) {
        let reason = format!("rollback to generation {}", target.number);
        let hold = new_hold(&one_host, HELD_FOR, &reason);
        for host in plan.hosts.values_mut() {
            if let Verdict::Changes(plan) = &mut host.verdict {
                hold_changes(plan, &hold);
            }
        }
    }
    let options = ConfirmOptions {
        consent: &consent,
        yes: arguments.yes,
        format: arguments.format,
        diff: arguments.diff,
    };
    let (exit, changed) = confirm_and_apply(&plan, &options, terminal, |plan| {
        rollback::apply(
            &mut one_host,
            plan,
            target.as_ref(),
            consent.unverified(&host),
        )
    })?;
    if let Some(target) = target.filter(|_| changed) {
        terminal.say(&next(&host, &target, !arguments.no_hold));
    }
    Ok(exit)
}

/// The message after a rollback: the manifest is unchanged, so the next apply reverts it.
fn next(host: &HostName, target: &Target, held: bool) -> String {
    let number = target.number;
    if number == 0 {
        return format!(
            "{host} is as it was before its first apply. The next `murder apply` takes it over again, \
             unless it is removed from the manifest."
        );
    }
    let when = match held {
        true => {
            "What changed is held for 24 hours (`murder unhold` ends that); then the next apply"
        }
        false => "The next apply",
    };
    let undone = format!(
        "{host} is as it was in generation {number}. {when} reverts this; to keep it, restore the \
         manifest of that generation"
    );
    let revision = manifest_revision(&target.revision);
    let commit = revision.strip_suffix("-dirty").unwrap_or(revision);
    // A host says it, and a person may copy the command into a shell.
    if !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("{undone} (what the host names as its revision is not one of git).");
    }
    match revision {
        "" => format!("{undone} (its revision is not known)."),
        revision => match revision.strip_suffix("-dirty") {
            None => {
                format!("{undone}: `git checkout {revision} -- .` in the folder of the manifest.")
            }
            Some(commit) => format!(
                "{undone}: `git checkout {commit} -- .` in the folder of the manifest, and then the changes \
                 that were not committed at that time."
            ),
        },
    }
}
