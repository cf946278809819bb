//! `murder apply`: plan, show, ask, change.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal};

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::plan::Diff;
use super::progress::Progress;
use super::reach::{Consent, Reach};
use super::terminal::{PlanFormat, Terminal};
use super::wiring::{Applier, Loaded};
use super::{Selection, selection, signals, survey, wiring};
use crate::fleet::{self, Batch, Limits, NotStarted, Phase, Place, Stop, TurnResult};
use crate::model::HostState;
use crate::name::{HostName, RoleName};
use crate::outcome::{Applied, Outcome, Postponed};
use crate::plan::{Plan, Verdict};
use crate::report::{self, Summary};

/// Arguments of `murder apply`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The manifest and the hosts meant.
    #[command(flatten)]
    pub selection: Selection,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: Reach,
    /// Do not ask; needed where there is no terminal.
    #[arg(long)]
    pub yes: bool,
    /// What is consented to.
    #[command(flatten)]
    pub consent: Consent,
    /// Failed hosts that do not yet keep later waves from beginning.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_fail: usize,
    /// Of each wave (and role with a rollout), take so many hosts first, alone.
    #[arg(long, value_name = "N")]
    pub canary: Option<usize>,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How much of each file the plan shows.
    #[arg(long, value_enum, value_name = "MUCH", default_value_t = Diff::Context)]
    pub diff: Diff,
}

/// The forms of an apply's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
}

/// Runs the verb.
#[must_use]
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    if !may_ask(arguments.yes, "murder plan", terminal) {
        return Exit::Refused;
    }
    let (loaded, hosts) = match survey::open(&arguments.selection, terminal) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    if let Err(errors) = selection::allowed(&loaded.murder, &arguments.consent.allow_unreachable) {
        return survey::refuse(&errors, terminal);
    }
    let hands = match wiring::hands(
        &loaded,
        &hosts,
        &arguments.reach,
        &arguments.consent,
        terminal,
    ) {
        Ok(hands) => hands,
        Err(wiring::AlreadyReported) => return Exit::Refused,
    };
    let parallel = arguments.reach.parallel;
    let plan = survey::look(&loaded.murder.name, &hosts, &*hands, parallel, terminal);
    let shown = show(
        &plan,
        &arguments.consent,
        arguments.format,
        arguments.diff,
        terminal,
    );
    if shown != Exit::Done {
        return shown;
    }
    let applied = decide(&plan, &arguments.consent, arguments.yes, terminal, || {
        roll(&loaded, &plan, &*hands, arguments, terminal)
    });
    let exit = deliver(&applied, &plan, arguments.format, terminal).or(exit_of(&applied));
    if exit != Exit::Refused {
        for host in hands.forget() {
            terminal.say(&format!(
                "{host}: there is nothing left to do, and the next plan does not tell of that earlier apply any more"
            ));
        }
    }
    exit
}

/// Whether somebody has said yes already, or can read the question and answer it. Asked before
/// anything is read: what cannot be asked need not be planned.
pub(super) fn may_ask(yes: bool, look: &str, terminal: &Terminal) -> bool {
    let may = yes || (std::io::stdin().is_terminal() && std::io::stderr().is_terminal());
    if !may {
        terminal.error(&format!(
            "there is no terminal to ask on: give `--yes` to apply without being asked, \
             or use `{look}` to look"
        ));
    }
    may
}

/// How what became of the hosts ends the program.
pub(super) fn exit_of(applied: &Applied) -> Exit {
    let exits = applied.hosts.values().map(of_outcome);
    exits.fold(Exit::Done, Exit::or)
}

/// Shows the plan without the refusals that a flag lifts: on standard output as part of the text, on standard error where that is for JSON.
pub(super) fn show(
    plan: &Plan,
    consent: &Consent,
    format: Format,
    diff: Diff,
    terminal: &Terminal,
) -> Exit {
    let plan = plan.without_lifted(|kind| consent.lifts(kind));
    let color = match format {
        Format::Text => terminal.color_out,
        Format::Json => terminal.color_err,
    };
    let text = survey::shown(&plan, PlanFormat::Text, diff.into(), color);
    match (format, text) {
        (Format::Json, Ok(text)) => {
            terminal.say(&text);
            Exit::Done
        }
        (_, text) => survey::deliver(text, terminal),
    }
}

