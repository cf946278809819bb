//! What two manifests want of each host, compared: a value, with the line of a manifest that causes each change.

mod candidate;
mod cause;
mod handling;
mod lines;
mod things;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::compile::{Compiled, Compiler};
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::manifest::Manifest;
use crate::model::{Host, Murder};
use crate::module::Modules;
use crate::name::{HostName, RemotePath, TableType};
use crate::plan::{Change, FileState, OwnNames};
use crate::service::Service;
use crate::state::Probes;
use crate::thing::Thing;

use self::cause::Causes;
pub use self::handling::{Handling, rules};

/// One of the two manifests.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// What it means.
    pub murder: &'a Murder,
    /// Its modules.
    pub modules: &'a Modules,
    /// Its texts.
    pub sources: &'a Sources,
    /// It as it was written.
    pub manifest: &'a Manifest,
    /// Its folder, by which paths of secrets are compared.
    pub folder: &'a Path,
    /// Its folder as messages show it.
    pub shown_folder: &'a Path,
}

/// The difference of two manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The newer manifest's `murder`.
    pub murder: String,
    /// The hosts that differ.
    pub hosts: BTreeMap<HostName, HostComparison>,
    /// How many hosts are the same in both.
    pub same: usize,
    /// What else differs, and changes nothing on a host.
    pub handling: Handling,
    /// What else is each host's own.
    pub own_names: BTreeMap<HostName, OwnNames>,
}

/// How a host differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostComparison {
    /// What becomes of the host itself.
    pub fate: HostFate,
    /// The line that says so, where it is not `Stays`.
    pub causes: Vec<CausePlace>,
    /// What changes on it. Empty for a host that goes or is retired.
    pub changes: Vec<ThingChange>,
}

/// What becomes of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostFate {
    /// It is in both manifests.
    Stays,
    /// It is in the newer one alone.
    Comes,
    /// It is in the older one alone.
    Goes,
    /// The newer one retires it.
    Retires,
}

/// The change of one thing of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingChange {
    /// The instance of Postfix.
    pub service: Service,
    /// What changes.
    pub what: WhatChanges,
    /// The lines that cause it, the likeliest first. Empty where no line of a manifest does.
    pub causes: Vec<CausePlace>,
}

/// What changes of what is wanted.
#[allow(
    clippy::large_enum_variant,
    reason = "a host has a few dozen changes, most of them of files"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhatChanges {
    /// A file.
    File {
        /// Where.
        path: RemotePath,
        /// Its states.
        change: Change<FileState>,
        /// The types of its index, before and after.
        index: (Option<TableType>, Option<TableType>),
        /// Whether a secret in it comes from elsewhere.
        other_secret: bool,
        /// Whether the newer manifest does not manage it any more.
        unmanaged: bool,
    },
    /// A parameter, a field or an option.
    Value {
        /// Which.
        thing: Thing,
        /// Its values.
        change: Change<String>,
        /// Whether the newer manifest does not manage it any more.
        unmanaged: bool,
    },
    /// It must not be on the host, and might be before.
    Forbidden(Thing),
    /// It may be on the host again.
    Allowed(Thing),
    /// The addresses that are asked after an apply.
    Probes {
        /// In the older manifest.
        before: Probes,
        /// In the newer one.
        after: Probes,
    },
}

/// A line that causes a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CausePlace {
    /// The file as it is shown.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The text of the line; secrets masked.
    pub text: String,
    /// Whether it is of the older manifest.
    pub is_old: bool,
}

impl Comparison {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.handling.is_empty()
    }

    /// Keeps what is about some of all hosts of the two manifests.
    pub fn keep(&mut self, all: &BTreeSet<&HostName>, selected: &dyn Fn(&HostName) -> bool) {
        self.hosts.retain(|name, _| selected(name));
        self.handling.ssh.retain(selected);
        self.handling.maintenance.retain(selected);
        let count = all.iter().filter(|name| selected(name)).count();
        self.same = count.saturating_sub(self.hosts.len());
    }
}

impl ThingChange {
    /// The name of what changes, as plans show it.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.what {
            WhatChanges::File { path, .. } => path.to_string(),
            WhatChanges::Value { thing, .. }
            | WhatChanges::Forbidden(thing)
            | WhatChanges::Allowed(thing) => self.service.shown(thing),
            WhatChanges::Probes { .. } => "probes".to_owned(),
        }
    }
}

