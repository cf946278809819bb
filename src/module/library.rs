//! The files of all modules, and the modules that were read of them: which files count, and what is wrong between
//! modules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Engine, Module, ModuleFile, Modules, Template, parameters, read};
use crate::diagnostic::{Diagnostic, Scope, Sources, Span};
use crate::name::RoleName;

/// The folder of the templates that all modules may use.
const SHARED: &str = "templates";

/// The files of modules, of which each module is read once, when it is wanted.
///
/// A file of one's own replaces the shipped one of its name whole: that is how a `modules/` folder beside the manifest
/// lies over the [`embedded`](super::embedded) files.
#[derive(Debug)]
pub struct Library<'f> {
    /// Every file that counts, by its name.
    files: BTreeMap<&'f str, &'f str>,
    /// Which of them are one's own.
    own_names: BTreeSet<&'f str>,
    /// Where the own files are, for messages.
    own_folder: String,
    /// The templates that all modules may use, by name.
    shared: BTreeMap<String, Template>,
    /// The folders of the modules that were read, the wrong ones too.
    seen: BTreeSet<&'f str>,
    modules: Modules,
    unusable: BTreeSet<RoleName>,
    /// What is wrong with modules by themselves.
    problems: Vec<Diagnostic>,
    /// What is wrong with the templates of one's own modules, once they were parsed: all are read at the first reading.
    of_templates: Option<Vec<Diagnostic>>,
}

/// What was read of the files of modules.
#[derive(Debug)]
pub struct ParsedModules {
    /// The modules that could be read.
    pub modules: Modules,
    /// Roles that have a module, which is wrong: what they know and do is not known.
    pub unusable: BTreeSet<RoleName>,
    /// Every problem of every module that was read.
    pub problems: Vec<Diagnostic>,
}

/// Reads the modules of one's own, and of the shipped ones those whose role is `wanted`, with those that they come
/// after.
pub fn parse(
    shipped: &[ModuleFile],
    own: &[ModuleFile],
    own_folder: &str,
    wanted: impl Fn(&str) -> bool,
    sources: &mut Sources,
) -> ParsedModules {
    let mut library = Library::new(shipped, own, own_folder, sources);
    library.read(wanted, sources);
    let problems = library.problems();
    ParsedModules {
        modules: library.modules,
        unusable: library.unusable,
        problems,
    }
}

impl<'f> Library<'f> {
    /// The files of modules. Nothing is read yet but the templates that all share.
    pub fn new(
        shipped: &'f [ModuleFile],
        own: &'f [ModuleFile],
        own_folder: &str,
        sources: &mut Sources,
    ) -> Self {
        let (files, own_names) = laid_over(shipped, own);
        let mut library = Self {
            files,
            own_names,
            own_folder: own_folder.to_owned(),
            shared: BTreeMap::new(),
            seen: BTreeSet::new(),
            modules: Modules::default(),
            unusable: BTreeSet::new(),
            problems: Vec::new(),
            of_templates: None,
        };
        library.shared = library.templates(SHARED, sources);
        library
    }

    /// The modules that could be read so far.
    #[must_use]
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// The modules that could be read.
    #[must_use]
    pub fn into_modules(self) -> Modules {
        self.modules
    }

    /// Roles that have a module, which is wrong.
    #[must_use]
    pub fn unusable(&self) -> &BTreeSet<RoleName> {
        &self.unusable
    }

    /// Reads every module with a file of one's own, those of the shipped ones whose role is `wanted`, and those that
    /// any of them comes after. A module that was read before stays as it is.
    pub fn read(&mut self, wanted: impl Fn(&str) -> bool, sources: &mut Sources) {
        let folders: Vec<&'f str> = self
            .files
            .keys()
            .filter_map(|name| name.strip_suffix("/module.yaml"))
            .collect();
        for folder in &folders {
            if self.is_own(folder) || wanted(folder) {
                self.read_module(folder, sources);
            }
        }
        // The order of roles is known only with those in between: `after` leads from module to module.
        loop {
            let after = self.modules.0.values().flat_map(|module| &module.after);
            let after: BTreeSet<&str> = after.map(RoleName::as_str).collect();
            let next: Vec<&'f str> = folders
                .iter()
                .copied()
                .filter(|folder| after.contains(folder) && !self.seen.contains(folder))
                .collect();
            if next.is_empty() {
                return;
            }
            for folder in next {
                self.read_module(folder, sources);
            }
        }
    }

    /// Everything that is wrong with the modules that were read: each by itself, and between them. A shipped module
    /// by itself has no problems.
    #[must_use]
    pub fn problems(&mut self) -> Vec<Diagnostic> {
        let mut problems = self.problems.clone();
        check_after(&self.modules, &self.unusable, &mut problems);
        let before = problems.len();
        parameters::check(self.own_modules(), &self.modules, &mut problems);
        for problem in problems.iter_mut().skip(before) {
            problem.scope = Scope::Value;
        }
        if self.of_templates.is_none() {
            let (_, found) = Engine::new(self.own_modules(), "/etc/postfix");
            self.of_templates = Some(found);
        }
        problems.extend(self.of_templates.iter().flatten().cloned());
        problems
    }

