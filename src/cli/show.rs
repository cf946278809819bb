//! `murder show`: a saved plan, as `plan` printed it.

use std::path::{Path, PathBuf};

use clap::Args;

use super::command_line::quoted;
use super::error::CliError;
use super::exit::Exit;
use super::mail_change::{MailReport, with_mail};
use super::output::{self, PlanOutput};
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::load;
use crate::plan::Plan;
use crate::plan::saved::{PlanDamage, SavedPlan};

/// Arguments of `murder show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The saved plan.
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// How the plan is shown.
    #[command(flatten)]
    pub look: PlanOutput,
}

/// Runs the verb.
///
/// # Errors
/// If the file is no saved plan, or standard output cannot be written.
pub fn run(arguments: &ShowArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let look = arguments.look;
    look.check()?;
    let plan = read(&arguments.file)?;
    let mail = plan.header.mail.as_ref().map(MailReport::of_saved);
    let words = mail.as_ref().map(|mail| mail.text.as_str());
    let text = shown(&plan, &arguments.file)
        .and_then(|plan| look.plan(&plan, &command(&arguments.file), words, terminal))
        .and_then(|text| with_mail(text, mail.as_ref(), look.format));
    output::deliver(text, Exit::Done, terminal)
}

/// The command that shows a saved plan.
#[must_use]
pub fn command(file: &Path) -> String {
    format!("murder show {}", quoted(&file.display().to_string()))
}

/// Reads a saved plan.
///
/// # Errors
/// If the file cannot be read, or is no saved plan that can be used.
pub fn read(path: &Path) -> Result<SavedPlan, CliError> {
    let bytes = load::read_plan(path).map_err(|problem| CliError::arguments(vec![problem]))?;
    SavedPlan::from_bytes(&bytes).map_err(|damage| unusable(path, &damage))
}

/// What a saved plan shows: without the refusals that were lifted when it was made.
///
/// # Errors
/// If it cannot be used.
pub fn shown(plan: &SavedPlan, path: &Path) -> Result<Plan, CliError> {
    let shown = plan.shown().map_err(|damage| unusable(path, &damage))?;
    Ok(shown.without_lifted(|host, kind| plan.header.lifts(host, kind)))
}

/// The error for a file that is no plan that can be used.
#[must_use]
pub fn unusable(path: &Path, damage: &PlanDamage) -> CliError {
    let problem = Diagnostic::error(format!("the plan `{}` {damage}", path.display()));
    CliError::arguments(vec![problem.hint(damage.hint())])
}
