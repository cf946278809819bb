//! Faults of the whole configuration at which mail is refused, waits or bounces, or strangers relay: before the plan, and after it.
//!
//! A fault that the plan brings is a refusal. One that the host has already is a remark, because the plan does not make it
//! worse, and another apply may be what mends it.

mod classes;
mod files;
mod hidden;
mod listeners;
mod proxied;
mod recipients;
mod relaying;
mod shared_ports;
mod transports;

use std::collections::{BTreeMap, BTreeSet};

use crate::name::RemotePath;
use crate::postfix::catalogue::tables::{self, Table};
use crate::postfix::configuration::{AskTable, Configuration, TableTexts};
use crate::postfix::logical_texts;
use crate::state::{LiveFile, LiveTable, Remark, TableAnswer, Want};

use super::super::{Refusal, RefusalKind};
use super::draft::Draft;

/// A fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    /// What is wrong and what happens to mail, as a line without a full stop.
    text: String,
    /// What to write or run.
    hint: String,
    /// Whether only defaults are involved: no person set it, so that it is not worth a remark.
    is_default: bool,
    /// What it is about: a fault is new if one of these is.
    about: BTreeSet<String>,
    /// Whether it keeps the plan from being converged even if the host has it already: what the plan must reach is not so.
    stays: bool,
}

/// Faults, each by what tells it from all others before and after a plan.
type Faults = BTreeMap<String, Fault>;

/// One of the two configurations that a plan compares.
struct Side<'a> {
    configuration: Configuration<'a>,
    texts: TableTexts<'a>,
    ask: AskTable<'a>,
}

impl Draft<'_> {
    /// Refuses the faults that the plan brings, and remarks those that stay.
    pub(super) fn faults(&mut self) {
        // A host whose master.cf is empty runs nothing; only a sandbox gets here with one.
        if self.input.desired.retired || self.live.master_cf.services().is_empty() {
            return;
        }
        let (live, planned) = (self.live_settings(), self.planned_settings());
        let before = self.faults_of(&Side {
            configuration: self.configuration(&live),
            texts: &|table| self.text_before(table),
            ask: &|table, key| self.answer_before(table, key),
        });
        let side = Side {
            configuration: self.configuration(&planned),
            texts: &|table| self.text_after(table),
            ask: &|table, key| self.answer_after(table, key),
        };
        // What the plan leaves as it is has the faults that it had.
        let after = match self.changes_nothing() {
            true => before.clone(),
            false => self.faults_of(&side),
        };
        let unjudged = self.unjudged_classes(&side);
        let unknown_local = self.unknown_local(&side);
        drop(planned);
        self.remarks.extend(unjudged);
        self.remarks.extend(unknown_local);
        // Before the first apply, no other host needed to reach this one.
        let is_new_here = self.ownership.ledger().is_none();
        for (key, fault) in after {
            let old = before
                .get(&key)
                .filter(|_| !(is_new_here && key.starts_with(listeners::KEY)));
            if fault.stays || !old.is_some_and(|old| fault.about.is_subset(&old.about)) {
                self.refusals.push(Refusal {
                    summary: format!("{}; {}", fault.text, fault.hint),
                    kind: RefusalKind::Fault,
                });
            } else if !fault.is_default {
                self.remarks.push(Remark {
                    text: fault.text,
                    hint: Some(fault.hint),
                });
            }
        }
    }

    /// Whether the host keeps every file and value as it is. A held thing may be meant to differ.
    fn changes_nothing(&self) -> bool {
        let drafted = [
            &self.files,
            &self.entry_steps,
            &self.settings,
            &self.deletes,
        ];
        drafted.iter().all(|steps| steps.is_empty()) && self.held.is_empty()
    }

    fn faults_of(&self, side: &Side<'_>) -> Faults {
        let mut faults = Faults::new();
        faults.append(&mut transports::missing(side));
        faults.append(&mut self.class_conflicts(side));
        faults.append(&mut proxied::denied(side));
        faults.append(&mut listeners::unreachable(&self.desired.listens, side));
        faults.append(&mut self.hidden(side));
        faults.append(&mut self.unchecked_recipients(side));
        faults.append(&mut relaying::judge(side));
        faults.append(&mut self.shared_ports(side));
        faults.append(&mut self.unopened_files(side));
        faults
    }

    /// The text of a table as the host has it; none if it is not known.
    fn text_before(&self, table: &Table) -> Option<String> {
        let path = RemotePath::new(&table.name).ok()?;
        match self.live_file(&path) {
            // The host does not send the text of a file that is as it must be.
            LiveFile::Present(state) => state.text.clone().or_else(|| self.desired_text(&path)),
            LiveFile::Absent | LiveFile::Other(_) => self.observed_text(table),
        }
    }

    /// The text of a table after the plan; none if it is not known.
    fn text_after(&self, table: &Table) -> Option<String> {
        let path = RemotePath::new(&table.name).ok()?;
        match self.desired.files.get(&path) {
            Some(_) => self.desired_text(&path),
            None => self.text_before(table),
        }
    }

    /// The text that a file must have, with its secrets masked.
    fn desired_text(&self, path: &RemotePath) -> Option<String> {
        match self.desired.files.get(path)? {
            Want::Present(file) => Some(file.body.masked()),
            Want::Absent => None,
        }
    }

    /// Whether a table has a key on the host now; none if that is not known.
    pub(super) fn answer_before(&self, word: &str, key: &str) -> Option<bool> {
        if let Some(text) = table_of(word).and_then(|table| self.managed_text(&table, false)) {
            return Some(has_key(&text, key));
        }
        match self.input.live.table_says(word, key) {
            TableAnswer::Yes(_) => Some(true),
            TableAnswer::No => Some(false),
            TableAnswer::NotJudged(_) => None,
        }
    }

    /// Whether a table has a key after the plan; none if that is not known.
    pub(super) fn answer_after(&self, word: &str, key: &str) -> Option<bool> {
        match table_of(word).and_then(|table| self.managed_text(&table, true)) {
            Some(text) => Some(has_key(&text, key)),
            None => self.answer_before(word, key),
        }
    }

    /// The text of a table with keys that the manifest has. The tables of a database have addresses as keys, never a bare
    /// domain or host, so that their text counts as empty.
    fn managed_text(&self, table: &Table, after: bool) -> Option<String> {
        let path = RemotePath::new(&table.name).ok()?;
        self.desired.files.get(&path)?;
        match table.kind.as_str() {
            "ldap" | "mysql" | "pgsql" | "sqlite" | "memcache" => Some(String::new()),
            "regexp" | "pcre" | "cidr" => None,
            _ if after => self.text_after(table),
            _ => self.text_before(table),
        }
    }

    /// The text of a table that nothing manages.
    fn observed_text(&self, table: &Table) -> Option<String> {
        match self.input.live.tables.get(&table.to_string())? {
            LiveTable::Text(text) => Some(text.clone()),
            LiveTable::Answers(_) | LiveTable::NotRead(_) => None,
        }
    }
}

fn table_of(word: &str) -> Option<Table> {
    tables::read(word).into_iter().next()
}

/// Whether a text of an indexed table has a key (postmap(1) folds keys to lower case).
fn has_key(text: &str, key: &str) -> bool {
    let lines = logical_texts(text.as_bytes());
    let mut keys = lines
        .iter()
        .filter_map(|line| line.split_whitespace().next());
    keys.any(|found| found.eq_ignore_ascii_case(key))
}
