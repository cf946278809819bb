//! The start of each verb: reads the manifest, selects the hosts, and makes a session that reaches them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::error::CliError;
use super::event_stream::EventStream;
use super::progress::Progress;
use super::reach::ReachArguments;
use super::terminal::Terminal;
use super::{Selection, ask, selection, untrusted};
use crate::attribution::HostNotes;
use crate::diagnostic::Diagnostic;
use crate::fleet::Event;
use crate::load::{self, LinkScope, LoadedMurder};
use crate::model::{Host, Murder};
use crate::name::HostName;
use crate::plan::Plan;
use crate::report::events::Stage;
use crate::session::live_file::LiveFileDocument;
use crate::session::murder::MurderSession;
use crate::session::one_host::OneHost;
use crate::session::options::{Consent, Reach};
use crate::session::plan::{own_names, plan_hosts_with};
use crate::session::worker::{self, Applier, Planner, Recorder};

/// Reads and resolves the manifest with the policies of these names, and prints its warnings.
///
/// # Errors
/// If there is an error in it.
pub fn manifest(
    path: &Path,
    overlays: &[PathBuf],
    links: LinkScope,
    policies: &[String],
    terminal: &Terminal,
) -> Result<LoadedMurder, CliError> {
    let mut loaded = load::load_with(path, overlays, links);
    load::add_policies(&mut loaded, policies);
    let loaded = loaded
        .into_murder()
        .map_err(|loaded| CliError::input(loaded.diagnostics, &loaded.sources))?;
    terminal.diagnostics(&loaded.warnings, &loaded.sources);
    Ok(loaded)
}

/// The hosts of a manifest, and apart from them those in maintenance, which are not contacted.
#[must_use]
pub fn contactable(loaded: &LoadedMurder) -> (Vec<HostName>, Vec<HostName>) {
    let hosts = loaded.murder.hosts.values();
    let (resting, present): (Vec<&Host>, Vec<&Host>) =
        hosts.partition(|host| host.maintenance.is_some());
    let names = |hosts: Vec<&Host>| hosts.into_iter().map(|host| host.name.clone()).collect();
    (names(present), names(resting))
}

/// Reads the manifest and chooses the hosts.
///
/// # Errors
/// If either fails. No host was contacted.
pub fn hosts(
    selected: &Selection,
    terminal: &Terminal,
) -> Result<(LoadedMurder, Vec<HostName>), CliError> {
    let loaded = manifest(
        &selected.path,
        &selected.added.overlay,
        selected.links(),
        &selected.policy,
        terminal,
    )?;
    let hosts = selection::select(&loaded.murder, selected).map_err(CliError::arguments)?;
    Ok((loaded, hosts))
}

/// Reads the manifest and finds the host in it.
///
/// # Errors
/// If either fails. No host was contacted.
pub fn one_host(
    host: &str,
    path: &Path,
    overlays: &[PathBuf],
    terminal: &Terminal,
) -> Result<(LoadedMurder, HostName), CliError> {
    let loaded = manifest(path, overlays, LinkScope::Anywhere, &[], terminal)?;
    let name = match selection::named(&loaded.murder, host) {
        Ok(found) => found.name.clone(),
        Err(problem) => return Err(CliError::arguments(vec![problem])),
    };
    Ok((loaded, name))
}

/// Plans the selected hosts as a live file has them, and prints the manifest's warnings. It contacts no host and reads no
/// secret.
///
/// # Errors
/// If the manifest is wrong, or the live file cannot be used.
pub fn difference_of_live_file(
    selected: &Selection,
    reach: &ReachArguments,
    file: &Path,
    consent: &Consent,
    terminal: &Terminal,
) -> Result<Plan, CliError> {
    let (loaded, hosts) = hosts(selected, terminal)?;
    selection::allowed(loaded.murder.hosts.keys(), consent)?;
    if loaded.murder.verifies_in_plan {
        terminal
            .say("note: this plan is not judged by `verify.in_plan`: `--live` asks no LDAP server");
    }
    let bytes = load::read_live_file(file).map_err(|problem| CliError::arguments(vec![problem]))?;
    let live = LiveFileDocument::from_bytes(&bytes).map_err(|damage| {
        let problem = Diagnostic::error(format!("the live file `{}` {damage}", file.display()));
        CliError::arguments(vec![problem.hint(damage.hint())])
    })?;
    drop(bytes);
    let reach = reach.of_selection(selected);
    let murder = &loaded.murder;
    let (planner, warnings) = worker::planner_of_live_file(&loaded, &hosts, &reach, &live)
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&warnings, &loaded.sources);
    if live.murder != murder.name {
        terminal.say(&format!(
            "warning: the live file is of the murder `{}`, and the manifest is of `{}`",
            live.murder, murder.name
        ));
    }
    Ok(plan(murder, &hosts, &*planner, reach.parallel, terminal))
}

/// Plans the selected hosts as [`super::judged_plan::difference`], as if no thing was held.
///
/// # Errors
/// As [`super::judged_plan::difference`].
pub fn without_holds(
    selected: &Selection,
    reach: &ReachArguments,
    terminal: &Terminal,
) -> Result<(LoadedMurder, Plan), CliError> {
    let (loaded, hosts) = hosts(selected, terminal)?;
    let reach = Reach {
        without_holds: true,
        ..reach.of_selection(selected)
    };
    untrusted::refuse_hosts(&loaded, &reach)?;
    let planner = planner(&loaded, &hosts, &reach, terminal)?;
    let plan = plan(&loaded.murder, &hosts, &*planner, reach.parallel, terminal);
    drop(planner);
    Ok((loaded, plan))
}

