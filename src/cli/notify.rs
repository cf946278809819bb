//! `drift --notify`: the targets of a run, and what they are told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
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

    /// Whether a target gets messages: healthchecks gets none.
    #[must_use]
    pub fn tells(&self) -> bool {
        let sender = self.sender.as_ref();
        sender.is_some_and(|sender| !sender.names().is_empty())
    }

    /// Tells the targets what is new and what is clean again. What fails is reported, and repeated by the next run.
    ///
    /// # Errors
    /// If the state file cannot be read or written.
    pub fn tell(&self, watched: &Watched, terminal: &Terminal) -> Result<(), CliError> {
        let (Some(sender), Some(path)) = (&self.sender, &self.state) else {
            return Ok(());
        };
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
        // A clean run prints nothing: cron would send it by mail.
        if sender.mails() && !seen.notices.is_empty() {
            warn_of_own_relay(watched, terminal);
        }
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
    // The PATH of cron(8) does not have its folder.
    let usual = Path::new("/usr/sbin/postconf");
    let mut command = Command::new(match usual.exists() {
        true => usual,
        false => Path::new("postconf"),
    });
    command.args(["-h", "relayhost", "myhostname"]);
    let bounds = Bounds {
        time: Duration::from_secs(5),
        bytes: 4096,
    };
    let Ended::Done { output, .. } = program::run(&mut command, b"", bounds) else {
        return;
    };
    let hosts = &watched.loaded.murder.hosts;
    for host in named_in(&String::from_utf8_lossy(&output)) {
        if !hosts.contains_key(&host) {
            continue;
        }
        terminal.report(&format!(
            "warning: mail:ADDRESS goes through {host}, a host of this murder: when it is down, the notification waits there; \
             use another target beside it"
        ));
    }
}

/// The host names in values of main.cf, such as `[smtp.example.org]:25`.
fn named_in(values: &str) -> BTreeSet<HostName> {
    let values = values.to_ascii_lowercase();
    let words = values.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'));
    words.filter_map(|word| HostName::new(word).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relay_is_found_in_each_form() {
        for value in [
            "[SMTP.example.org]:587\ndesk.example.org\n",
            "smtp.example.org\n\n",
            "lmtp:inet:smtp.example.org:24\n",
        ] {
            let named = named_in(value);
            let named: Vec<&str> = named.iter().map(HostName::as_str).collect();
            assert!(named.contains(&"smtp.example.org"), "{value}: {named:?}");
        }
        assert!(named_in("\n\n").is_empty());
    }
}