/// Applies, or says for each host why it was not applied.
pub(super) fn decide(
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
        // Without a host to change there is nothing to ask, and nobody is left to decline.
        untouched(plan, consent, Postponed::Declined, BTreeMap::new())
    } else {
        change()
    };
    Applied {
        murder: plan.murder.clone(),
        hosts,
    }
}

/// The hosts whose plan still has a refusal that nothing on the command line lifts.
fn refused(plan: &Plan, consent: &Consent) -> BTreeMap<HostName, Outcome> {
    let of_host = |(host, verdict): (&HostName, &crate::plan::HostVerdict)| {
        let Verdict::Changes(plan) = &verdict.verdict else {
            return None;
        };
        let open = plan.refusals.iter().filter(|one| !consent.lifts(one.kind));
        let refusals: Vec<_> = open.cloned().collect();
        (!refusals.is_empty()).then(|| (host.clone(), Outcome::Refused { refusals }))
    };
    plan.hosts.iter().filter_map(of_host).collect()
}

/// What is said of each host where nothing is applied.
fn untouched(
    plan: &Plan,
    consent: &Consent,
    why: Postponed,
    mut known: BTreeMap<HostName, Outcome>,
) -> BTreeMap<HostName, Outcome> {
    for (host, verdict) in &plan.hosts {
        known.entry(host.clone()).or_insert_with(|| {
            without_work(host, &verdict.verdict, consent).unwrap_or(Outcome::NotAttempted { why })
        });
    }
    known
}

/// The outcome of a host that there is nothing to do on, or nothing can be done on.
fn without_work(host: &HostName, verdict: &Verdict, consent: &Consent) -> Option<Outcome> {
    match verdict {
        Verdict::Converged => Some(Outcome::Converged),
        Verdict::Changes(_) => None,
        Verdict::Unreachable { error } => Some(Outcome::Unreachable {
            error: error.clone(),
            allowed: is_allowed(host, consent),
        }),
        Verdict::Failed { error } => Some(Outcome::Failed {
            error: error.clone(),
        }),
    }
}

fn is_allowed(host: &HostName, consent: &Consent) -> bool {
    let mut globs = consent.allow_unreachable.iter();
    globs.any(|glob| selection::matches(glob, host.as_str()))
}

