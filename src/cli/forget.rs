//! `murder forget HOST --gone`: takes a host that no longer exists out of the ledgers of its neighbours.

use std::collections::BTreeSet;

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::manifest_arguments::ManifestArguments;
use super::reach::ReachArguments;
use super::terminal::Terminal;
use super::{ask, open};
use crate::load::{LinkScope, LoadedMurder};
use crate::model::HostState;
use crate::name::HostName;
use crate::plan::{HostVerdict, Plan, Verdict};
use crate::report::line::count;
use crate::session::forget::{Forgotten, forget};
use crate::session::murder::MurderSession;
use crate::session::worker::Applier;

/// Arguments of `murder forget`.
#[derive(Debug, Args)]
#[command(
    after_help = "A host that vanished from the manifest is orphaned: its neighbours remember it, and `plan` and `drift` report \
                  it. If it still exists, put it back with `state: retired` and apply, which removes what `murder` \
                  manages there. This verb is for one that does not exist any more: it changes the ledgers of the other hosts and \
                  does not contact the host itself."
)]
pub struct ForgetArguments {
    /// The host that is gone.
    pub host: String,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Say that the host does not exist any more.
    #[arg(long, required = true)]
    pub gone: bool,
    /// How the hosts are reached.
    #[command(flatten)]
    pub reach: ReachArguments,
}

/// Runs the verb. A host that gives no answer is reported, and sets the exit code: it still remembers the host.
///
/// # Errors
/// If the host is in the manifest, or no host remembers it.
pub fn run(arguments: &ForgetArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let gone =
        HostName::new(&*arguments.host).map_err(|error| CliError::message(error.to_string()))?;
    let manifest = &arguments.manifest;
    let loaded = open::manifest(
        &manifest.path,
        &manifest.overlay,
        LinkScope::Anywhere,
        &[],
        terminal,
    )?;
    if loaded.murder.hosts.contains_key(&gone) {
        return Err(CliError::message(format!(
            "`{gone}` is in the manifest: remove it there first, or write `state: retired` to empty it"
        )));
    }
    let (hosts, resting) = open::contactable(&loaded);
    let reach = arguments.reach.options();
    let none = BTreeSet::new();
    let contact = MurderSession::new(&loaded, &hosts, &reach, none, Box::new(ask::passphrase))
        .map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.diagnostics(&contact.warnings, &loaded.sources);
    let (mut done, mut exit) = (0, Exit::Done);
    let gone_only = BTreeSet::from([gone.clone()]);
    for (_, answer) in forget(&contact, &hosts, &gone_only, reach.parallel) {
        match answer {
            Forgotten::NotNamed => {}
            Forgotten::Done => done += 1,
            Forgotten::Failed(error) => {
                let error = CliError::session(error, &loaded.sources);
                exit = exit.or(error.print(terminal));
            }
        }
    }
    for host in &resting {
        terminal.report(&format!(
            "warning: {host} is in maintenance and was not contacted; run this again afterwards"
        ));
    }
    if done == 0 && exit == Exit::Done && resting.is_empty() {
        return Err(CliError::message(format!("no host remembers `{gone}`")));
    }
    terminal.say(&format!("{gone}: taken out of {}", count(done, "ledger")));
    Ok(exit)
}

/// After an apply of this plan that ended with 0: takes hosts that are retired now out of the ledgers of their neighbours, so that they are not missed once they leave the manifest.
pub(super) fn retired(
    loaded: &LoadedMurder,
    plan: &Plan,
    applier: &(impl Applier + ?Sized),
    terminal: &Terminal,
) {
    let is_retired = |(name, verdict): &(&HostName, &HostVerdict)| {
        let host = loaded.murder.hosts.get(*name);
        let retired = host.is_some_and(|host| host.state == HostState::Retired);
        retired && matches!(verdict.verdict, Verdict::Converged | Verdict::Changes(_))
    };
    let retired = plan.hosts.iter().filter(is_retired);
    let retired: BTreeSet<HostName> = retired.map(|(name, _)| name.clone()).collect();
    if retired.is_empty() {
        return;
    }
    for (host, forgotten) in applier.forget_retired(&retired) {
        if let Forgotten::Failed(_) = forgotten {
            terminal.report(&format!(
                "warning: the ledger of {host} still names a host that is retired; a later apply repeats this"
            ));
        }
    }
}
