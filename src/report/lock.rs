//! A host's lock, as text for people and as JSON for programs.
//!
//! The JSON form has `format_version`, `host`, `state` (`free`, `held`, `cleared`), `lock` (`held`,
//! `holder`, `process`; null if it was never taken), `journal` (`run`, `by`, `at`, `phase`; null
//! where no apply is unfinished), and `unfinished`: whether the next apply has work to finish. Where something was
//! cleared, `journal` is what was found, and `unfinished` says whether it stays.

use std::fmt::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::json::FORMAT_VERSION;
use super::line::{Line, Tone, write_all};
use super::schema::written;
use crate::ledger::Journal;
use crate::name::HostName;
use crate::state::{Live, Lock};

/// The state of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is free, and there are no temporary files.
    Free,
    /// An apply is running.
    Held,
    /// It is free, and the temporary files of an interrupted apply were removed.
    Cleared,
}

/// The report on the lock of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "murder unlock")]
pub struct Report {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'static str,
    host: HostName,
    state: State,
    /// Null if it was never taken.
    lock: Option<Lock>,
    /// Null where no apply is unfinished.
    journal: Option<Journal>,
    /// Whether the next apply has work to finish.
    unfinished: bool,
}

impl Report {
    /// The report for a host in the state `live`; `left` is its state after the files were removed.
    #[must_use]
    pub fn new(host: &HostName, state: State, live: Live, left: Option<Live>) -> Self {
        let unfinished = match left {
            Some(left) => left.journal.is_some(),
            None => live.pending.is_some(),
        };
        Self {
            format_version: FORMAT_VERSION,
            host: host.clone(),
            state,
            lock: live.lock,
            unfinished,
            journal: live.journal,
        }
    }
}

/// The JSON Schema of [`json`] (`murder schema unlock`).
#[must_use]
pub fn unlock_schema() -> Value {
    written::<Report>()
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
    let lines = match (report.state, &report.journal) {
        (State::Free, _) => free(report),
        (State::Held, _) => held(report),
        (State::Cleared, Some(journal)) => cleared(report, journal),
        (State::Cleared, None) => vec![Line::new(
            Tone::Title,
            format!(
                "{}: the lock is free; the temporary files of an earlier apply were removed",
                report.host
            ),
        )],
    };
    write_all(&lines, out, color)
}

/// Who holds the lock or held it last, as the host says it: `by ops@desk since … (run …)`.
fn holder(report: &Report) -> Option<&str> {
    let lock = report.lock.as_ref()?;
    Some(lock.holder.as_str()).filter(|holder| !holder.is_empty())
}

fn free(report: &Report) -> Vec<Line> {
    let title = format!(
        "{}: the lock is free, and no apply is unfinished",
        report.host
    );
    let mut lines = vec![Line::new(Tone::Title, title)];
    if let Some(holder) = holder(report) {
        lines.push(Line::new(
            Tone::Faint,
            format!("  last apply started {holder}"),
        ));
    }
    lines
}

fn held(report: &Report) -> Vec<Line> {
    let holder = holder(report).unwrap_or("by an unknown user (it has not recorded its name yet)");
    let process = report.lock.as_ref().and_then(|lock| lock.process);
    let title = format!(
        "{}: another apply is running: started {holder}",
        report.host
    );
    let mut lines = vec![Line::new(Tone::Warning, title)];
    let mut say = |text: String| lines.push(Line::new(Tone::Plain, text));
    if let Some(journal) = &report.journal {
        say(format!("  phase {} (run {})", journal.phase, journal.run));
    }
    if let Some(process) = process {
        say(format!("  process {process}"));
    }
    let look = match process {
        Some(process) => format!("ps -o pid,etime,stat,args --ppid {process} -p {process}"),
        None => "ps axo pid,etime,stat,args | grep /var/lib/murder/spool".to_owned(),
    };
    say(
        "      help: nothing was changed; that apply ends on its own, even if its client has gone"
            .to_owned(),
    );
    say(format!("            to see it on the host: {look}"));
    say("            the lock is free when it has ended; if it is killed, the next apply finishes its work".to_owned());
    lines
}

fn cleared(report: &Report, journal: &Journal) -> Vec<Line> {
    let host = &report.host;
    let whose = format!(
        "  started by {} at {} (run {}), ended without a result in phase {}",
        journal.by, journal.at, journal.run, journal.phase
    );
    if !report.unfinished {
        let title = format!(
            "{host}: the lock is free; the temporary files of an earlier apply were removed"
        );
        return vec![Line::new(Tone::Title, title), Line::new(Tone::Plain, whose)];
    }
    let title = format!("{host}: the lock is free; an earlier apply is still unfinished");
    let mut lines = vec![
        Line::new(Tone::Warning, title),
        Line::new(Tone::Plain, whose),
    ];
    for line in [
        "  removed: payloads and staged files that are no longer needed",
        "  kept: its changes; its journal, ledger and last messages in /var/lib/murder; and beside each file that it",
        "        changed, the previous version (.murder.RUN-old.NAME): the next apply needs them to finish",
        "      help: `murder plan` shows what is left to do; `murder apply` finishes it and removes these files",
    ] {
        lines.push(Line::new(Tone::Plain, line.replace("RUN", &journal.run)));
    }
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shown(state: State, process: Option<u32>, journal: bool) -> String {
        let report = Report {
            format_version: FORMAT_VERSION,
            host: HostName::new("b1.example.org").unwrap(),
            state,
            lock: Some(Lock {
                held: state == State::Held,
                holder: "by ops@desk at 2026-01-02T03:04:05Z (run r1)".to_owned(),
                process,
            }),
            journal: journal.then(|| Journal {
                run: "r1".to_owned(),
                by: "ops@desk".to_owned(),
                at: "2026-01-02T03:04:05Z".to_owned(),
                phase: "committing".to_owned(),
            }),
            unfinished: journal,
        };
        let mut text = String::new();
        write(&report, false, &mut text).unwrap();
        text
    }

    #[test]
    fn a_holder_is_named_with_its_phase_and_its_process() {
        let text = shown(State::Held, Some(4711), true);
        for words in [
            "by ops@desk at 2026-01-02T03:04:05Z (run r1)",
            "phase committing",
            "process 4711",
            "--ppid 4711",
            "nothing was changed",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(shown(State::Held, None, false).contains("grep"));
    }

    #[test]
    fn what_was_cleared_says_whose_it_was_and_what_is_left_to_do() {
        let text = shown(State::Cleared, None, true);
        for words in [
            "an earlier apply is still unfinished",
            "ended without a result in phase committing",
            "removed: payloads",
            "(.murder.r1-old.NAME)",
            "`murder apply` finishes it",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("were removed"), "{text}");
        let text = shown(State::Free, None, false);
        assert!(
            text.contains("free") && text.contains("last apply started by ops@desk"),
            "{text}"
        );
    }
}
