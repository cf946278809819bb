//! The difference of two manifests, as text, Markdown and JSON.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::block::{Block, below};
use super::forge::Forge;
use super::group::{self, Group};
use super::line::{Line, Tone, count};
use super::markdown::{Markdown, code, marker, write_groups};
use super::{Detail, host_names, mask_secrets, step_value, steps, text};
use crate::comparison::{
    CausePlace, Comparison, Handling, HostComparison, HostFate, ThingChange, WhatChanges,
};
use crate::name::{HostName, RoleName, TableType};
use crate::plan::{Cause, Change};
use crate::state::Probes;

pub use super::comparison_json::{diff_schema, of_comparison};

/// At most so many lines are named as the cause of one change, and so many characters of a line are shown.
const CAUSES: usize = 3;
const WIDTH: usize = 80;

/// Writes the groups of hosts with their changes, and the summary line.
///
/// # Errors
/// Those of `out`.
pub fn write_text(
    comparison: &Comparison,
    detail: Detail,
    color: bool,
    out: &mut impl Write,
) -> fmt::Result {
    for group in groups(comparison, detail) {
        text::write_group(&group, color, out)?;
    }
    if let Some(text) = handling(&comparison.handling) {
        Line::new(Tone::Plain, text).write(out, color)?;
    }
    Line::new(Tone::Title, sentence(comparison)).write(out, color)
}

/// `how murder handles hosts differs too, and is not shown: ssh of 2 hosts (backend[1:2].example.org), rollout of backend`.
/// None if it does not differ.
fn handling(handling: &Handling) -> Option<String> {
    let mut parts = Vec::new();
    for (word, hosts) in [
        ("ssh", &handling.ssh),
        ("maintenance", &handling.maintenance),
    ] {
        if !hosts.is_empty() {
            let number = count(hosts.len(), "host");
            parts.push(format!("{word} of {number} ({})", host_names::short(hosts)));
        }
    }
    let roles: Vec<&str> = handling.rollout.iter().map(RoleName::as_str).collect();
    if !roles.is_empty() {
        parts.push(format!("rollout of {}", roles.join(", ")));
    }
    if handling.policies {
        parts.push("policies".to_owned());
    }
    (!parts.is_empty()).then(|| {
        format!(
            "how murder handles hosts differs too, and changes nothing on them: {}",
            parts.join("; ")
        )
    })
}

/// Writes it as Markdown for a comment, cut to the limit of the forge.
///
/// # Errors
/// Those of `out`.
pub fn write_markdown(
    comparison: &Comparison,
    how: &Markdown<'_>,
    out: &mut impl Write,
) -> fmt::Result {
    let folds = how.forge.is_none_or(Forge::folds);
    let marker = marker("diff", &comparison.murder, folds);
    let head = format!(
        "{marker}\n\n## What the manifest of {} changes\n\n{}\n{}",
        code(&comparison.murder),
        sentence(comparison),
        handling(&comparison.handling).map_or(String::new(), |text| format!("\n{}\n", code(&text)))
    );
    write_groups(&head, &groups(comparison, how.detail), how, out)
}

/// `3 hosts: 4 to create, 2 to update, 1 to delete, 12 the same`.
fn sentence(comparison: &Comparison) -> String {
    let figures = Figures::of(comparison);
    let same = format!("{} the same", comparison.same);
    if comparison.hosts.is_empty() {
        return format!("no difference: {} the same", count(comparison.same, "host"));
    }
    let mut text = format!(
        "{}: {} to create, {} to update, {} to delete",
        count(comparison.hosts.len(), "host"),
        figures.create,
        figures.update,
        figures.delete
    );
    for (number, words) in [
        (figures.comes, "new"),
        (figures.goes, "no longer in the manifest"),
        (figures.retires, "to retire"),
    ] {
        if number > 0 {
            text += &format!(", {} {words}", count(number, "host"));
        }
    }
    format!("{text}, {same}")
}

/// The figures of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub(super) struct Figures {
    /// Things that are created.
    pub create: usize,
    /// Things that are updated.
    pub update: usize,
    /// Things that are deleted, or no longer managed.
    pub delete: usize,
    /// Hosts that come.
    pub comes: usize,
    /// Hosts that are no longer in the manifest.
    pub goes: usize,
    /// Hosts that are retired.
    pub retires: usize,
}

impl Figures {
    pub(super) fn of(comparison: &Comparison) -> Self {
        let mut figures = Self::default();
        for host in comparison.hosts.values() {
            match host.fate {
                HostFate::Stays => {}
                HostFate::Comes => figures.comes += 1,
                HostFate::Goes => figures.goes += 1,
                HostFate::Retires => figures.retires += 1,
            }
            for change in &host.changes {
                *match action(&change.what) {
                    "create" => &mut figures.create,
                    "delete" => &mut figures.delete,
                    _ => &mut figures.update,
                } += 1;
            }
        }
        figures
    }
}

/// The word of a change.
pub(super) fn action(what: &WhatChanges) -> &'static str {
    fn of<T>(change: &Change<T>) -> &'static str {
        match change {
            Change::Create { .. } => "create",
            Change::Update { .. } => "update",
            Change::Delete { .. } => "delete",
        }
    }
    match what {
        WhatChanges::File { change, .. } => of(change),
        WhatChanges::Value { change, .. } => of(change),
        WhatChanges::Forbidden(_) => "delete",
        WhatChanges::Allowed(_) | WhatChanges::Probes { .. } => "update",
    }
}

