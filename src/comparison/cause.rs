//! Which line of a manifest causes a change.
//!
//! What a layer of the manifest sets by itself has the line of that layer. What a module makes of the rest of the manifest
//! has the changed lines that hold a word in which the two results differ; where none does, the changed lines that
//! concern the host.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, roster_changes, words};
use super::lines::{self, ChangedLine};
use super::{CausePlace, Pair, Side, WhatChanges, place};
use crate::compile::{Compiler, ValueOrigin};
use crate::diagnostic::SourceId;
use crate::model::{ContentSpec, FileSpec, Layer, Level};
use crate::name::RemotePath;
use crate::plan::Change;
use crate::service::Service;
use crate::thing::Thing;

/// What is known of the lines in which two manifests differ.
pub(super) struct Causes<'a> {
    sides: [Side<'a>; 2],
    compilers: &'a [Compiler<'a>; 2],
    lines: Vec<Candidate>,
    /// Files of modules that differ, by the role, each with its first changed line.
    modules: BTreeMap<String, Vec<CausePlace>>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(sides: [Side<'a>; 2], compilers: &'a [Compiler<'a>; 2]) -> Self {
        let changed = lines::changed(sides[0].manifest, sides[1].manifest);
        let mut candidates: Vec<Candidate> = changed.into_iter().map(Candidate::of).collect();
        candidates.extend(roster_changes(&sides));
        Self {
            lines: candidates,
            modules: changed_modules(&sides),
            sides,
            compilers,
        }
    }

    /// The lines that retire a host.
    pub(super) fn of_state(&self, pair: &Pair<'_>) -> Vec<CausePlace> {
        let Some(host) = pair.hosts[1] else {
            return Vec::new();
        };
        let of_state = self.lines.iter().filter(|one| {
            one.line.path.last().is_some_and(|key| key == "state") && one.concerns(host)
        });
        let found: Vec<CausePlace> = of_state.map(|one| self.place_of(&one.line)).collect();
        match found.is_empty() {
            true => vec![place(&self.sides[1], host.at, false)],
            false => found,
        }
    }

    /// The lines that cause a change of a thing.
    pub(super) fn of(
        &self,
        pair: &Pair<'_>,
        service: &Service,
        what: &WhatChanges,
    ) -> Vec<CausePlace> {
        let thing = match what {
            WhatChanges::File { path, .. } => Thing::File(path.clone()),
            WhatChanges::Value { thing, .. }
            | WhatChanges::Forbidden(thing)
            | WhatChanges::Allowed(thing) => thing.clone(),
            WhatChanges::Probes { .. } => return self.concerning(pair, &["probe"]),
        };
        let mut found = match &thing {
            Thing::File(path) => self.of_file(pair, service, path),
            _ => Vec::new(),
        };
        if found.is_empty() {
            found = self.of_layers(pair, service, &thing);
        }
        if found.is_empty() {
            found = self.of_variables(pair, service, &thing);
            found.extend(self.by_words(pair, &differing_words(what)));
        }
        if let WhatChanges::File {
            other_secret: true, ..
        } = what
        {
            found.extend(self.concerning(pair, &["secrets"]));
        }
        if found.is_empty() {
            found = self.of_modules(pair);
        }
        if found.is_empty() {
            found = self.concerning(pair, &[]);
        }
        let mut seen = BTreeSet::new();
        found.retain(|place| seen.insert(place.clone()));
        found
    }

    /// What the first layer says in which both manifests differ, where it is one of the manifest.
    fn of_layers(&self, pair: &Pair<'_>, service: &Service, thing: &Thing) -> Vec<CausePlace> {
        let origins = |side: usize| -> &[ValueOrigin] {
            let compiled = pair.compiled[side];
            compiled
                .and_then(|one| one.origins(service, thing))
                .unwrap_or_default()
        };
        let left = |side: usize| {
            let mut reasons = pair.compiled[side]?.reasons.iter();
            let reasons = reasons.find(|one| one.service == *service)?;
            reasons.left.get(thing)
        };
        match (left(0), left(1)) {
            (None, Some(word)) => return vec![place(&self.sides[1], word.at, false)],
            (Some(word), None) => return vec![place(&self.sides[0], word.at, true)],
            _ => {}
        }
        let (old, new) = (origins(0), origins(1));
        let same = |one: &ValueOrigin, other: &ValueOrigin| {
            one.level == other.level && one.value == other.value
        };
        let alike = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
        match (old.get(alike), new.get(alike)) {
            (before, Some(word)) if is_of_manifest(word) => {
                let before = before.filter(|before| before.level == word.level);
                let known = before.and_then(|before| before.members.as_ref());
                let of_members = word.members.iter().flatten();
                let fresh = of_members.filter(|(member, _)| {
                    known.is_some_and(|known| !known.iter().any(|(old, _)| old == member))
                });
                let fresh: Vec<CausePlace> = fresh
                    .map(|(_, at)| place(&self.sides[1], *at, false))
                    .collect();
                match fresh.is_empty() {
                    true => vec![place(&self.sides[1], word.at, false)],
                    false => fresh,
                }
            }
            (Some(word), _) if is_of_manifest(word) => vec![place(&self.sides[0], word.at, true)],
            _ => Vec::new(),
        }
    }

    /// The first layer of a file in which both manifests differ, or the first changed line of its template.
    fn of_file(&self, pair: &Pair<'_>, service: &Service, path: &RemotePath) -> Vec<CausePlace> {
        let [old, new] = [0, 1].map(|side| {
            let part = pair.hosts[side].map(|host| host.part(service));
            part.and_then(|part| part.files.get(path).cloned())
                .unwrap_or_default()
        });
        let same = |one: &Layer<FileSpec>, other: &Layer<FileSpec>| {
            one.level == other.level && one.value == other.value
        };
        let alike = old.iter().zip(&new).take_while(|(a, b)| same(a, b));
        let alike = alike.count();
        let (before, after) = (old.get(alike), new.get(alike));
        if let Some([(was, before), (name, after)]) = before
            .zip(after)
            .and_then(|(one, other)| Some([template(one)?, template(other)?]))
            && was == name
        {
            let file = self.sides[1].shown_folder.join(name);
            let file = file.strip_prefix(".").unwrap_or(&file);
            let line = changed_line(&file.display().to_string(), before, after);
            return line.into_iter().collect();
        }
        match (before, after) {
            (_, Some(layer)) => vec![place(&self.sides[1], layer.at, false)],
            (Some(layer), None) => vec![place(&self.sides[0], layer.at, true)],
            (None, None) => Vec::new(),
        }
    }

    /// The variables behind what a module says of a thing, where they differ.
    fn of_variables(&self, pair: &Pair<'_>, service: &Service, thing: &Thing) -> Vec<CausePlace> {
        let [old, new] = [0, 1].map(|side| {
            let host = pair.hosts[side];
            host.map_or_else(Vec::new, |host| {
                self.compilers[side].behind(&host.part(service), service, thing)
            })
        });
        let fresh = new.iter().filter(|word| {
            !old.iter()
                .any(|was| was.name == word.name && was.value == word.value)
        });
        let gone = old
            .iter()
            .filter(|was| !new.iter().any(|word| was.name == word.name));
        let fresh = fresh.map(|word| place(&self.sides[1], word.at, false));
        let gone = gone.map(|word| place(&self.sides[0], word.at, true));
        fresh.chain(gone).collect()
    }

    /// The changed lines with a word in which two results differ: those that concern the host, else those of other hosts.
    fn by_words(&self, pair: &Pair<'_>, words: &BTreeSet<String>) -> Vec<CausePlace> {
        let has_word = |one: &&Candidate| !one.words.is_disjoint(words);
        let fitting: Vec<&Candidate> = self
            .lines
            .iter()
            .filter(|one| one.is_general())
            .filter(has_word)
            .collect();
        let mut own = fitting.clone();
        own.retain(|one| pair.is_concerned(one));
        match own.is_empty() {
            false => self.places_of(&own),
            true => self.places_of(&fitting),
        }
    }

    /// The changed files of the modules of a host.
    fn of_modules(&self, pair: &Pair<'_>) -> Vec<CausePlace> {
        let roles = pair.hosts.iter().flatten().flat_map(|host| &host.roles);
        let roles: BTreeSet<&str> = roles.map(|role| role.as_str()).collect();
        let files = roles.into_iter().filter_map(|role| self.modules.get(role));
        files.flatten().cloned().collect()
    }

    /// The changed lines that concern a host and have one of the keys; without keys, all general ones.
    fn concerning(&self, pair: &Pair<'_>, keys: &[&str]) -> Vec<CausePlace> {
        let has_key = |one: &&Candidate| {
            let mut path = one.line.path.iter();
            match keys {
                [] => one.is_general(),
                keys => path.any(|key| keys.contains(&key.as_str())),
            }
        };
        let lines = self.lines.iter().filter(has_key);
        let lines = lines.filter(|one| pair.is_concerned(one));
        self.places_of(&lines.collect::<Vec<_>>())
    }

    /// The places of lines, without those of the older manifest that a line of the newer one takes the place of.
    fn places_of(&self, lines: &[&Candidate]) -> Vec<CausePlace> {
        let list = |one: &Candidate| one.line.path.split_last().map(|(_, list)| list.to_vec());
        let fresh: BTreeSet<_> = lines
            .iter()
            .filter(|one| !one.line.is_old)
            .map(|one| list(one))
            .collect();
        let lines = lines
            .iter()
            .filter(|one| !one.line.is_old || !fresh.contains(&list(one)));
        lines.map(|one| self.place_of(&one.line)).collect()
    }

    fn place_of(&self, line: &ChangedLine) -> CausePlace {
        let side = &self.sides[usize::from(!line.is_old)];
        place(side, line.at, line.is_old)
    }
}

impl Pair<'_> {
    fn is_concerned(&self, one: &Candidate) -> bool {
        let mut hosts = self.hosts.iter().flatten();
        hosts.any(|host| one.concerns(host))
    }
}

