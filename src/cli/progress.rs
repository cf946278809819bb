//! The progress of a run: bars on a terminal, plain lines with `-v` elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::terminal::Terminal;
use crate::fleet::{Event, EventKind};
use crate::name::HostName;
use crate::visible::{visible, visible_lines};

/// The most lines of hosts below the summary; more would not fit on a screen.
const LINES: usize = 16;

/// Shows events as they come.
#[derive(Debug)]
pub struct Progress {
    terminal: Terminal,
    bars: Option<Bars>,
}

#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    summary: ProgressBar,
    in_flight: BTreeMap<HostName, ProgressBar>,
}

impl Progress {
    /// Begins to show `what` is done, for a number of hosts.
    #[must_use]
    pub fn new(terminal: &Terminal, what: &'static str, hosts: usize) -> Self {
        let bars = terminal.bars.then(|| {
            let all = MultiProgress::new();
            let length = u64::try_from(hosts).unwrap_or(u64::MAX);
            let summary = all.add(ProgressBar::new(length).with_message(what));
            summary.set_style(style("{msg} {bar:30} {pos}/{len} hosts {elapsed}"));
            summary.enable_steady_tick(Duration::from_millis(200));
            Bars {
                all,
                summary,
                in_flight: BTreeMap::new(),
            }
        });
        Self {
            terminal: *terminal,
            bars,
        }
    }

    /// What clears the bars from another thread.
    #[must_use]
    pub fn eraser(&self) -> Box<dyn FnOnce() + Send> {
        let all = self.bars.as_ref().map(|bars| bars.all.clone());
        Box::new(move || {
            if let Some(all) = all {
                // If the bars cannot be cleared, the report stands below them.
                let _ = all.clear();
            }
        })
    }

    /// Whether anything is shown at all.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.terminal.verbose || self.bars.is_some()
    }

    /// Shows one event.
    pub fn show(&mut self, event: &Event) {
        if self.terminal.verbose {
            self.log(event);
        }
        let Some(bars) = &mut self.bars else { return };
        match &event.said {
            EventKind::Began if bars.in_flight.len() < LINES => {
                let line = bars.all.add(ProgressBar::new_spinner());
                line.set_style(style("  {prefix} {wide_msg}"));
                line.set_prefix(event.host.to_string());
                bars.in_flight.insert(event.host.clone(), line);
            }
            EventKind::Began => {}
            EventKind::At(words) => {
                if let Some(line) = bars.in_flight.get(&event.host) {
                    line.set_message(visible(words));
                }
            }
            EventKind::Ended => {
                if let Some(line) = bars.in_flight.remove(&event.host) {
                    line.finish_and_clear();
                    bars.all.remove(&line);
                }
                bars.summary.inc(1);
            }
        }
    }

    /// Prints a line without damaging the bars.
    pub fn say(&self, text: &str) {
        match &self.bars {
            // If a line cannot be drawn, the apply goes on.
            Some(bars) => drop(bars.all.println(visible_lines(text))),
            None => self.terminal.say(text),
        }
    }

    fn log(&self, event: &Event) {
        let words = match &event.said {
            EventKind::Began => "begins".to_owned(),
            EventKind::At(words) => visible(words),
            EventKind::Ended => "ends".to_owned(),
        };
        self.say(&format!("{}: {words}", event.host));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bars) = &self.bars {
            bars.summary.finish_and_clear();
        }
    }
}

/// A style from one of the templates of this file; the default style of indicatif if it is wrong.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
