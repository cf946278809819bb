//! `murder apply`: shows the plan, asks for confirmation, and changes the hosts.

use std::collections::BTreeMap;
use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::confirm::InterruptReport;
use super::error::CliError;
use super::event_stream::EventStream;
use super::exit::Exit;
use super::mail_change::{JudgedPlan, MailArguments, MailReport};
use super::output::{self, Diff, Format};
use super::plan_file::PlanFileArguments;
use super::progress::Progress;
use super::reach::{ConsentArguments, ReachArguments};
use super::shard::{WaveArguments, of_wave};
use super::terminal::Terminal;
use super::{Selection, confirm, forget, open, selection};
use crate::diagnostic::Diagnostic;
use crate::fleet::{Event, EventKind, Limits, Stop};
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::report::events::Stage;
use crate::report::host_names;
use crate::report::line::count;
use crate::session::freeze;
use crate::session::options::{Consent, Reach};
use crate::session::rollout::ApplyTurns;
use crate::session::rollout_order::RolloutOrder;
use crate::session::worker::Applier;

/// Arguments of `murder apply`.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// The manifest and the selected hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Apply without asking; needed if there is no terminal.
    #[arg(long)]
    pub yes: bool,
    /// Start later waves as long as no more than N hosts have failed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_fail: usize,
    /// In each wave (and for each role with a `rollout`), apply N hosts first and the rest after them.
    #[arg(long, value_name = "N")]
    pub canary: Option<usize>,
    /// Which wave, and which part of it.
    #[command(flatten)]
    pub part: WaveArguments,
    /// Why you apply this; the history of each host keeps it.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Apply although a policy freezes changes now; the reason is kept in the generation.
    #[arg(long, value_name = "REASON", value_parser = reason, help_heading = "Consent")]
    pub allow_freeze: Option<String>,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = ApplyFormat::Text)]
    pub format: ApplyFormat,
    /// How much of each file the plan shows. Default: `context`; `summary` with `--yes`; with `--yes` and a saved plan, its last
    /// line alone.
    #[arg(long, value_enum, value_name = "MUCH")]
    pub diff: Option<Diff>,
    /// How hosts are reached.
    #[command(flatten)]
    pub reach: ReachArguments,
    /// The refusals that the user lifts.
    #[command(flatten)]
    pub consent: ConsentArguments,
    /// The directory by which the plan is judged.
    #[command(flatten)]
    pub mail: MailArguments,
    /// What is demanded of a saved plan.
    #[command(flatten)]
    pub plan_file: PlanFileArguments,
}

/// The forms of the report of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ApplyFormat {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
    /// For programs: one event a line, as it happens.
    Jsonl,
}

impl ApplyFormat {
    /// The form of a report that is printed as a whole.
    #[must_use]
    pub fn whole(self) -> Format {
        match self {
            Self::Text => Format::Text,
            Self::Json | Self::Jsonl => Format::Json,
        }
    }
}

/// A reason: a text of one line.
fn reason(text: &str) -> Result<String, String> {
    let fits = !text.trim().is_empty() && text.len() <= 500 && !text.chars().any(char::is_control);
    match fits {
        true => Ok(text.trim().to_owned()),
        false => Err("write a reason of one line and at most 500 bytes".to_owned()),
    }
}

impl ApplyArguments {
    /// Where the events are written, with `--format jsonl`.
    #[must_use]
    pub fn events(&self, murder: &str, hosts: usize, terminal: &Terminal) -> Option<EventStream> {
        (self.format == ApplyFormat::Jsonl)
            .then(|| EventStream::begin("apply", murder, hosts, terminal))
    }

    /// The reasons of `--allow-freeze` and `--reason`, as one.
    fn why(&self) -> Option<String> {
        let reasons = [&self.allow_freeze, &self.reason];
        let reasons: Vec<&str> = reasons.into_iter().flatten().map(String::as_str).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// How hosts are reached, and why.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach {
            reason: self.why(),
            ..self.reach.of_selection(&self.selection)
        }
    }

    /// How much of each file the plan shows.
    #[must_use]
    pub fn detail(&self) -> Diff {
        let default = if self.yes {
            Diff::Summary
        } else {
            Diff::Context
        };
        self.diff.unwrap_or(default)
    }
}