/// The files below `modules/` of the manifests that differ, by their role.
fn changed_modules(sides: &[Side<'_>; 2]) -> BTreeMap<String, Vec<CausePlace>> {
    let files = |side: &Side<'_>| -> BTreeMap<String, (String, String)> {
        let folder = side.shown_folder.join("modules").display().to_string() + "/";
        let folder = folder.strip_prefix("./").unwrap_or(&folder).to_owned();
        let sources = (0..).map_while(|id| side.sources.get(SourceId(id)));
        let own = sources.filter_map(|source| {
            let name = source.name.strip_prefix("./").unwrap_or(&source.name);
            let inner = name.strip_prefix(&folder)?;
            Some((inner.to_owned(), (name.to_owned(), source.text.to_string())))
        });
        own.collect()
    };
    let [old, new] = [files(&sides[0]), files(&sides[1])];
    let mut changed: BTreeMap<String, Vec<CausePlace>> = BTreeMap::new();
    let empty = (String::new(), String::new());
    for inner in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let (_, before) = old.get(inner).unwrap_or(&empty);
        let (name, after) = new.get(inner).unwrap_or(&empty);
        let name = if name.is_empty() { inner } else { name };
        let role = inner.split('/').next().unwrap_or_default().to_owned();
        let place = changed_line(name, before, after);
        changed.entry(role).or_default().extend(place);
    }
    changed
}

