//! Tables that proxymap(8) refuses to open, cannot open, or is not there to open.

use std::collections::{BTreeMap, BTreeSet};

use crate::postfix::configuration::{DeniedTable, ProxyProblem};

use super::{Fault, Faults, Side};

pub(super) fn denied(side: &Side<'_>) -> Faults {
    let mut by_problem: BTreeMap<ProxyProblem, Vec<DeniedTable>> = BTreeMap::new();
    for table in side.configuration.denied_tables() {
        by_problem
            .entry(table.problem.clone())
            .or_default()
            .push(table);
    }
    let faults = by_problem.into_iter().map(|(problem, tables)| {
        // A default that follows another parameter (`$transport_maps`) need not be named beside it.
        let is_set = |table: &&DeniedTable| table.is_set;
        let set: Vec<&DeniedTable> = tables.iter().filter(is_set).collect();
        let shown = if set.is_empty() {
            tables.iter().collect()
        } else {
            set
        };
        let key = format!("proxy {problem:?}");
        let about = names(&tables.iter().collect::<Vec<_>>());
        (
            key,
            Fault {
                about,
                ..fault(&problem, &shown)
            },
        )
    });
    faults.collect()
}

fn joined(words: impl Iterator<Item = String>) -> String {
    let words: BTreeSet<String> = words.collect();
    words.into_iter().collect::<Vec<_>>().join(", ")
}

fn names(tables: &[&DeniedTable]) -> BTreeSet<String> {
    tables
        .iter()
        .map(|one| format!("`{}`", one.table))
        .collect()
}

fn quoted(tables: &[&DeniedTable]) -> String {
    joined(tables.iter().map(|one| format!("\"{}\"", one.table)))
}

fn fault(problem: &ProxyProblem, tables: &[&DeniedTable]) -> Fault {
    let shown = joined(names(tables).into_iter());
    let parameter = joined(tables.iter().map(|one| format!("`{}`", one.parameter)));
    let programs = joined(tables.iter().map(|one| format!("{}(8)", one.program)));
    let (text, hint) = match problem {
        ProxyProblem::NotAllowed { list, .. } => (
            format!(
                "`{list}` of this host lacks {shown} of {parameter}: proxymap(8) refuses to open it, and {programs} stops with a fatal error"
            ),
            format!(
                "delete it with `settings: {{{list}: null}}`, or set Postfix's own list and more: `{list}: {{append: [{}]}}`",
                quoted(tables)
            ),
        ),
        ProxyProblem::NoService(name) => (
            format!(
                "master.cf has no service `{name}/unix`, by which {programs} opens {shown} of {parameter}: the mail that needs it waits"
            ),
            format!("add it with `services: {{{name}/unix: {{command: proxymap, chroot: n}}}}`"),
        ),
        ProxyProblem::Chrooted(name) => (
            format!(
                "`{name}/unix` in master.cf runs in the chroot jail, where proxymap(8) does not find {shown} of {parameter} for {programs}"
            ),
            format!("set `services: {{{name}/unix: {{chroot: n}}}}`"),
        ),
    };
    let list_is_set = matches!(problem, ProxyProblem::NotAllowed { is_set: true, .. });
    Fault {
        text,
        hint,
        is_default: !list_is_set && tables.iter().all(|one| !one.is_set),
        about: BTreeSet::new(),
        stays: false,
    }
}