fn groups(comparison: &Comparison, detail: Detail) -> Vec<Group<'_>> {
    let hosts = comparison.hosts.iter().map(|(name, host)| {
        let own = comparison.own_names.get(name);
        (name, own, blocks(host, detail))
    });
    let causes: BTreeMap<(&HostName, String), &[CausePlace]> = comparison
        .hosts
        .iter()
        .flat_map(|(name, host)| {
            let of_changes = host.changes.iter().map(move |change| {
                let places: &[CausePlace] = &change.causes;
                ((name, subject(change)), places)
            });
            let places: &[CausePlace] = &host.causes;
            of_changes.chain([((name, String::new()), places)])
        })
        .collect();
    let foot = |hosts: &[(&HostName, String)]| {
        let places = hosts.iter().filter_map(|(host, subject)| {
            let key = (*host, subject.clone());
            causes.get(&key).copied()
        });
        cause_line(places)
    };
    group::of_blocks(hosts.collect(), &foot)
}

/// What a block is about. The files and values of an instance have its folder in their names.
fn subject(change: &ThingChange) -> String {
    match change.what {
        WhatChanges::Probes { .. } => format!("{} of {}", change.name(), change.service),
        _ => change.name(),
    }
}

/// `      by manifests/hosts.yaml:12: relayhost: b`.
fn cause_line<'a>(places: impl Iterator<Item = &'a [CausePlace]>) -> Option<Line> {
    let mut named: Vec<&CausePlace> = Vec::new();
    for place in places.flatten() {
        if !named
            .iter()
            .any(|known| (&known.file, known.line) == (&place.file, place.line))
        {
            named.push(place);
        }
    }
    let shown = |place: &&CausePlace| format!("{}:{}", place.file, place.line);
    let text = match named.as_slice() {
        [] => return None,
        [one] => {
            let line: String = mask_secrets(&one.text).chars().take(WIDTH).collect();
            format!("by {}: {line}", shown(one))
        }
        several => {
            let names: Vec<String> = several.iter().take(CAUSES).map(shown).collect();
            let more = match several.len().saturating_sub(CAUSES) {
                0 => String::new(),
                more => format!(" and {}", count(more, "more line")),
            };
            format!("by {}{more}", names.join(", "))
        }
    };
    Some(below(Tone::Faint, &text))
}

fn blocks(host: &HostComparison, detail: Detail) -> Vec<Block> {
    let line = |tone, text: &str| Block::of_line(Line::new(tone, text));
    let of_host = match host.fate {
        HostFate::Stays => None,
        HostFate::Comes => Some(line(Tone::Added, "  + the host is new")),
        HostFate::Goes => Some(line(
            Tone::Warning,
            "  ! the host is no longer in the manifest: its configuration stays as it is; \
             to take it away first, set `state: retired`",
        )),
        HostFate::Retires => Some(line(
            Tone::Removed,
            "  - the host is retired: `murder` deletes what it created and restores what it adopted",
        )),
    };
    let changes = host.changes.iter().map(|change| block(change, detail));
    of_host.into_iter().chain(changes).collect()
}

fn block(change: &ThingChange, detail: Detail) -> Block {
    let cause = |unmanaged: bool| match unmanaged {
        true => Cause::Unnamed,
        false => Cause::Wanted,
    };
    let name = subject(change);
    match &change.what {
        WhatChanges::File {
            path,
            change,
            index,
            other_secret,
            unmanaged,
        } => {
            let mut block = steps::of_file(path.as_str(), change, cause(*unmanaged), detail);
            if index.0 != index.1 && matches!(change, Change::Update { .. }) {
                let word = |index: &Option<TableType>| {
                    index
                        .as_ref()
                        .map_or("none".to_owned(), ToString::to_string)
                };
                block.head.text += &format!(", index {} → {}", word(&index.0), word(&index.1));
            }
            if *other_secret {
                block.head.text += ", a secret comes from elsewhere";
            }
            Block {
                list: None,
                ..block
            }
        }
        WhatChanges::Value {
            thing,
            change: values,
            unmanaged,
        } => step_value::of_value(&change.service, thing, values, cause(*unmanaged), detail),
        WhatChanges::Forbidden(_) => Block::of_line(Line::new(
            Tone::Removed,
            format!("  - delete {name}, if the host has it"),
        ))
        .about(name),
        WhatChanges::Allowed(_) => Block::of_line(Line::new(
            Tone::Changed,
            format!("  ~ {name} may be on the host again (no longer in the manifest)"),
        ))
        .about(name),
        WhatChanges::Probes { before, after } => Block {
            body: vec![
                below(Tone::Removed, &format!("-{}", probes(before))),
                below(Tone::Added, &format!("+{}", probes(after))),
            ],
            ..Block::of_line(Line::new(
                Tone::Changed,
                "  ~ update the addresses that are asked after an apply",
            ))
        }
        .about(name),
    }
}

fn probes(probes: &Probes) -> String {
    match *probes == Probes::default() {
        true => " none".to_owned(),
        false => steps::asked(probes).trim_start_matches(':').to_owned(),
    }
}
