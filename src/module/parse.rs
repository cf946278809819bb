//! From the files of modules to [`Modules`]: which files count, and what is wrong between modules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Engine, ModuleFile, Modules, Template, parameters, read};
use crate::diagnostic::{Diagnostic, Sources, Span};
use crate::manifest::module_form;
use crate::name::RoleName;

/// What [`parse`] found.
#[derive(Debug)]
pub struct Parsed {
    /// The modules that could be read.
    pub modules: Modules,
    /// Roles that have a module, which is wrong: nobody can say what they know or do.
    pub unread: BTreeSet<RoleName>,
    /// Every problem of every module that was read.
    pub problems: Vec<Diagnostic>,
    /// How many of them touch nothing else: misspelt names of parameters.
    pub local: usize,
}

/// Reads modules from their files.
///
/// A file of `own` replaces the `shipped` one of its name whole: that is how a `modules/` folder beside
/// the manifest lies over the [`embedded`] files. Every module with a file of `own` is read, and of the others
/// those whose role `wanted` says yes to: a shipped one by itself has no problems. Every problem is reported.
/// `own_folder` is where the files of `own` stand, for messages.
pub fn parse(
    shipped: &[ModuleFile],
    own: &[ModuleFile],
    own_folder: &str,
    wanted: impl Fn(&str) -> bool,
    sources: &mut Sources,
) -> Parsed {
    let (files, own_names) = overlaid(shipped, own);
    let place = |name: &str| {
        if own_names.contains(name) {
            format!("{own_folder}/{name}")
        } else {
            format!("built-in modules/{name}")
        }
    };
    let folder = |name: &'_ str| name.split_once('/').map(|(folder, _)| folder.to_owned());
    let owned: BTreeSet<String> = own.iter().filter_map(|(name, _)| folder(name)).collect();
    // What all share may make any of them wrong.
    let all = owned.contains(SHARED);
    let is_own = |folder: &str| all || owned.contains(folder);
    let mut problems = Vec::new();
    let mut shared = BTreeMap::new();
    let mut templates: BTreeMap<&str, BTreeMap<String, Template>> = BTreeMap::new();
    for (name, text) in &files {
        let Some((folder, rest)) = name.split_once('/') else {
            continue;
        };
        if !rest.ends_with(".tera") || !(folder == SHARED || is_own(folder) || wanted(folder)) {
            continue;
        }
        let text: Arc<str> = Arc::from(*text);
        let template = Template {
            source: sources.add(place(name), text.clone()),
            text,
        };
        if folder == SHARED {
            shared.insert((*name).to_owned(), template);
        } else if let Some(short) = rest.strip_prefix("templates/") {
            templates
                .entry(folder)
                .or_default()
                .insert(format!("{folder}/{short}"), template);
        }
    }
    let mut modules = Modules::default();
    let mut unread = BTreeSet::new();
    for (name, text) in &files {
        let Some(folder) = name.strip_suffix("/module.yaml") else {
            continue;
        };
        let role = match RoleName::new(folder) {
            Ok(role) => role,
            Err(error) => {
                problems.push(
                    Diagnostic::error(error.to_string())
                        .hint("the folder of a module has its role's name, such as `backend`"),
                );
                continue;
            }
        };
        if !is_own(folder) && !wanted(folder) {
            continue;
        }
        let source = sources.add(place(name), *text);
        let mut all = shared.clone();
        all.extend(templates.remove(folder).unwrap_or_default());
        // A shipped one has the right form, and the reader stops at the first fault.
        let faults = if own_names.contains(name) {
            module_form::problems(source, text)
        } else {
            Vec::new()
        };
        let read = if faults.is_empty() {
            read::module(role.clone(), source, text, all)
        } else {
            Err(faults)
        };
        match read {
            Ok(module) => {
                modules.0.insert(role, module);
            }
            Err(found) => {
                problems.extend(found);
                unread.insert(role);
            }
        }
    }
    check_after(&modules, &unread, &mut problems);
    let owned = modules
        .0
        .values()
        .filter(|module| is_own(module.role.as_str()));
    let before = problems.len();
    parameters::check(owned, &modules, &mut problems);
    let local = problems.len() - before;
    let own = modules.0.values();
    let (_, found) = Engine::new(own.filter(|module| is_own(module.role.as_str())));
    problems.extend(found);
    Parsed {
        modules,
        unread,
        problems,
        local,
    }
}

/// The files of all modules by their names, and which of them are own ones. Where a `module.yaml` is an own one, the
/// shipped templates of its role are there only if something names them: the others belong to what it replaces.
fn overlaid<'f>(
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

/// The folder of the templates that all modules may use.
const SHARED: &str = "templates";

/// Roles that a module comes after must exist and must not come after it in turn.
fn check_after(modules: &Modules, unread: &BTreeSet<RoleName>, problems: &mut Vec<Diagnostic>) {
    for module in modules.0.values() {
        let start = Span {
            source: module.source,
            start: 0,
            end: 0,
        };
        for before in &module.after {
            if !modules.0.contains_key(before) && !unread.contains(before) {
                problems.push(
                    Diagnostic::error(format!(
                        "module `{}` comes after `{before}`, which is no module",
                        module.role
                    ))
                    .at(start, "")
                    .hint("name a role that has a folder in `modules/`, or leave it out"),
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
                        .hint("break the circle of `after:`"),
                );
                break;
            }
            if seen.insert(role) {
                open.extend(modules.0.get(role).into_iter().flat_map(|next| &next.after));
            }
        }
    }
}
