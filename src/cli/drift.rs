//! `murder drift`: plan for cron.

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::output::{self, PlanOutput};
use super::reach::ReachArguments;
use super::terminal::Terminal;
use super::{Selection, StrangerArguments, open};
use crate::plan::Plan;

/// Arguments of `murder drift`.
#[derive(Debug, Args)]
pub struct DriftArguments {
    /// The manifest and the selected hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: ReachArguments,
    /// How drift is shown.
    #[command(flatten)]
    pub look: PlanOutput,
}

/// Runs the verb. It prints nothing if every host answered, none has drifted, and Postfix runs on all of them, because
/// cron sends all output as mail.
///
/// # Errors
/// If no host could be contacted, or standard output cannot be written.
pub fn run(arguments: &DriftArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let selection = arguments.selection.of_stranger(arguments.stranger);
    let plan = open::difference(&selection, &arguments.reach, terminal)?;
    let exit = Exit::of_plan(&plan, Exit::Pending);
    if exit == Exit::Done && !is_stopped_anywhere(&plan) {
        return Ok(exit);
    }
    let look = arguments.look;
    let text = output::plan_text(&plan, look.format, look.diff.into(), terminal.color_out);
    output::deliver(text, exit, terminal)
}

/// Whether Postfix does not run on a host. That is no drift, but it is reported, because the host gets no mail.
fn is_stopped_anywhere(plan: &Plan) -> bool {
    plan.hosts.values().any(|host| host.stopped)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::name::HostName;
    use crate::plan::{HostVerdict, Verdict};

    #[test]
    fn a_stopped_postfix_is_said_and_is_no_drift() {
        let plan = |stopped| Plan {
            murder: "example.org".to_owned(),
            hosts: BTreeMap::from([(
                HostName::new("a.example.org").unwrap(),
                HostVerdict {
                    stopped,
                    ..HostVerdict::of(Verdict::Converged)
                },
            )]),
        };
        assert!(is_stopped_anywhere(&plan(true)));
        assert!(!is_stopped_anywhere(&plan(false)));
        assert_eq!(Exit::of_plan(&plan(true), Exit::Pending), Exit::Done);
    }
}