/// Compares two manifests, each host by the facts that its manifest states.
///
/// # Errors
/// What is wrong with one of them: the number of the side (0 is the older one), and its problems.
pub fn compare(
    old: Side<'_>,
    new: Side<'_>,
    own_names: BTreeMap<HostName, OwnNames>,
) -> Result<Comparison, (usize, Vec<Diagnostic>)> {
    let sides = [old, new];
    let compiler = |number: usize| {
        let Side {
            murder, modules, ..
        } = sides[number];
        Compiler::new(murder, modules).map_err(|problems| (number, problems))
    };
    let compilers = [compiler(0)?, compiler(1)?];
    let causes = Causes::new(sides, &compilers);
    let mut hosts = BTreeMap::new();
    let mut same = 0;
    let (before, after) = (&old.murder.hosts, &new.murder.hosts);
    let fresh = after.keys().filter(|name| !before.contains_key(*name));
    for name in before.keys().chain(fresh) {
        let of = [before.get(name), after.get(name)];
        let mut compiled: [Option<Compiled>; 2] = [None, None];
        for (number, host) in of.iter().enumerate() {
            if let Some(host) = host {
                let one = compilers[number].compile(name, &host.facts);
                compiled[number] = Some(one.map_err(|problems| (number, problems))?);
            }
        }
        let pair = Pair {
            hosts: of,
            compiled: [compiled[0].as_ref(), compiled[1].as_ref()],
        };
        match pair.compare(&sides, &causes) {
            Some(difference) => {
                hosts.insert(name.clone(), difference);
            }
            None => same += 1,
        }
    }
    Ok(Comparison {
        murder: new.murder.name.clone(),
        hosts,
        same,
        handling: Handling::of([&sides[0], &sides[1]]),
        own_names,
    })
}

/// One host in both manifests.
#[derive(Clone, Copy)]
struct Pair<'a> {
    hosts: [Option<&'a Host>; 2],
    compiled: [Option<&'a Compiled>; 2],
}

impl Pair<'_> {
    fn compare(&self, sides: &[Side<'_>; 2], causes: &Causes<'_>) -> Option<HostComparison> {
        let is_retired = |side: usize| self.compiled[side].is_some_and(|one| one.desired.retired);
        let fate = match (self.hosts[0], self.hosts[1]) {
            (None, _) => HostFate::Comes,
            (_, None) => HostFate::Goes,
            _ if is_retired(1) && !is_retired(0) => HostFate::Retires,
            _ => HostFate::Stays,
        };
        let of_host = |side: usize| -> Vec<CausePlace> {
            let host = self.hosts[side].into_iter();
            host.map(|host| place(&sides[side], host.at, side == 0))
                .collect()
        };
        let (places, changes) = match fate {
            HostFate::Stays => (Vec::new(), self.changes(sides, causes)),
            HostFate::Comes => (of_host(1), self.changes(sides, causes)),
            HostFate::Goes => (of_host(0), Vec::new()),
            HostFate::Retires => (causes.of_state(self), Vec::new()),
        };
        (fate != HostFate::Stays || !changes.is_empty()).then_some(HostComparison {
            fate,
            causes: places,
            changes,
        })
    }

    fn changes(&self, sides: &[Side<'_>; 2], causes: &Causes<'_>) -> Vec<ThingChange> {
        let mut changes = Vec::new();
        let services = self.compiled.iter().flatten();
        let services: std::collections::BTreeSet<&Service> = services
            .flat_map(|one| one.desired.services.keys())
            .collect();
        for service in services {
            for what in things::differences(self, service, sides) {
                let causes = match self.hosts[0] {
                    // All of a host that comes has the same cause, which is told once.
                    None => Vec::new(),
                    Some(_) => causes.of(self, service, &what),
                };
                changes.push(ThingChange {
                    service: service.clone(),
                    what,
                    causes,
                });
            }
        }
        changes
    }
}

/// A place for a report.
fn place(side: &Side<'_>, at: Span, is_old: bool) -> CausePlace {
    let place = side.sources.place(at);
    CausePlace {
        file: place.file,
        line: place.line,
        text: side.sources.line(at).trim().to_owned(),
        is_old,
    }
}
