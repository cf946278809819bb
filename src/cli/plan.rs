//! `murder plan`.

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::reach::Reach;
use super::terminal::{PlanFormat, Terminal};
use super::{Selection, survey, wiring};
use crate::report::Detail;

/// Arguments of `murder plan`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The manifest and the hosts meant.
    #[command(flatten)]
    pub selection: Selection,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: Reach,
    /// How the plan is shown.
    #[command(flatten)]
    pub look: PlanOutput,
    /// End with 2 where changes are pending, as Terraform does.
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct PlanOutput {
    /// The form of the plan.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// How much of each file is shown.
    #[arg(long, value_enum, value_name = "MUCH", default_value_t = Diff::Context)]
    pub diff: Diff,
}

/// How much of each file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Diff {
    /// No texts.
    Summary,
    /// What changes, with three lines around it.
    Context,
    /// Whole files.
    Full,
}

impl From<Diff> for Detail {
    fn from(diff: Diff) -> Self {
        match diff {
            Diff::Summary => Self::Summary,
            Diff::Context => Self::Context,
            Diff::Full => Self::Full,
        }
    }
}

/// Runs the verb.
#[must_use]
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    let opened = survey::open(&arguments.selection, terminal);
    let (loaded, hosts) = match opened {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let eyes = match wiring::eyes(&loaded, &hosts, &arguments.reach, terminal) {
        Ok(eyes) => eyes,
        Err(wiring::AlreadyReported) => return Exit::Refused,
    };
    let plan = survey::look(
        &loaded.murder.name,
        &hosts,
        &*eyes,
        arguments.reach.parallel,
        terminal,
    );
    let look = arguments.look;
    let text = survey::shown(&plan, look.format, look.diff.into(), terminal.color_out);
    let pending = if arguments.detailed_exitcode {
        Exit::Pending
    } else {
        Exit::Done
    };
    survey::deliver(text, terminal).or(survey::verdict(&plan, pending))
}
