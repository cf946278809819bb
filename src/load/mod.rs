//! Local files: manifest, overlays, templates and modules. Only here is local
//! configuration read; what it means is decided by the pure core.

mod bounded;
mod checkout;
mod files;
mod git;
mod loaded;
mod plan_file;
mod plan_head;
mod policies;
mod revision;

pub use checkout::{Checkout, RevisionRange};
pub use files::{LinkScope, has_manifest};
pub use loaded::LoadedMurder;
pub use plan_file::{read_live_file, read_plan};
pub use plan_head::is_plan_file;
pub use policies::{add_policies, read_policies};
pub use revision::{Ancestry, revision};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compile;
use crate::diagnostic::{self, Diagnostic, Scope, SourceId, Sources, Span};
use crate::manifest::{self, Manifest, Text};
use crate::model::{self, Meaning, Murder, Role};
use crate::module::{self, Library, Modules, VariableKind};
use crate::name::RoleName;

/// A manifest with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Every text that was read, with its secrets masked.
    pub sources: Sources,
    /// What the manifest means; none where something is wrong.
    pub murder: Option<Murder>,
    /// The modules, the shipped ones and those beside the manifest.
    pub modules: Modules,
    /// Everything there is to say, errors and warnings, in the order of the texts.
    pub diagnostics: Vec<Diagnostic>,
    /// The folder of the manifest.
    pub folder: PathBuf,
    /// The folder as messages show it; that of a revision begins with the revision.
    pub shown_folder: PathBuf,
    /// The manifest as it was written, its secrets not masked; none where a text of it is missing or is no YAML.
    pub manifest: Option<Manifest>,
    /// The files that were read for it.
    pub files: BTreeSet<PathBuf>,
}

impl Loaded {
    /// A manifest for another `murder`, of which nothing is known.
    fn unread(
        sources: Sources,
        diagnostics: Vec<Diagnostic>,
        folder: PathBuf,
        shown_folder: PathBuf,
    ) -> Self {
        Self {
            sources,
            murder: None,
            modules: Modules::default(),
            diagnostics,
            folder,
            shown_folder,
            manifest: None,
            files: BTreeSet::new(),
        }
    }

    /// Whether one of the diagnostics is an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        diagnostic::widest(&self.diagnostics).is_some()
    }
}

/// Reads the manifest at `path`, a file or a folder, with `overlays` laid over it.
///
/// Each file is read once. Nothing is contacted, and no secret is read. Whatever is wrong is among the diagnostics.
#[must_use]
pub fn load(path: &Path, overlays: &[PathBuf]) -> Loaded {
    load_with(path, overlays, LinkScope::Anywhere)
}

/// [`load`], which follows links of `path` and `overlays` as far as `links` says.
#[must_use]
pub fn load_with(path: &Path, overlays: &[PathBuf], links: LinkScope) -> Loaded {
    read(path, overlays, links, None)
}

/// Reads a manifest of the copy of a revision. No link leads out of its folder.
#[must_use]
pub fn load_checkout(checkout: &Checkout) -> Loaded {
    let Checkout {
        manifest, overlays, ..
    } = checkout;
    read(
        manifest,
        overlays,
        LinkScope::OwnFolder,
        Some(&checkout.origin),
    )
}

fn read(
    path: &Path,
    overlays: &[PathBuf],
    links: LinkScope,
    origin: Option<&files::Origin>,
) -> Loaded {
    let mut sources = Sources::default();
    let folder = files::folder_of(path);
    let reader = files::Reader::new(&folder, links).of(origin);
    let shown_folder = reader.label(&folder);
    let (manifest, mut known) = read_manifest(path, overlays, &reader, &mut sources);
    if diagnostic::widest(&known) == Some(Scope::Version) {
        // A manifest for another `murder` may hold what this one does not understand: nothing else is judged.
        return Loaded::unread(sources, known, folder, shown_folder);
    }
    let own = reader.module_files(&mut known);
    let shipped = module::embedded();
    let own_folder = shown_folder.join("modules").display().to_string();
    let mut library = Library::new(&shipped, &own, &own_folder, &mut sources);
    let named = manifest.as_ref().map(Manifest::roles);
    library.read(
        |role| named.as_ref().is_none_or(|named| named.contains(role)),
        &mut sources,
    );
    // With a text missing, every reference into it would look wrong.
    let manifest = manifest.filter(|_| diagnostic::widest(&known) < Some(Scope::Text));
    let templates = match &manifest {
        Some(manifest) => templates(manifest, &reader, &mut known),
        None => BTreeMap::new(),
    };
    let input = Input {
        manifest: manifest.as_ref(),
        templates: &templates,
        folder: &folder,
        known,
    };
    let (mut diagnostics, murder) = input.meaning(&mut library, &mut sources);
    let modules = library.into_modules();
    tidy(&mut diagnostics);
    Loaded {
        sources,
        murder,
        modules,
        diagnostics,
        folder,
        shown_folder,
        manifest,
        files: reader.files(),
    }
}

