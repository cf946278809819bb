//! `murder hold HOST THING` and `murder unhold HOST THING`: keep a value as it is on a host for a while.

use std::time::Duration;

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::manifest_arguments::ManifestArguments;
use super::reach::ReachArguments;
use super::terminal::Terminal;
use super::{explain, open};
use crate::session::hold;
use crate::session::one_host::OneHost;

/// The longest hold.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Arguments of `murder hold`.
#[derive(Debug, Args)]
#[command(
    after_help = "The hold is kept in the ledger of the host. `plan` shows it, `apply` leaves the thing as it is, and \
                  `drift` counts it as `held`. A day before its end `drift --notify` announces it; then the next apply \
                  corrects the thing. `murder unhold` ends it before. To keep the value for good, put it into the \
                  manifest: `murder drift --as-manifest` prints it."
)]
pub struct HoldArguments {
    /// How long, such as `72h` or `7days`.
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub time: Duration,
    /// Why: who reads the plan sees it.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What is held.
    #[command(flatten)]
    pub what: HeldArguments,
}

/// Arguments of `murder unhold`.
#[derive(Debug, Args)]
pub struct UnholdArguments {
    /// What is held.
    #[command(flatten)]
    pub what: HeldArguments,
}

/// A thing on a host.
#[derive(Debug, Args)]
pub struct HeldArguments {
    /// The host.
    pub host: String,
    /// The thing, as for `explain`: `relayhost`, `/etc/postfix/transport`, or `lmtp/unix` with its fields and options.
    pub thing: String,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: ReachArguments,
}

fn time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "no time: write it as `90min`, `72h` or `7days`".to_owned())?;
    match time {
        _ if time.is_zero() => Err("the time is zero".to_owned()),
        _ if time > LONGEST => Err("a hold lasts 366 days at most".to_owned()),
        _ => Ok(time),
    }
}

/// Runs `murder hold`.
///
/// # Errors
/// If the host does not manage the thing, or could not write its ledger. Nothing was changed.
pub fn run(arguments: &HoldArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    if arguments.reason.trim().is_empty() {
        return Err(CliError::message(
            "`--reason` is empty: say why the value stays".to_owned(),
        ));
    }
    with(&arguments.what, terminal, |one_host, thing| {
        let new = hold::new_hold(one_host, arguments.time, arguments.reason.trim());
        let until = new.until.clone();
        hold::hold(one_host, thing, new)?;
        Ok(format!("`{thing}` is held until {until}"))
    })
}

/// Runs `murder unhold`.
///
/// # Errors
/// If the host does not hold the thing, or could not write its ledger. Nothing was changed.
pub fn end(arguments: &UnholdArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    with(&arguments.what, terminal, |one_host, thing| {
        hold::unhold(one_host, thing)?;
        Ok(format!(
            "`{thing}` is no longer held: the next apply sets it as the manifest says"
        ))
    })
}

fn with(
    what: &HeldArguments,
    terminal: &Terminal,
    work: impl FnOnce(
        &mut OneHost<'_>,
        &crate::thing::Thing,
    ) -> Result<String, crate::session::SessionError>,
) -> Result<Exit, CliError> {
    let thing =
        explain::thing(&what.thing).map_err(|error| CliError::message(error.to_string()))?;
    let (loaded, host) = open::one_host(
        &what.host,
        &what.manifest.path,
        &what.manifest.overlay,
        terminal,
    )?;
    let reach = what.reach.options();
    let mut one_host = open::session_of_host(&loaded, &host, &reach, terminal)?;
    let said =
        work(&mut one_host, &thing).map_err(|error| CliError::session(error, &loaded.sources))?;
    terminal.say(&format!("{host}: {said}"));
    Ok(Exit::Done)
}
