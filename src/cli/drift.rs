//! `murder drift`: plan for cron.

use clap::Args;

use super::exit::Exit;
use super::plan::Look;
use super::reach::Reach;
use super::terminal::Terminal;
use super::{Selection, survey, wiring};

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
    pub look: Look,
}

/// Runs the verb: no output at all where every host answered and none has drifted, since cron
/// mails whatever is said.
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
        Err(wiring::Said) => return Exit::Refused,
    };
    let plan = survey::look(
        &loaded.murder.name,
        &hosts,
        &*eyes,
        arguments.reach.parallel,
        terminal,
    );
    let exit = survey::verdict(&plan, Exit::Pending);
    if exit == Exit::Done {
        return exit;
    }
    let look = arguments.look;
    let text = survey::shown(&plan, look.format, look.diff.into(), terminal.color_out);
    survey::deliver(text, terminal).or(exit)
}