/// Runs the verb.
///
/// # Errors
/// If no host was contacted, or standard output cannot be written.
pub fn run(arguments: &ApplyArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let file = &arguments.selection.path;
    if let Some(flag) = arguments.plan_file.given() {
        return Err(CliError::message(format!(
            "`{flag}` is for a saved plan, and `{}` is none",
            file.display()
        )));
    }
    confirm::may_ask(arguments.yes, "murder plan")?;
    let (loaded, hosts) = open::hosts(&arguments.selection, terminal)?;
    refuse_frozen(&loaded.murder.policies, arguments, terminal)?;
    let consent = arguments.consent.options();
    let reach = arguments
        .mail
        .watching(arguments.reach(), &loaded.murder, terminal)?;
    selection::allowed(loaded.murder.hosts.keys(), &consent)?;
    let order = RolloutOrder::of_manifest(&loaded);
    let wave = arguments.part.chosen(&order, arguments.canary)?;
    let hosts = arguments.part.hosts(wave.as_ref(), hosts);
    let applier = open::applier(&loaded, &hosts, &reach, consent.clone(), terminal)?;
    let murder = &loaded.murder;
    let events = arguments.events(&murder.name, hosts.len(), terminal);
    let events = events.as_ref();
    let plan = open::plan_with(murder, &hosts, &*applier, reach.parallel, events, terminal);
    let (mut plan, rest) = of_wave(wave.as_ref(), plan);
    let judged = JudgedPlan {
        loaded: &loaded,
        plan: &mut plan,
        rest,
        order: &order,
        canary: arguments.canary,
        goes_on: arguments.max_fail > 0,
    };
    let mail = arguments.mail.judge(judged, &reach, terminal)?;
    let planned = PlannedApply {
        plan: &plan,
        order: &order,
        consent: &consent,
        mail,
        events,
        is_saved: false,
    };
    let exit = planned.apply(&*applier, arguments, terminal)?;
    if exit != Exit::Refused {
        for host in applier.forget() {
            terminal.say(&format!(
                "{host}: nothing left to do; later plans no longer report that earlier apply"
            ));
        }
    }
    if exit == Exit::Done {
        forget::retired(&loaded, &plan, &*applier, terminal);
    }
    Ok(exit)
}

/// Refuses to apply while a policy freezes changes, unless there is a reason. A sandbox is no host.
///
/// # Errors
/// If one runs, and there is no reason.
pub fn refuse_frozen(
    policies: &[Policy],
    arguments: &ApplyArguments,
    terminal: &Terminal,
) -> Result<(), CliError> {
    let Some((policy, freeze)) = freeze::running(policies, SystemTime::now()) else {
        return Ok(());
    };
    let words = freeze::words(policy, freeze);
    if arguments.reach.sandbox.is_some() || arguments.allow_freeze.is_some() {
        terminal.say(&words);
        return Ok(());
    }
    Err(CliError::arguments(vec![Diagnostic::error(words).hint(
        "wait, or give a reason, which each host keeps: `--allow-freeze REASON`",
    )]))
}

/// A plan that is to be applied.
pub struct PlannedApply<'a> {
    /// What changes on which host.
    pub plan: &'a Plan,
    /// What decides the waves.
    pub order: &'a RolloutOrder,
    /// The refusals that the user lifts.
    pub consent: &'a Consent,
    /// What it means for mail, if a directory was given.
    pub mail: Option<MailReport>,
    /// Where the events are written, with `--format jsonl`.
    pub events: Option<&'a EventStream>,
    /// Whether it comes from a file, which `murder show` shows.
    pub is_saved: bool,
}