/// Reads and parses the files of the manifest and the overlays. Secrets in them are masked in `sources` after that.
fn read_manifest(
    path: &Path,
    overlays: &[PathBuf],
    reader: &files::Reader,
    sources: &mut Sources,
) -> (Option<Manifest>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let named = |path: &Path| (reader.label(path), reader.named(path));
    let texts = if path.is_dir() {
        let names = reader.manifest_files(overlays, &mut problems);
        let read = |path: &Path| (reader.shown(path), reader.inside(path));
        read_all(&names, read, sources, &mut problems)
    } else {
        read_all(&[path.to_owned()], named, sources, &mut problems)
    };
    let overlays = read_all(overlays, named, sources, &mut problems);
    for problem in &mut problems {
        problem.scope = Scope::Text;
    }
    let parsed = manifest::parse(&borrowed(&texts), &borrowed(&overlays));
    sources.mask(&parsed.secrets);
    if diagnostic::widest(&parsed.problems) == Some(Scope::Version) {
        return (None, parsed.problems);
    }
    problems.extend(parsed.problems);
    (parsed.manifest, problems)
}

/// What a manifest is judged by, beside the modules.
struct Input<'a> {
    /// None where a text is missing.
    manifest: Option<&'a Manifest>,
    templates: &'a BTreeMap<String, String>,
    folder: &'a Path,
    /// What was wrong with the files.
    known: Vec<Diagnostic>,
}

impl Input<'_> {
    /// Resolves the manifest with the modules that were read. Gives all that is wrong so far, and the meaning.
    fn judge(&self, library: &mut Library<'_>) -> (Vec<Diagnostic>, Option<Meaning>) {
        let mut diagnostics = self.known.clone();
        diagnostics.extend(library.problems());
        let Some(manifest) = self.manifest else {
            return (diagnostics, None);
        };
        let context = model::Context {
            roles: &roles(library.modules(), library.unusable()),
            templates: self.templates,
            folder: self.folder,
        };
        let resolved = model::resolve(manifest, &context);
        diagnostics.extend(resolved.problems);
        (diagnostics, Some(resolved.meaning))
    }

    /// All that is wrong, and what the manifest means where nothing is.
    fn meaning(
        &self,
        library: &mut Library<'_>,
        sources: &mut Sources,
    ) -> (Vec<Diagnostic>, Option<Murder>) {
        let (mut diagnostics, mut meaning) = self.judge(library);
        if diagnostic::widest(&diagnostics).is_some() {
            // The hints of an error name what there is, and not only what the manifest uses.
            library.read(|_| true, sources);
            (diagnostics, meaning) = self.judge(library);
        }
        match (diagnostic::widest(&diagnostics), meaning) {
            (None, Some(Meaning::Whole(murder))) => (diagnostics, Some(murder)),
            (scope, meaning) => {
                let more = further(scope, meaning, library.modules(), &diagnostics);
                diagnostics.extend(more);
                (diagnostics, None)
            }
        }
    }
}

/// What else there is to say of a wrong manifest. The widest scope of its errors decides: where each is of one value,
/// the rest is compiled as a whole; else each value is judged by itself, or much would be said that is only a
/// consequence.
fn further(
    scope: Option<Scope>,
    meaning: Option<Meaning>,
    modules: &Modules,
    known: &[Diagnostic],
) -> Vec<Diagnostic> {
    let hosts = match (scope, meaning) {
        (_, None) => return Vec::new(),
        (Some(Scope::Value), Some(Meaning::Whole(murder) | Meaning::WithoutFaults(murder))) => {
            let said: BTreeSet<Span> = known.iter().filter_map(place).collect();
            let mut more = compile::problems(&murder, modules);
            // A value that is wrong already would only be wrong in other words.
            more.retain(|problem| place(problem).is_none_or(|span| !said.contains(&span)));
            return more;
        }
        (_, Some(Meaning::Hosts(hosts))) => hosts,
        (_, Some(Meaning::Whole(murder) | Meaning::WithoutFaults(murder))) => {
            murder.hosts.into_values().collect()
        }
    };
    hosts
        .iter()
        .flat_map(|host| compile::value_problems(host, modules))
        .collect()
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
    read: impl Fn(&Path) -> (PathBuf, Result<String, Diagnostic>),
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(SourceId, Arc<str>)> {
    let mut texts = Vec::new();
    for path in paths {
        let (shown, text) = read(path);
        match text {
            Ok(text) => {
                let text: Arc<str> = text.into();
                texts.push((sources.add(shown.display().to_string(), text.clone()), text));
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
    reader: &files::Reader,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let mut templates = BTreeMap::new();
    for (name, at) in manifest.templates() {
        match reader.inside(Path::new(name)) {
            Ok(text) => {
                templates.insert(name.to_owned(), text);
            }
            Err(problem) => diagnostics.push(problem.scope(Scope::Value).at(at, "named here")),
        }
    }
    templates
}

/// What resolving must know of the modules.
#[must_use]
pub fn roles(modules: &Modules, unusable: &BTreeSet<RoleName>) -> BTreeMap<RoleName, Role> {
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
        unusable: false,
    };
    let unusable = unusable.iter().map(|name| {
        let role = Role {
            unusable: true,
            ..Role::default()
        };
        (name.clone(), role)
    });
    modules
        .0
        .iter()
        .map(|(name, module)| (name.clone(), role(module)))
        .chain(unusable)
        .collect()
}
