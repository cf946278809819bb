//! What `drift` says: the hosts that need a person, why each thing differs and who changed it, and the figures.
//!
//! The JSON form is that of a plan, with more for each host: `generation` and `applied` of its ledger, and `changes`, where
//! each thing that was changed on the host has its `thing`, `at`, and `by` (`package`, `tool`, `session`, `unknown`) with what is
//! known of it. The text leaves out hosts that only wait for the next apply, unless they are asked for.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::group;
use super::line::{Line, Tone, count, write_all};
use super::orphans::of_orphans;
use super::{Detail, text};
use crate::attribution::HostNotes;
use crate::name::HostName;
use crate::plan::{Cause, Condition, Plan, Step, Verdict};

/// What a run of `drift` found.
#[derive(Debug, Clone, Copy)]
pub struct DriftReport<'a> {
    /// The difference of each host.
    pub plan: &'a Plan,
    /// What else is known of the hosts that answered.
    pub notes: &'a BTreeMap<HostName, HostNotes>,
    /// Whether hosts that only wait for the next apply are shown.
    pub pending: bool,
    /// When it is: RFC 3339, UTC.
    pub now: &'a str,
}

impl DriftReport<'_> {
    /// Whether the report shows a host of this condition.
    #[must_use]
    pub fn shows(&self, condition: Condition) -> bool {
        match condition {
            Condition::Converged | Condition::Held => false,
            Condition::Pending => self.pending,
            Condition::Maintenance
            | Condition::Drifted
            | Condition::Stopped
            | Condition::Unreachable
            | Condition::Failed => true,
        }
    }

    /// The plan of the hosts that the report shows.
    #[must_use]
    pub fn shown(&self) -> Plan {
        let mut plan = self.plan.clone();
        plan.hosts
            .retain(|_, host| self.shows(host.condition()) || !host.orphans.is_empty());
        plan
    }

    /// Writes the hosts that the report shows, and the figures of all.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, detail: Detail, color: bool, out: &mut impl Write) -> fmt::Result {
        let shown = self.shown();
        for group in group::of_plan_with(&shown, detail, &|host| self.who(host)) {
            text::write_group(&group, color, out)?;
        }
        write_all(&of_orphans(self.plan), out, color)?;
        Line::new(Tone::Title, sentence(self.plan)).write(out, color)
    }

    /// The report without any value or text of a file: each host that it shows with who changed what, and the figures.
    #[must_use]
    pub fn brief(&self) -> String {
        let shown = self.plan.hosts.iter();
        let shown = shown.filter(|(_, host)| self.shows(host.condition()));
        let mut text = String::new();
        for (name, host) in shown {
            text.push_str(&format!("{name}: {}\n", host.condition().word()));
            for line in self.who(name) {
                text.push_str(&line.text);
                text.push('\n');
            }
        }
        for orphan in self.plan.orphans().keys() {
            text.push_str(&format!("{orphan}: orphaned\n"));
        }
        text + &sentence(self.plan) + "\n"
    }

    /// The lines that say who changed what.
    #[must_use]
    pub fn who(&self, host: &HostName) -> Vec<Line> {
        let Some(notes) = self.notes.get(host) else {
            return Vec::new();
        };
        let mut lines: Vec<Line> = notes
            .changes
            .iter()
            .map(|change| Line::new(Tone::Warning, format!("  who: {}", change.sentence())))
            .collect();
        let verdict = self.plan.hosts.get(host).map(|host| &host.verdict);
        if let (Some(Verdict::Changes(plan)), Some(since)) = (verdict, notes.since())
            && plan.steps.iter().any(is_of_the_manifest)
        {
            let text = format!("  who: the manifest or a module changed {since}");
            lines.push(Line::new(Tone::Plain, text));
        }
        lines
    }
}

/// Whether a step follows from a change of the manifest or of a module.
fn is_of_the_manifest(step: &Step) -> bool {
    match step {
        Step::TakeOver { .. } | Step::Release { .. } => true,
        _ => step.cause().is_some_and(|cause| cause != Cause::Drift),
    }
}

/// `5 hosts: 1 drifted, 2 pending, 2 converged`.
#[must_use]
pub fn sentence(plan: &Plan) -> String {
    let figures: Vec<String> = Condition::ALL
        .iter()
        .rev()
        .map(|condition| (plan.count(*condition), condition))
        .filter(|(number, _)| *number > 0)
        .map(|(number, condition)| format!("{number} {}", condition.word()))
        .collect();
    let orphans = match plan.orphans().len() {
        0 => String::new(),
        number => format!(", {number} orphaned"),
    };
    let hosts = count(plan.hosts.len(), "host");
    format!("{hosts}: {}{orphans}", figures.join(", "))
}
