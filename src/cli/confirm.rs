//! Shows a plan, asks for a yes, and decides what becomes of each host.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};

use super::error::CliError;
use super::exit::Exit;
use super::output::{self, Diff, Format, PlanFormat};
use super::signals;
use super::terminal::Terminal;
use crate::fleet::Stop;
use crate::name::HostName;
use crate::outcome::{Applied, Outcome, Postponed};
use crate::plan::{HostPlan, Plan, Verdict};
use crate::report::Summary;
use crate::session::options::Consent;
use crate::session::rollout::{refused, untouched};

/// Checks that `--yes` was given or that there is a terminal to ask on, before anything is read. `look` is the verb
/// that shows the same without changing anything.
///
/// # Errors
/// Where neither is so.
pub fn may_ask(yes: bool, look: &str) -> Result<(), CliError> {
    if yes || (std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(());
    }
    Err(CliError::message(format!(
        "cannot ask for confirmation without a terminal: use `--yes` to apply without a question, \
         or `{look}` to change nothing"
    )))
}

/// Shows the plan without the refusals that `consent` lifts: on standard output as part of the text, on standard
/// error where that is for JSON.
///
/// # Errors
/// Where standard output cannot be written.
pub fn show(
    plan: &Plan,
    consent: &Consent,
    format: Format,
    diff: Diff,
    terminal: &Terminal,
) -> Result<(), CliError> {
    let plan = plan.without_lifted(|kind| consent.lifts(kind));
    let color = match format {
        Format::Text => terminal.color_out,
        Format::Json => terminal.color_err,
    };
    let text = output::plan_text(&plan, PlanFormat::Text, diff.into(), color)?;
    match format {
        Format::Json => terminal.say(&text),
        Format::Text => output::print(text.as_bytes(), terminal)?,
    }
    Ok(())
}

/// Applies, or says for each host why it was not applied.
pub fn decide(
    plan: &Plan,
    consent: &Consent,
    yes: bool,
    terminal: &Terminal,
    change: impl FnOnce() -> BTreeMap<HostName, Outcome>,
) -> Applied {
    let refused = refused(plan, consent);
    let hosts = if !refused.is_empty() {
        // None is applied where one is refused: the order of waves rests on all of them.
        untouched(plan, consent, Postponed::Refused, refused)
    } else if Summary::of(plan).hosts == 0 || !(yes || confirmed(terminal)) {
        // Without a host to change there is nothing to ask, and no host is left to decline.
        untouched(plan, consent, Postponed::Declined, BTreeMap::new())
    } else {
        change()
    };
    Applied {
        murder: plan.murder.clone(),
        hosts,
    }
}

fn confirmed(terminal: &Terminal) -> bool {
    terminal.report("\nApply this to the hosts above? Only `yes` will be accepted: ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// Lets the first Ctrl-C wish a stop; warns where it cannot.
pub fn watch_signals(stop: &Stop, terminal: &Terminal) {
    if let Err(error) = signals::watch(stop) {
        terminal.say(&format!("warning: Ctrl-C will stop the program at once, without finishing the hosts that have begun: {error}"));
    }
}

/// How a change of one host is shown and asked for.
pub struct ConfirmOptions<'a> {
    /// What is consented to.
    pub consent: &'a Consent,
    /// Whether to ask.
    pub yes: bool,
    /// The form of the report.
    pub format: Format,
    /// How much of each file the plan shows.
    pub diff: Diff,
}

/// Shows a plan of one host, asks, changes it, and prints what became of it. Gives how that ends the program, and
/// whether the host was changed.
///
/// # Errors
/// Where standard output cannot be written.
pub fn confirm_and_apply(
    plan: &Plan,
    options: &ConfirmOptions<'_>,
    terminal: &Terminal,
    mut change: impl FnMut(&HostPlan) -> Outcome,
) -> Result<(Exit, bool), CliError> {
    show(
        plan,
        options.consent,
        options.format,
        options.diff,
        terminal,
    )?;
    let applied = decide(plan, options.consent, options.yes, terminal, || {
        // The host in flight is finished, whatever is pressed; twice ends at once, and is safe too.
        watch_signals(&Stop::new(), terminal);
        plan.hosts
            .iter()
            .filter_map(|(host, verdict)| match &verdict.verdict {
                Verdict::Changes(plan) => Some((host.clone(), change(plan))),
                _ => None,
            })
            .collect()
    });
    let done = |outcome: &Outcome| matches!(outcome, Outcome::Done { .. });
    let changed = applied.hosts.values().any(done);
    let exit = output::applied(&applied, plan, options.format, terminal)?;
    Ok((exit, changed))
}