/// The first line in which a text differs from an older one.
fn changed_line(file: &str, before: &str, after: &str) -> Option<CausePlace> {
    if before == after {
        return None;
    }
    let same = before.lines().zip(after.lines());
    let same = same.take_while(|(one, other)| one == other).count();
    Some(CausePlace {
        file: file.to_owned(),
        line: same + 1,
        text: after
            .lines()
            .nth(same)
            .unwrap_or_default()
            .trim()
            .to_owned(),
        is_old: false,
    })
}

/// The template that a layer names for a file: its name and text.
fn template(layer: &Layer<FileSpec>) -> Option<(&str, &str)> {
    match &layer.value {
        FileSpec::Present {
            content: ContentSpec::Template { name, text },
            ..
        } => Some((name, text)),
        _ => None,
    }
}

fn is_of_manifest(origin: &ValueOrigin) -> bool {
    !matches!(origin.level, Level::Module(_) | Level::Postfix)
}

/// The words that one side of a change has and the other one has not.
fn differing_words(what: &WhatChanges) -> BTreeSet<String> {
    let (before, after) = match what {
        WhatChanges::File { change, .. } => sides(change, |file| {
            let text = file.text.as_deref().unwrap_or_default();
            format!("{text} {} {} {}", file.owner, file.group, file.mode)
        }),
        WhatChanges::Value { change, .. } => sides(change, String::clone),
        _ => return BTreeSet::new(),
    };
    let of = |text: &str| words(text).collect::<BTreeSet<String>>();
    let (before, after) = (of(&before), of(&after));
    before.symmetric_difference(&after).cloned().collect()
}

fn sides<T>(change: &Change<T>, form: impl Fn(&T) -> String) -> (String, String) {
    match change {
        Change::Create { after } => (String::new(), form(after)),
        Change::Update { before, after } => (form(before), form(after)),
        Change::Delete { before } => (form(before), String::new()),
    }
}
