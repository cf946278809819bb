//! Local files: manifest, overlays, templates, modules and secrets. Only here is local
//! configuration read; what it means is decided by the pure core.

mod files;
mod secrets;

pub use secrets::{foresee, secrets};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compile;
use crate::diagnostic::{Diagnostic, Level, SourceId, Sources, Span};
use crate::manifest::{self, Manifest, Text};
use crate::model::{self, Murder, Role};
use crate::module::{self, Modules, VariableKind};
use crate::name::RoleName;

/// A manifest with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Every text that was read; secrets that stand in them are masked.
    pub sources: Sources,
    /// What the manifest means; none where something is wrong.
    pub murder: Option<Murder>,
    /// The modules, the shipped ones and those beside the manifest.
    pub modules: Modules,
    /// Everything there is to say, errors and warnings, in the order of the texts.
    pub diagnostics: Vec<Diagnostic>,
    /// The folder of the manifest.
    pub folder: PathBuf,
}

impl Loaded {
    /// Whether one of the diagnostics is an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.errors() > 0
    }

    fn errors(&self) -> usize {
        let errors = self.diagnostics.iter();
        errors.filter(|one| one.level == Level::Error).count()
    }
}

/// Reads the manifest at `path`, a file or a folder, with `overlays` laid over it.
///
/// Nothing is contacted, and no secret is read. Whatever is wrong is among the diagnostics.
#[must_use]
pub fn load(path: &Path, overlays: &[PathBuf]) -> Loaded {
    let loaded = read(path, overlays, false);
    // Where something is wrong, hints name what there is, and not only what the manifest uses.
    if loaded.failed() {
        read(path, overlays, true)
    } else {
        loaded
    }
}

/// Reads the manifest, and of the shipped modules those of its roles, or `all`.
fn read(path: &Path, overlays: &[PathBuf], all: bool) -> Loaded {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let folder = files::folder_of(path);
    let texts = read_all(
        &files::manifest_files(path, overlays, &mut diagnostics),
        &mut sources,
        &mut diagnostics,
    );
    let overlays = read_all(overlays, &mut sources, &mut diagnostics);
    let unread = !diagnostics.is_empty();

    let own = files::module_files(&folder, &mut diagnostics);
    let parsed = manifest::parse(&borrowed(&texts), &borrowed(&overlays));
    let named = parsed.manifest.as_ref().map(Manifest::roles);
    let wanted = |role: &str| all || named.as_ref().is_none_or(|named| named.contains(role));
    let module::Parsed {
        modules,
        unread: unread_modules,
        problems,
        local: of_modules,
    } = module::parse(
        &module::embedded(),
        &own,
        &folder.join("modules").display().to_string(),
        wanted,
        &mut sources,
    );
    diagnostics.extend(problems);

    sources.mask(&parsed.secrets);
    diagnostics.extend(parsed.problems);
    let mut murder = None;
    let mut rest = None;
    let mut local = parsed.local + of_modules;
    let mut hosts = Vec::new();
    // With a file missing, every reference into it would look wrong.
    if let Some(manifest) = parsed.manifest.filter(|_| !unread) {
        let known = diagnostics.len();
        let templates = templates(&manifest, &folder, &mut diagnostics);
        local += diagnostics.len() - known;
        let context = model::Context {
            roles: &roles(&modules, &unread_modules),
            templates: &templates,
            folder: &folder,
        };
        let resolved = model::resolve(&manifest, &context);
        diagnostics.extend(resolved.problems);
        murder = resolved.murder;
        rest = resolved.rest;
        local += resolved.local;
        hosts = resolved.hosts;
    }
    let mut loaded = Loaded {
        sources,
        murder,
        modules,
        diagnostics,
        folder,
    };
    // What was read of a wrong manifest without all modules is read again with them: it is judged once, then.
    if all && loaded.failed() {
        // Where each fault is of one thing alone, the rest is judged as a whole; else each value by itself, or much
        // would be said that is only a consequence.
        let more = match loaded.murder.take().or(rest) {
            Some(murder) if loaded.errors() == local => {
                let said: BTreeSet<Span> = loaded.diagnostics.iter().filter_map(place).collect();
                let mut more = compile::problems(&murder, &loaded.modules);
                // What is wrong already is only wrong in more words.
                more.retain(|problem| place(problem).is_none_or(|span| !said.contains(&span)));
                more
            }
            murder => {
                hosts.extend(
                    murder
                        .into_iter()
                        .flat_map(|murder| murder.hosts.into_values()),
                );
                hosts
                    .iter()
                    .flat_map(|host| compile::written(host, &loaded.modules))
                    .collect()
            }
        };
        loaded.diagnostics.extend(more);
    }
    tidy(&mut loaded.diagnostics);
    loaded
}

fn place(diagnostic: &Diagnostic) -> Option<Span> {
    diagnostic.at.as_ref().map(|(span, _)| *span)
}

/// Puts diagnostics into the order of the texts, and says each once.
pub fn tidy(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics
        .sort_by(|one, other| (place(one), &one.summary).cmp(&(place(other), &other.summary)));
    let mut said = BTreeSet::new();
    diagnostics.retain(|diagnostic| {
        said.insert((
            place(diagnostic),
            diagnostic.summary.clone(),
            diagnostic.detail.clone(),
        ))
    });
}

fn read_all(
    paths: &[PathBuf],
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(SourceId, Arc<str>)> {
    let mut texts = Vec::new();
    for path in paths {
        match files::read(path) {
            Ok(text) => {
                let text: Arc<str> = text.into();
                texts.push((sources.add(path.display().to_string(), text.clone()), text));
            }
            Err(problem) => diagnostics.push(problem),
        }
    }
    texts
}

fn borrowed(texts: &[(SourceId, Arc<str>)]) -> Vec<Text<'_>> {
    texts
        .iter()
        .map(|(source, text)| Text {
            source: *source,
            text,
        })
        .collect()
}

fn templates(
    manifest: &Manifest,
    folder: &Path,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let mut templates = BTreeMap::new();
    for (name, at) in manifest.templates() {
        match files::read(&folder.join(name)) {
            Ok(text) => {
                templates.insert(name.to_owned(), text);
            }
            Err(problem) => diagnostics.push(problem.at(at, "is named here")),
        }
    }
    templates
}

/// What resolving must know of the modules.
fn roles(modules: &Modules, unread: &BTreeSet<RoleName>) -> BTreeMap<RoleName, Role> {
    let role = |module: &module::Module| Role {
        provides: module.provides.clone(),
        at_most_one: module.at_most_one,
        vars: module.vars.keys().cloned().collect(),
        texts: module
            .vars
            .iter()
            .filter(|(_, variable)| {
                matches!(variable.kind, VariableKind::String | VariableKind::OneOf(_))
            })
            .map(|(name, _)| name.clone())
            .collect(),
        unread: false,
    };
    let unread = unread.iter().map(|name| {
        let role = Role {
            unread: true,
            ..Role::default()
        };
        (name.clone(), role)
    });
    modules
        .0
        .iter()
        .map(|(name, module)| (name.clone(), role(module)))
        .chain(unread)
        .collect()
}
