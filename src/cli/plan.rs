//! `murder plan`.

use std::path::PathBuf;

use clap::Args;

use super::command_line::command_line;
use super::error::CliError;
use super::exit::Exit;
use super::mail_change::{MailArguments, with_mail};
use super::output::{self, PlanOutput};
use super::reach::{ConsentArguments, ReachArguments};
use super::save::{self, SaveArguments};
use super::shard::ShardArguments;
use super::terminal::Terminal;
use super::{Selection, StrangerArguments, judged_plan, open, show};

/// Arguments of `murder plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// The manifest and the selected hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
    /// The part of the hosts for this runner.
    #[command(flatten)]
    pub shard: ShardArguments,
    /// Plan from FILE, which `observe --out FILE` wrote: no host is contacted, and no secret is read. Such a plan cannot be
    /// applied.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["out", "sandbox", "local", "accept_new", "allow_commands"])]
    pub live: Option<PathBuf>,
    /// Return exit code 2 if changes are pending, as Terraform does.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: ReachArguments,
    /// Where the plan is saved.
    #[command(flatten)]
    pub save: SaveArguments,
    /// The directory by which the plan is judged.
    #[command(flatten)]
    pub mail: MailArguments,
    /// The refusals that the user lifts; the saved plan records them.
    #[command(flatten)]
    pub consent: ConsentArguments,
    /// How the plan is shown.
    #[command(flatten)]
    pub look: PlanOutput,
}

/// Runs the verb.
///
/// # Errors
/// If no host could be contacted, or standard output cannot be written.
pub fn run(arguments: &PlanArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    arguments.look.check()?;
    check_mail(arguments)?;
    let selection = arguments.selection.of_stranger(arguments.stranger);
    let selection = selection.of_shard(arguments.shard);
    let save = &arguments.save;
    let (plan, mail) = match (&save.out, &arguments.live) {
        (Some(file), _) => save::plan(
            &selection,
            &arguments.reach,
            &arguments.consent,
            &arguments.mail,
            (file, save.base.as_deref()),
            terminal,
        )?,
        (None, live) => {
            let consent = arguments.consent.options();
            let (plan, mail) = match live {
                Some(file) => {
                    let reach = &arguments.reach;
                    (
                        open::difference_of_live_file(&selection, reach, file, &consent, terminal)?,
                        None,
                    )
                }
                None => judged_plan::difference(
                    &selection,
                    &arguments.reach,
                    &arguments.mail,
                    &consent,
                    terminal,
                )?,
            };
            (
                plan.without_lifted(|host, kind| consent.lifts(host, kind)),
                mail,
            )
        }
    };
    let pending = if arguments.detailed_exitcode {
        Exit::Pending
    } else {
        Exit::Done
    };
    // A saved plan shows the same bytes as long as it is there.
    let command = match &save.out {
        Some(file) => show::command(file),
        None => command_line(
            "plan",
            &selection,
            &arguments.reach,
            arguments.live.as_deref(),
        ),
    };
    let format = arguments.look.format;
    let words = mail.as_ref().map(|mail| mail.text.as_str());
    let text = arguments.look.plan(&plan, &command, words, terminal);
    let text = text.and_then(|text| with_mail(text, mail.as_ref(), format));
    output::deliver(text, Exit::of_plan(&plan, pending), terminal)
}

/// Checks that the flags about mail agree with the others.
fn check_mail(arguments: &PlanArguments) -> Result<(), CliError> {
    if let (Some(flag), Some(_)) = (arguments.mail.given(), &arguments.live) {
        return Err(CliError::message(format!(
            "`{flag}` needs what the hosts have now, and `--live` contacts none: leave one of them out"
        )));
    }
    Ok(())
}