impl PlannedApply<'_> {
    /// Shows the plan, asks, applies it, and prints the outcomes.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn apply(
        &self,
        applier: &(impl Applier + ?Sized),
        arguments: &ApplyArguments,
        terminal: &Terminal,
    ) -> Result<Exit, CliError> {
        let result = self.decide(applier, arguments, terminal);
        match self.events {
            Some(events) => events.ended(result),
            None => result,
        }
    }

    fn decide(
        &self,
        applier: &(impl Applier + ?Sized),
        arguments: &ApplyArguments,
        terminal: &Terminal,
    ) -> Result<Exit, CliError> {
        let (plan, consent) = (self.plan, self.consent);
        let (format, detail) = (arguments.format.whole(), arguments.detail());
        let was_read = self.is_saved && arguments.yes && arguments.diff.is_none();
        confirm::show(plan, consent, format, (detail, was_read), terminal)?;
        if let Some(mail) = &self.mail {
            match format {
                Format::Json => terminal.say(&mail.text),
                Format::Text => output::print_text(&mail.text, terminal)?,
            }
        }
        let applied = confirm::decide(plan, consent, arguments.yes, terminal, || {
            let mut rollout = ApplyTurns::new(self.order, plan, consent, arguments.canary);
            if arguments.reach.sandbox.is_some() {
                rollout = rollout.without_pauses();
            }
            let limits = Limits {
                parallel: arguments.reach.parallel,
                max_fail: arguments.max_fail,
            };
            roll(&rollout, applier, limits, self.events, format, terminal)
        });
        match self.events {
            Some(events) => {
                let exit = output::exit_of_applied(&applied);
                events.outcomes(&applied.hosts, exit);
                Ok(exit)
            }
            None => output::applied(&applied, plan, format, terminal),
        }
    }
}

/// Applies the plan in waves, shows the progress, and stops at Ctrl-C.
fn roll(
    rollout: &ApplyTurns<'_>,
    applier: &(impl Applier + ?Sized),
    limits: Limits,
    events: Option<&EventStream>,
    format: Format,
    terminal: &Terminal,
) -> BTreeMap<HostName, Outcome> {
    let stop = Stop::new();
    let mut progress = Progress::new(terminal, "applying to", rollout.turns());
    let report = InterruptReport {
        murder: rollout.murder(),
        so_far: rollout.so_far(),
        format,
        events: events.cloned(),
        clear: progress.eraser(),
    };
    confirm::watch_signals(&stop, report, terminal);
    let so_far = rollout.so_far();
    let mut announced = false;
    let mut waves = WaveLines::new(rollout);
    let outcomes = rollout.run(applier, limits, &stop, |event| {
        if let Some((number, hosts)) = waves.begins(&event) {
            if !terminal.bars {
                progress.say(&waves.line(number, hosts));
            }
            if let Some(events) = events {
                events.wave(number, waves.waves.len(), hosts);
            }
        }
        if let Some(events) = events {
            events.happened(Stage::Apply, &event);
            if event.said == EventKind::Ended
                && let Some(outcome) = so_far.of(&event.host)
            {
                events.outcome(&event.host, &outcome);
            }
        }
        progress.show(&event);
        if stop.is_requested() && !announced {
            announced = true;
            progress.say("finishing the hosts that have begun; press Ctrl-C again to stop at once");
        }
    });
    confirm::no_more_interruptions(&rollout.so_far());
    outcomes
}

/// The lines that say which wave begins.
struct WaveLines<'a> {
    waves: Vec<&'a [HostName]>,
    begun: usize,
}

impl<'a> WaveLines<'a> {
    fn new(rollout: &'a ApplyTurns<'_>) -> Self {
        Self {
            waves: rollout.waves().collect(),
            begun: 0,
        }
    }

    /// The number of a wave and its hosts, at the first event of one of these.
    fn begins(&mut self, event: &Event) -> Option<(usize, &'a [HostName])> {
        let hosts = *self.waves.get(self.begun)?;
        if !hosts.contains(&event.host) {
            return None;
        }
        self.begun += 1;
        Some((self.begun, hosts))
    }

    fn line(&self, number: usize, hosts: &[HostName]) -> String {
        let names = host_names::short(hosts);
        let all = self.waves.len();
        match hosts.len() {
            1 => format!("wave {number} of {all}: {names}"),
            more => format!("wave {number} of {all}: {names}: {}", count(more, "host")),
        }
    }
}
