//! Shows a plan, asks for confirmation, and applies it or gives the reason why not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal};

use super::error::CliError;
use super::event_stream::EventStream;
use super::exit::Exit;
use super::output::{self, Diff, Format};
use super::signals;
use super::terminal::Terminal;
use crate::fleet::Stop;
use crate::name::HostName;
use crate::outcome::{ApplyResult, Outcome, Postponed};
use crate::plan::{HostPlan, HostVerdict, Plan, RefusalKind, Verdict};
use crate::report::Summary;
use crate::report::line::count;
use crate::session::options::Consent;
use crate::session::rollout::{refused, untouched};
use crate::session::so_far::OutcomesSoFar;

/// Checks for `--yes` or a terminal before anything is read, so that a run that cannot ask fails early. `look` is the
/// verb that the message suggests instead; it changes nothing.
///
/// # Errors
/// If there is neither.
pub fn may_ask(yes: bool, look: &str) -> Result<(), CliError> {
    if yes || (std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(());
    }
    Err(CliError::message(format!(
        "cannot ask for confirmation without a terminal: use `--yes` to apply without a question, \
         or `{look}` to change nothing"
    )))
}

/// Shows the plan without the refusals that `consent` lifts; its summary alone if `was_read`. It goes to standard output, or to
/// standard error if standard output is for JSON.
///
/// # Errors
/// If standard output cannot be written.
pub fn show(
    plan: &Plan,
    consent: &Consent,
    format: Format,
    (diff, was_read): (Diff, bool),
    terminal: &Terminal,
) -> Result<(), CliError> {
    let plan = plan.without_lifted(|host, kind| consent.lifts(host, kind));
    let color = match format {
        Format::Text => terminal.color_out,
        Format::Json => terminal.color_err,
    };
    let text = match was_read {
        true => output::text_of_obstacles(&plan, diff.into(), color)?,
        false => output::text_of_plan(&plan, diff.into(), color)?,
    };
    match format {
        Format::Json => terminal.say(&text),
        Format::Text => output::print_text(&text, terminal)?,
    }
    Ok(())
}

/// Applies the plan by `change`, or gives for each host the reason why it was not applied.
pub fn decide(
    plan: &Plan,
    consent: &Consent,
    yes: bool,
    terminal: &Terminal,
    change: impl FnOnce() -> BTreeMap<HostName, Outcome>,
) -> ApplyResult {
    let refused = refused(plan, consent);
    let hosts = if !refused.is_empty() {
        // If one host is refused, none is applied: the order of the waves depends on all hosts.
        untouched(plan, consent, Postponed::Refused, refused)
    } else if Summary::of(plan).hosts == 0 || !(yes || confirmed(plan, consent, terminal)) {
        // If no host has changes, there is no question, and no host gets the outcome `declined`.
        untouched(plan, consent, Postponed::Declined, BTreeMap::new())
    } else {
        change()
    };
    ApplyResult {
        murder: plan.murder.clone(),
        hosts,
    }
}

fn confirmed(plan: &Plan, consent: &Consent, terminal: &Terminal) -> bool {
    for line in lifted(plan, consent) {
        terminal.report(&line);
    }
    terminal.report("\nApply this to the hosts above? Only `yes` will be accepted: ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// Each flag that lifts a refusal of the plan, with the number of hosts on which it does.
fn lifted(plan: &Plan, consent: &Consent) -> Vec<String> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, host) in &plan.hosts {
        let Verdict::Changes(plan) = &host.verdict else {
            continue;
        };
        let lifted = plan.refusals.iter().map(|refusal| refusal.kind);
        let lifted = lifted.filter(|kind| consent.lifts(name, *kind));
        let flags: BTreeSet<&str> = lifted.filter_map(RefusalKind::flag).collect();
        for flag in flags {
            *hosts.entry(flag).or_default() += 1;
        }
    }
    let line = |(flag, number)| format!("{flag} lifts a refusal on {}", count(number, "host"));
    hosts.into_iter().map(line).collect()
}

/// How to report an apply that is interrupted.
pub struct InterruptReport<'a> {
    /// The manifest's `murder`.
    pub murder: &'a str,
    /// What the apply has done.
    pub so_far: OutcomesSoFar,
    /// The form of the report.
    pub format: Format,
    /// Where events are written, in place of a report.
    pub events: Option<EventStream>,
    /// Clears what is drawn on standard error.
    pub clear: Box<dyn FnOnce() + Send>,
}

/// Makes the first Ctrl-C request a stop, and the second one end the program with a report; warns if that is not possible.
pub fn watch_signals(stop: &Stop, report: InterruptReport<'_>, terminal: &Terminal) {
    let (murder, terminal_then) = (report.murder.to_owned(), *terminal);
    let InterruptReport {
        so_far,
        format,
        events,
        clear,
        ..
    } = report;
    let report = move || {
        // Without outcomes the report of the whole apply is being printed.
        if let Some(hosts) = so_far.take() {
            clear();
            match events {
                Some(events) => events.outcomes(&hosts, output::interruption()),
                None => output::interrupted(&ApplyResult { murder, hosts }, format, &terminal_then),
            }
        }
    };
    if let Err(error) = signals::watch(stop, report) {
        terminal.say(&format!("warning: Ctrl-C will stop the program at once, without finishing the hosts that have begun: {error}"));
    }
}

/// Ends the time in which an interruption is reported. Where its report is being printed, the program ends there, so this
/// never returns.
pub fn no_more_interruptions(so_far: &OutcomesSoFar) {
    if so_far.take().is_none() {
        loop {
            std::thread::park();
        }
    }
}

/// How to show the plan of one host and ask for confirmation.
pub struct ConfirmOptions<'a> {
    /// The refusals that the user lifts.
    pub consent: &'a Consent,
    /// Whether to apply without asking.
    pub yes: bool,
    /// The form of the report.
    pub format: Format,
    /// How much of each file the plan shows.
    pub diff: Diff,
}

/// Shows the plan of one host, asks for confirmation, applies it by `change`, and prints the outcome. Gives the exit
/// code, and whether the host was changed.
///
/// # Errors
/// If standard output cannot be written.
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
        (options.diff, false),
        terminal,
    )?;
    let applied = decide(plan, options.consent, options.yes, terminal, || {
        let changes = |(host, verdict): (&HostName, &HostVerdict)| match &verdict.verdict {
            Verdict::Changes(_) => Some((host.clone(), Outcome::Interrupted)),
            _ => None,
        };
        let so_far = OutcomesSoFar::new(plan.hosts.iter().filter_map(changes).collect());
        let report = InterruptReport {
            murder: &plan.murder,
            so_far: so_far.clone(),
            format: options.format,
            events: None,
            clear: Box::new(|| ()),
        };
        // One Ctrl-C does not interrupt the host. A second one ends the program, and the host completes on its own.
        watch_signals(&Stop::new(), report, terminal);
        let outcomes = plan
            .hosts
            .iter()
            .filter_map(|(host, verdict)| match &verdict.verdict {
                Verdict::Changes(plan) => Some((host.clone(), change(plan))),
                _ => None,
            })
            .collect();
        no_more_interruptions(&so_far);
        outcomes
    });
    let changed = applied.hosts.values().any(Outcome::is_applied);
    let exit = output::applied(&applied, plan, options.format, terminal)?;
    Ok((exit, changed))
}