fn confirmed(terminal: &Terminal) -> bool {
    terminal.report("\nApply this to the hosts above? Only `yes` will be accepted: ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
}

/// Takes the hosts in waves.
fn roll(
    loaded: &Loaded,
    plan: &Plan,
    hands: &(impl Applier + ?Sized),
    arguments: &Arguments,
    terminal: &Terminal,
) -> BTreeMap<HostName, Outcome> {
    let stop = Stop::new();
    if let Err(error) = signals::watch(&stop) {
        terminal.say(&format!("warning: Ctrl-C will stop at once: {error}"));
    }
    let batches = batches(loaded, plan, arguments.canary);
    let turns = batches.iter().map(|batch| batch.hosts.len()).sum();
    let mut progress = Progress::new(terminal, "applying to", turns);
    let mut told = false;
    let fates = fleet::roll(
        &batches,
        Limits {
            parallel: arguments.reach.parallel,
            max_fail: arguments.max_fail,
        },
        &stop,
        |host, say| one(host, plan, hands, &arguments.consent, say),
        Outcome::stops_later_waves,
        |event| {
            progress.show(&event);
            if stop.is_wished() && !told {
                told = true;
                progress.say("finishing the hosts in flight; once more to stop at once");
            }
        },
    );
    drop(progress);
    let mut outcomes: BTreeMap<HostName, Outcome> = fates
        .into_iter()
        .map(|(host, fate)| (host, of_fate(fate)))
        .collect();
    for host in plan.hosts.keys() {
        // Only hosts with nothing to do have no turn.
        outcomes.entry(host.clone()).or_insert(Outcome::Converged);
    }
    outcomes
}

fn one(
    host: &HostName,
    plan: &Plan,
    hands: &(impl Applier + ?Sized),
    consent: &Consent,
    say: &dyn Fn(&str),
) -> Outcome {
    match plan.hosts.get(host).map(|host| &host.verdict) {
        Some(Verdict::Changes(plan)) => hands.change(host, plan, say),
        Some(other) => without_work(host, other, consent).unwrap_or(Outcome::Converged),
        None => Outcome::Converged,
    }
}

/// The turns of an apply: every host of the plan that is not converged.
fn batches(loaded: &Loaded, plan: &Plan, canary: Option<usize>) -> Vec<Batch> {
    let place = |(host, verdict): (&HostName, &crate::plan::HostVerdict)| {
        let phase: Phase = fleet::phase_of(&verdict.verdict)?;
        let known = loaded.murder.hosts.get(host)?;
        Some((
            host.clone(),
            Place {
                roles: known.roles.clone(),
                retired: known.state == HostState::Retired,
                phase,
            },
        ))
    };
    let places: BTreeMap<HostName, Place> = plan.hosts.iter().filter_map(place).collect();
    let roles: BTreeMap<HostName, Vec<RoleName>> = places
        .iter()
        .map(|(host, place)| (host.clone(), place.roles.clone()))
        .collect();
    let waves = fleet::waves(&places, &loaded.after);
    fleet::batches(&waves, &roles, &loaded.murder.rollout, canary)
}

fn of_fate(fate: TurnResult<Outcome>) -> Outcome {
    match fate {
        TurnResult::Ran(outcome) => outcome,
        // Whether it broke before or after the host had its payload is not known here.
        TurnResult::Broke(words) => Outcome::Detached {
            error: survey::own_fault(words),
        },
        TurnResult::NotStarted(NotStarted::Failures) => Outcome::NotAttempted {
            why: Postponed::EarlierFailure,
        },
        TurnResult::NotStarted(NotStarted::Stopped) => Outcome::NotAttempted {
            why: Postponed::Interrupted,
        },
    }
}

/// How one host's outcome ends the program.
fn of_outcome(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Converged | Outcome::Done { .. } => Exit::Done,
        Outcome::Unreachable { allowed: true, .. } => Exit::Done,
        Outcome::Unreachable { .. } | Outcome::Detached { .. } => Exit::Unreachable,
        Outcome::Stale { .. }
        | Outcome::PutBack { .. }
        | Outcome::Untouched { .. }
        | Outcome::Locked { .. }
        | Outcome::Failed { .. } => Exit::Failed,
        // It was changed, and does not stand as it shall: no code below says so much.
        Outcome::HalfWay { .. } | Outcome::Remains { .. } => Exit::HalfWay,
        Outcome::Refused { .. } => Exit::Refused,
        Outcome::NotAttempted { why } => match why {
            // The host that failed says the code.
            Postponed::EarlierFailure => Exit::Done,
            Postponed::Interrupted => Exit::Pending,
            Postponed::Refused | Postponed::Declined => Exit::Refused,
        },
    }
}

/// Prints what became of the hosts.
pub(super) fn deliver(applied: &Applied, plan: &Plan, format: Format, terminal: &Terminal) -> Exit {
    let text = match format {
        Format::Json => report::json::of_apply(applied).map_err(|error| error.to_string()),
        // The plan's summary has said it already.
        Format::Text if Summary::of(plan).is_converged() => return Exit::Done,
        Format::Text => {
            let mut text = String::new();
            let color = terminal.color_out;
            report::applied::write_apply(applied, terminal.verbose, color, &mut text)
                .map(|()| text)
                .map_err(|error| error.to_string())
        }
    };
    survey::deliver(text, terminal)
}