    fn own_modules(&self) -> impl Iterator<Item = &Module> {
        let modules = self.modules.0.values();
        modules.filter(|module| self.is_own(module.role.as_str()))
    }

    /// Whether a file of one's own may make a module wrong: one in its folder, or a template that all share.
    fn is_own(&self, folder: &str) -> bool {
        self.own_names.iter().any(|name| {
            let of = name.split_once('/').map(|(of, _)| of);
            of == Some(folder) || of == Some(SHARED)
        })
    }

    fn read_module(&mut self, folder: &'f str, sources: &mut Sources) {
        if !self.seen.insert(folder) {
            return;
        }
        let role = match RoleName::new(folder) {
            Ok(role) => role,
            Err(error) => {
                self.problems.push(
                    Diagnostic::error(error.to_string())
                        .hint("give the folder the name of the module's role, such as `backend`"),
                );
                return;
            }
        };
        let name = format!("{folder}/module.yaml");
        let Some(text) = self.files.get(name.as_str()).copied() else {
            return;
        };
        let mut templates = self.shared.clone();
        templates.extend(self.templates(folder, sources));
        let source = sources.add(self.place(&name), text);
        match read::module(role.clone(), source, text, templates) {
            Ok(module) => {
                self.modules.0.insert(role, module);
            }
            Err(found) => {
                // A fault of a module's form is of all hosts with its role: nothing is known of it.
                let found = found.into_iter().map(|one| one.scope(Scope::Manifest));
                self.problems.extend(found);
                self.unusable.insert(role);
            }
        }
    }

    /// The templates of one folder: `role/x.tera` is the file `role/templates/x.tera`, and `templates/x.tera` is the
    /// shared one itself.
    fn templates(&self, folder: &str, sources: &mut Sources) -> BTreeMap<String, Template> {
        let mut templates = BTreeMap::new();
        for (name, text) in &self.files {
            let Some(rest) = name
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/'))
            else {
                continue;
            };
            let short = match folder {
                SHARED => Some(rest),
                _ => rest.strip_prefix("templates/"),
            };
            let Some(short) = short.filter(|short| short.ends_with(".tera")) else {
                continue;
            };
            let text: Arc<str> = Arc::from(*text);
            let template = Template {
                source: sources.add(self.place(name), text.clone()),
                text,
            };
            templates.insert(format!("{folder}/{short}"), template);
        }
        templates
    }

    /// Where a file is, for messages.
    fn place(&self, name: &str) -> String {
        if self.own_names.contains(name) {
            format!("{}/{name}", self.own_folder)
        } else {
            format!("built-in modules/{name}")
        }
    }
}

/// The files of all modules by their names, and which of them are own ones. Where a `module.yaml` is an own one, the
/// shipped templates of its role are there only if something names them: the others belong to what it replaces.
fn laid_over<'f>(
    shipped: &'f [ModuleFile],
    own: &'f [ModuleFile],
) -> (BTreeMap<&'f str, &'f str>, BTreeSet<&'f str>) {
    let own_names: BTreeSet<&str> = own.iter().map(|(name, _)| &**name).collect();
    let mut files: BTreeMap<&str, &str> = shipped
        .iter()
        .chain(own)
        .map(|(name, text)| (&**name, &**text))
        .collect();
    loop {
        let unnamed: Vec<&str> = files
            .keys()
            .filter(|name| {
                let Some((folder, file)) = name.split_once("/templates/") else {
                    return false;
                };
                let replaced = own_names.contains(format!("{folder}/module.yaml").as_str());
                let named = |(other, text): (&&str, &&str)| {
                    other != *name
                        && other.starts_with(&format!("{folder}/"))
                        && text.contains(file)
                };
                replaced && !own_names.contains(*name) && !files.iter().any(named)
            })
            .copied()
            .collect();
        if unnamed.is_empty() {
            return (files, own_names);
        }
        files.retain(|name, _| !unnamed.contains(name));
    }
}

/// Roles that a module comes after must exist and must not come after it in turn.
fn check_after(modules: &Modules, unusable: &BTreeSet<RoleName>, problems: &mut Vec<Diagnostic>) {
    for module in modules.0.values() {
        let start = Span {
            source: module.source,
            start: 0,
            end: 0,
        };
        for before in &module.after {
            if !modules.0.contains_key(before) && !unusable.contains(before) {
                problems.push(
                    Diagnostic::error(format!(
                        "module `{}` comes after `{before}`, which is not a module",
                        module.role
                    ))
                    .at(start, "")
                    .hint("name a role that has a folder in `modules/`, or remove it"),
                );
            }
        }
        let mut seen: BTreeSet<&RoleName> = BTreeSet::new();
        let mut open: Vec<&RoleName> = module.after.iter().collect();
        while let Some(role) = open.pop() {
            if *role == module.role {
                problems.push(
                    Diagnostic::error(format!("module `{role}` comes after itself"))
                        .at(start, "")
                        .hint("remove one `after:` of the circle"),
                );
                break;
            }
            if seen.insert(role) {
                open.extend(modules.0.get(role).into_iter().flat_map(|next| &next.after));
            }
        }
    }
}