/// Plans the selected hosts as [`super::judged_plan::difference`], and asks those with drift who changed them; with `jsonl` each event is a line.
///
/// # Errors
/// As [`super::judged_plan::difference`].
pub fn watched(
    selected: &Selection,
    reach: &ReachArguments,
    jsonl: bool,
    terminal: &Terminal,
) -> Result<Watched, CliError> {
    let began = Instant::now();
    let (loaded, hosts) = hosts(selected, terminal)?;
    let reach = reach.of_selection(selected);
    untrusted::refuse_hosts(&loaded, &reach)?;
    let (watcher, warnings) = worker::watcher(&loaded, &hosts, &reach, Box::new(ask::passphrase))
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&warnings, &loaded.sources);
    let load = began.elapsed();
    let murder = &loaded.murder;
    let events = jsonl.then(|| EventStream::begin("drift", &murder.name, hosts.len(), terminal));
    let parallel = reach.parallel;
    let plan = plan_with(
        murder,
        &hosts,
        &*watcher,
        parallel,
        events.as_ref(),
        terminal,
    );
    let notes = watcher.notes();
    drop(watcher);
    Ok(Watched {
        loaded,
        plan,
        notes,
        events,
        phases: vec![
            ("load", load.as_secs_f64()),
            ("observe", (began.elapsed() - load).as_secs_f64()),
        ],
    })
}

/// What `drift` found.
pub struct Watched {
    /// The manifest.
    pub loaded: LoadedMurder,
    /// The difference of each host.
    pub plan: Plan,
    /// What else is known of the hosts that answered.
    pub notes: BTreeMap<HostName, HostNotes>,
    /// Where the events are written, with `--format jsonl`.
    pub events: Option<EventStream>,
    /// How long each phase took, in seconds.
    pub phases: Vec<(&'static str, f64)>,
}

/// Makes a planner for the hosts, which cannot write; prints the warnings about their configuration.
///
/// # Errors
/// If the manifest does not compile or a secret cannot be read. No host was contacted.
pub fn planner<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    terminal: &Terminal,
) -> Result<Box<dyn Planner + 'a>, CliError> {
    let (planner, warnings) = worker::planner(loaded, hosts, reach, Box::new(ask::passphrase))
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&warnings, &loaded.sources);
    Ok(planner)
}

/// Makes a planner whose plan can be saved; prints the warnings about the hosts' configuration.
///
/// # Errors
/// As [`planner`].
pub fn recorder<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    terminal: &Terminal,
) -> Result<Box<dyn Recorder + 'a>, CliError> {
    let (recorder, warnings) = worker::recorder(loaded, hosts, reach, Box::new(ask::passphrase))
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&warnings, &loaded.sources);
    Ok(recorder)
}

/// Makes an applier for the hosts; prints the warnings about their configuration.
///
/// # Errors
/// As [`planner`].
pub fn applier<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    consent: Consent,
    terminal: &Terminal,
) -> Result<Box<dyn Applier + 'a>, CliError> {
    let ask = Box::new(ask::passphrase);
    let (applier, warnings) = worker::applier(loaded, hosts, reach, consent, ask)
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&warnings, &loaded.sources);
    Ok(applier)
}

/// Makes a session for one host; prints the warnings about its secrets.
///
/// # Errors
/// If a secret of its login cannot be read. The host was not contacted.
pub fn session_of_host<'a>(
    loaded: &'a LoadedMurder,
    host: &HostName,
    reach: &Reach,
    terminal: &Terminal,
) -> Result<OneHost<'a>, CliError> {
    let host = OneHost::new(loaded, host, reach, Box::new(ask::passphrase))
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    let MurderSession { warnings, .. } = &host.contact;
    terminal.diagnostics(warnings, &loaded.sources);
    Ok(host)
}

/// Plans the hosts in parallel, and shows the progress.
#[must_use]
pub fn plan(
    murder: &Murder,
    hosts: &[HostName],
    planner: &(impl Planner + ?Sized),
    parallel: usize,
    terminal: &Terminal,
) -> Plan {
    plan_with(murder, hosts, planner, parallel, None, terminal)
}

/// The same, with an event for each thing that happens.
#[must_use]
pub fn plan_with(
    murder: &Murder,
    hosts: &[HostName],
    planner: &(impl Planner + ?Sized),
    parallel: usize,
    events: Option<&EventStream>,
    terminal: &Terminal,
) -> Plan {
    let mut progress = Progress::new(terminal, "observing", hosts.len());
    let listens = progress.listens() || events.is_some();
    let mut show = |event: Event| {
        if let Some(events) = events {
            events.happened(Stage::Observe, &event);
        }
        progress.show(&event);
    };
    let plan = plan_hosts_with(
        &murder.name,
        hosts,
        planner,
        parallel,
        listens.then_some(&mut show),
        &|host, verdict| {
            if let Some(events) = events {
                events.verdict(host, verdict);
            }
        },
    );
    Plan {
        own_names: own_names(murder, hosts),
        ..plan
    }
}
