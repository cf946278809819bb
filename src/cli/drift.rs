//! `murder drift`: plan for cron.

use clap::Args;

use super::exit::Exit;
use super::plan::PlanOutput;
use super::reach::Reach;
use super::terminal::Terminal;
use super::{Selection, survey, wiring};
use crate::plan::Plan;

/// Arguments of `murder drift`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The manifest and the hosts meant.
    #[command(flatten)]
    pub selection: Selection,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: Reach,
    /// How drift is shown.
    #[command(flatten)]
    pub look: PlanOutput,
}

/// Runs the verb: no output at all where every host answered, none has drifted, and Postfix runs on
/// all of them, since cron mails whatever is said.
#[must_use]
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    let terminal = &Terminal {
        quiet: !terminal.verbose,
        ..*terminal
    };
    let (loaded, hosts) = match survey::open(&arguments.selection, terminal) {
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
    let exit = survey::verdict(&plan, Exit::Pending);
    if exit == Exit::Done && !is_stopped_anywhere(&plan) {
        return exit;
    }
    let look = arguments.look;
    let text = survey::shown(&plan, look.format, look.diff.into(), terminal.color_out);
    survey::deliver(text, terminal).or(exit)
}

/// A Postfix that is down is no drift, but no mail comes: who reads cron's mail wants to know.
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
                    verdict: Verdict::Converged,
                    remarks: Vec::new(),
                    stopped,
                },
            )]),
        };
        assert!(is_stopped_anywhere(&plan(true)));
        assert!(!is_stopped_anywhere(&plan(false)));
        assert_eq!(survey::verdict(&plan(true), Exit::Pending), Exit::Done);
    }
}
