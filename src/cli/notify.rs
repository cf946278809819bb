//! `drift --notify`: the targets of a run, and what they are told.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime};

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::open::Watched;
use super::terminal::Terminal;
use crate::name::HostName;
use crate::notify::{NotifyTarget, Seen, Sender, StateFile, Times, notices};
use crate::plan::Verdict;
use crate::program::{self, Bounds, Ended};
use crate::report::drift;
use crate::session::provenance;

/// How long before its end a hold is announced.
const SOON: Duration = Duration::from_secs(86_400);

/// Where notifications go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Notifications")]
pub struct NotifyArguments {
    /// Tell this target of each new drift and of its end, once each: json:URL, slack:URL, matrix:URL (hookshot),
    /// alertmanager:URL, mail:ADDRESS, or healthchecks:URL, which is pinged at the begin and end of every run. file:PATH in the place of URL
    /// or ADDRESS reads it from a file (repeatable).
    #[arg(long, value_name = "TARGET", conflicts_with = "untrusted")]
    pub notify: Vec<NotifyTarget>,
    /// Keep in this file what was told. Needed by all targets but healthchecks.
    #[arg(long, value_name = "FILE", requires = "notify", value_hint = clap::ValueHint::FilePath)]
    pub state: Option<PathBuf>,
}

/// The targets of one run.
pub struct Notifier {
    sender: Option<Sender>,
    state: Option<PathBuf>,
}

impl Notifier {
    /// The targets of the arguments; tells healthchecks that the run begins.
    ///
    /// # Errors
    /// If a target needs a state file and none is given.
    pub fn begin(arguments: &NotifyArguments, terminal: &Terminal) -> Result<Self, CliError> {
        let sender = match arguments.notify.as_slice() {
            [] => None,
            targets => Some(Sender::new(targets).map_err(CliError::message)?),
        };
        if let Some(sender) = &sender {
            if !sender.names().is_empty() && arguments.state.is_none() {
                return Err(CliError::message(
                    "`--notify` needs `--state FILE`, to tell each drift once",
                ));
            }
            report(&sender.ping(None), terminal);
        }
        Ok(Self {
            sender,
            state: arguments.state.clone(),
        })
    }

    /// Tells the targets what is new and what is clean again. What fails is reported, and repeated by the next run.
    ///
    /// # Errors
    /// If the state file cannot be read or written.
    pub fn tell(&self, watched: &Watched, terminal: &Terminal) -> Result<(), CliError> {
        let (Some(sender), Some(path)) = (&self.sender, &self.state) else {
            return Ok(());
        };
        if sender.mails() {
            warn_of_own_relay(watched, terminal);
        }
        let now = SystemTime::now();
        let soon = provenance::run(now + SOON).at;
        let at = provenance::run(now).at;
        let answers =
            |verdict: &Verdict| matches!(verdict, Verdict::Converged | Verdict::Changes(_));
        let plan = &watched.plan;
        let times = Times {
            now: &at,
            soon: &soon,
        };
        let seen = Seen {
            murder: &plan.murder,
            at: &at,
            summary: drift::sentence(plan),
            notices: notices(plan, &watched.notes, times),
            answered: plan
                .hosts
                .iter()
                .filter(|(_, host)| answers(&host.verdict))
                .map(|(name, _)| name.clone())
                .collect(),
            hosts: watched.loaded.murder.hosts.keys().cloned().collect(),
        };
        let failed = |error: std::io::Error| {
            CliError::message(format!(
                "cannot use the state file {}: {error}",
                path.display()
            ))
        };
        let mut state = StateFile::open(path).map_err(failed)?;
        state.note(&seen, &sender.names()).map_err(failed)?;
        let words = state
            .deliver(&mut |target, message| sender.send(target, message))
            .map_err(failed)?;
        report(&words, terminal);
        Ok(())
    }

    /// Tells healthchecks how the run ended, and what it said.
    pub fn end(&self, exit: Exit, text: &str, terminal: &Terminal) {
        if let Some(sender) = &self.sender {
            report(&sender.ping(Some((exit.code(), text))), terminal);
        }
    }
}

fn report(words: &[String], terminal: &Terminal) {
    for text in words {
        terminal.report(&format!(
            "warning: {text}; the next run repeats what was not taken"
        ));
    }
}

/// Warns where mail about a broken host would go through a host of this murder.
fn warn_of_own_relay(watched: &Watched, terminal: &Terminal) {
    let mut command = Command::new("postconf");
    command.args(["-h", "relayhost", "myhostname"]);
    let bounds = Bounds {
        time: Duration::from_secs(5),
        bytes: 4096,
    };
    let Ended::Done { output, .. } = program::run(&mut command, b"", bounds) else {
        return;
    };
    let text = String::from_utf8_lossy(&output).to_ascii_lowercase();
    let words = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
        .filter_map(|word| HostName::new(word).ok());
    let hosts = &watched.loaded.murder.hosts;
    let own: BTreeSet<HostName> = words.filter(|name| hosts.contains_key(name)).collect();
    for host in own {
        terminal.report(&format!(
            "warning: mail:ADDRESS goes through {host}, a host of this murder: when it is down, the notification waits there; \
             use another target beside it"
        ));
    }
}
