//! `--format jsonl`: one line of JSON on standard output for each thing that happens, as it happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::error::CliError;
use super::exit::Exit;
use super::output::serialised;
use super::signals;
use super::terminal::Terminal;
use crate::fleet::{Event, EventKind};
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::HostVerdict;
use crate::report::events::{RunEvent, Stage};
use crate::report::mask_secrets;

/// Writes the events of one run. The lines of several threads do not mix.
#[derive(Debug, Clone)]
pub struct EventStream {
    terminal: Terminal,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether the last event is written.
    is_over: bool,
    /// The hosts with an outcome.
    told: BTreeSet<HostName>,
    /// The first error of the output.
    failed: Option<CliError>,
}

impl EventStream {
    /// Writes the first event. Until hosts are changed, SIGINT and SIGTERM end the program with the last event.
    #[must_use]
    pub fn begin(verb: &str, murder: &str, hosts: usize, terminal: &Terminal) -> Self {
        let stream = Self {
            terminal: *terminal,
            state: Arc::default(),
        };
        let of_signal = stream.clone();
        signals::before_end(move |code| {
            let mut state = of_signal.state();
            let ends = !state.is_over;
            if ends {
                let exit = u8::try_from(code).unwrap_or(u8::MAX);
                let interrupted = true;
                of_signal.write(&mut state, &RunEvent::End { exit, interrupted });
                state.is_over = true;
            }
            ends
        });
        stream.tell(&RunEvent::start(verb, murder, hosts));
        stream
    }

    /// Something happened on a host.
    pub fn happened(&self, stage: Stage, event: &Event) {
        let host = event.host.to_string();
        match &event.said {
            EventKind::Began => self.tell(&RunEvent::Begin { stage, host }),
            EventKind::At(words) => {
                let words = mask_secrets(words);
                self.tell(&RunEvent::At { stage, host, words });
            }
            // A verdict or an outcome says so.
            EventKind::Ended => {}
        }
    }

    /// A host was compared.
    pub fn verdict(&self, host: &HostName, verdict: &HostVerdict) {
        self.tell(&RunEvent::of_verdict(host, verdict));
    }

    /// The hosts of a wave begin.
    pub fn wave(&self, number: usize, waves: usize, hosts: &[HostName]) {
        self.tell(&RunEvent::Wave {
            number,
            waves,
            hosts: hosts.iter().map(ToString::to_string).collect(),
        });
    }

    /// The outcome of a host.
    pub fn outcome(&self, host: &HostName, outcome: &Outcome) {
        let mut state = self.state();
        if state.told.insert(host.clone()) {
            self.write(&mut state, &RunEvent::of_outcome(host, outcome));
        }
    }

    /// The outcomes that are not told yet, and the last event.
    pub fn outcomes(&self, hosts: &BTreeMap<HostName, Outcome>, exit: Exit) {
        for (host, outcome) in hosts {
            self.outcome(host, outcome);
        }
        self.end(exit);
    }

    /// Writes the last event, unless it is written.
    pub fn end(&self, exit: Exit) {
        let mut state = self.state();
        if state.is_over {
            return;
        }
        let interrupted = matches!(exit, Exit::Interrupted | Exit::Terminated);
        let event = RunEvent::End {
            exit: exit.code(),
            interrupted,
        };
        self.write(&mut state, &event);
        state.is_over = true;
    }

    /// Writes the last event, and gives the result of the verb.
    ///
    /// # Errors
    /// That of the verb, or that standard output could not be written.
    pub fn ended(&self, result: Result<Exit, CliError>) -> Result<Exit, CliError> {
        match &result {
            Ok(exit) => self.end(*exit),
            Err(error) => self.end(error.exit()),
        }
        let exit = result?;
        match self.state().failed.take() {
            Some(error) => Err(error.or(exit)),
            None => Ok(exit),
        }
    }

    fn tell(&self, event: &RunEvent) {
        let mut state = self.state();
        self.write(&mut state, event);
    }

    fn write(&self, state: &mut State, event: &RunEvent) {
        if state.is_over {
            return;
        }
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let line = serialised(event.line(&time)).map(|line| line + "\n");
        let written = line.and_then(|line| super::output::print_text(&line, &self.terminal));
        if let Err(error) = written {
            // The hosts are served all the same.
            state.failed.get_or_insert(error);
        }
    }

    /// Each write is whole, so the data of a poisoned lock is consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
