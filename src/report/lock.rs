//! A host's lock, as text for people and as JSON for programs.
//!
//! The JSON form has `format_version`, `host`, `state` (`free`, `held`, `cleared`), `lock` (`held`,
//! `holder`, `process`; null where nobody ever took it), `journal` (`run`, `by`, `at`, `phase`; null
//! where no apply is unfinished), and `unfinished`: whether the next apply has work to finish.

use std::fmt::{self, Write};

use serde::Serialize;

use super::line::{Line, Tone};
use crate::ledger::Journal;
use crate::name::HostName;
use crate::plan::FORMAT_VERSION;
use crate::state::{Live, Lock};

/// How a lock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody holds it, and nothing lies about.
    Free,
    /// An apply is at work.
    Held,
    /// Nobody holds it, and what a dead apply left has been removed.
    Cleared,
}

/// What is said of a host's lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    format_version: &'static str,
    host: HostName,
    state: State,
    lock: Option<Lock>,
    journal: Option<Journal>,
    unfinished: bool,
}

impl Report {
    /// How the lock of a host stands that was found like this.
    #[must_use]
    pub fn new(host: &HostName, state: State, live: Live) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            host: host.clone(),
            state,
            lock: live.lock,
            unfinished: live.pending.is_some(),
            journal: live.journal,
        }
    }
}

/// As a JSON document that ends with a line end.
///
/// # Errors
/// None that a report can cause; serde's, passed on.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}

/// As text.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, color: bool, out: &mut impl Write) -> fmt::Result {
    let host = &report.host;
    let mut say = |tone, text: &str| Line::new(tone, text).write(out, color);
    let holder = report.lock.as_ref().map(|lock| lock.holder.as_str());
    let holder = holder.filter(|holder| !holder.is_empty());
    let process = report.lock.as_ref().and_then(|lock| lock.process);
    match report.state {
        State::Free => {
            say(
                Tone::Title,
                &format!("{host}: the lock is free, and no apply is unfinished"),
            )?;
            if let Some(holder) = holder {
                say(Tone::Faint, &format!("  last held {holder}"))?;
            }
        }
        State::Held => {
            let holder = holder.unwrap_or("by an apply that has not written its name yet");
            say(
                Tone::Warning,
                &format!("{host}: an apply is at work; the lock is held {holder}"),
            )?;
            if let Some(journal) = &report.journal {
                say(
                    Tone::Plain,
                    &format!("  phase {} (run {})", journal.phase, journal.run),
                )?;
            }
            if let Some(process) = process {
                say(Tone::Plain, &format!("  process {process}"))?;
            }
            let look = match process {
                Some(process) => format!("ps -o pid,etime,stat,args --ppid {process} -p {process}"),
                None => "ps axo pid,etime,stat,args | grep /var/lib/murder/spool".to_owned(),
            };
            for line in [
                "      help: nothing was done: it is alive and ends by itself, whatever became of its client",
                &format!("            look at it on the host: {look}"),
                "            once it has ended, the lock is free; ended by force, it leaves work to the next apply",
            ] {
                say(Tone::Plain, line)?;
            }
        }
        State::Cleared => {
            let Some(journal) = &report.journal else {
                return say(Tone::Title, &format!("{host}: the lock is free"));
            };
            say(
                Tone::Title,
                &format!("{host}: the lock is free; what a dead apply left is removed"),
            )?;
            let dead = format!(
                "  by {} since {} (run {}), dead in phase {}",
                journal.by, journal.at, journal.run, journal.phase
            );
            say(Tone::Plain, &dead)?;
            if report.unfinished {
                say(
                    Tone::Plain,
                    "      help: what it had done stays: `murder plan` shows what is left, and `murder apply` finishes it",
                )?;
            }
        }
    }
    Ok(())
}
