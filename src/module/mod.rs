//! A role's module: the data under `modules/<role>/` that says what a host with that role must have.
//!
//! Rust names no role. What the program must know of a role, the module says: which roles come
//! before it (`after`), whether a murder has one at most, and what it can do (`provides`).

mod embedded;
mod engine;
mod filters;
mod names;
mod parameters;
mod read;
mod tera_errors;
mod uses;
mod word;
mod yaml_errors;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceId, Sources, Span};
use crate::manifest::module_form;
use crate::model::{FileSpec, Layer, ServiceSpec, SettingSpec};
use crate::name::{Parameter, RemotePath, RoleName, ServiceName};
use crate::state::Note;
use crate::thing::Thing;

pub use embedded::embedded;
pub use engine::Engine;
pub(crate) use engine::{check_names, value_name, when_name};
pub(crate) use filters::network;
pub use names::{FACTS, HOST, LDAP, MURDER};
pub use word::Word;

/// Every module of a run, by role.
#[derive(Debug, Clone, Default)]
pub struct Modules(pub BTreeMap<RoleName, Module>);

/// One module, parsed and checked by itself (its templates are rendered by `compile`).
#[derive(Debug, Clone)]
pub struct Module {
    /// The role it is for.
    pub role: RoleName,
    /// One line for people.
    pub summary: String,
    /// Where it was read.
    pub source: SourceId,
    /// Roles whose additions go before this one's.
    pub after: Vec<RoleName>,
    /// What a host with this role can do for others: `mailboxes`, `smart-host`, `edge`, …
    pub provides: BTreeSet<String>,
    /// Whether a murder has one host with this role at most.
    pub at_most_one: bool,
    /// Which of the murder-wide probe addresses a host with this role is asked.
    pub probes: BTreeSet<ProbeKind>,
    /// Its variables.
    pub vars: BTreeMap<String, Variable>,
    /// main.cf parameters; values are Tera templates.
    pub settings: BTreeMap<Parameter, Layer<SettingSpec>>,
    /// master.cf entries; values are Tera templates.
    pub services: BTreeMap<ServiceName, Layer<ServiceSpec>>,
    /// Whole files; content is a Tera template.
    pub files: BTreeMap<RemotePath, Layer<FileSpec>>,
    /// Files that stand once for each directory of the host (`per:`).
    pub per: BTreeMap<RemotePath, Per>,
    /// For any thing above: a Tera expression; where it is false, the thing is not named.
    pub when: BTreeMap<Thing, Layer<String>>,
    /// What a plan says where a value changes in a way that people should look at twice.
    pub notes: BTreeMap<Thing, Note>,
    /// What the module has to say about a host, beside its things.
    pub checks: Vec<Check>,
    /// Its templates, and those that all modules share, by name (`backend/transport.tera`).
    pub templates: BTreeMap<String, Template>,
}

/// The text of one template file.
#[derive(Debug, Clone)]
pub struct Template {
    /// Where it was read.
    pub source: SourceId,
    /// Its text.
    pub text: Arc<str>,
}

/// Which kind of probe (`state::Probes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// Addresses that must be accepted.
    Accept,
    /// Addresses that must be refused.
    Refuse,
}

/// What a file with `per:` stands for, once each. The first directory's file has the plain path,
/// the others have the directory's suffix before `.cf`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// For each search base, with the mail domains under it.
    Directories,
    /// For each domain that has other names (`alias_of`).
    AliasDirectories,
}

/// Something a module says about a host.
#[derive(Debug, Clone)]
pub struct Check {
    /// Whether it stops the run.
    pub error: bool,
    /// The parameter that it is about: not said where that one is set or left alone.
    pub about: Option<Parameter>,
    /// A Tera expression: said where it is true.
    pub when: Layer<String>,
    /// The summary, a Tera template.
    pub text: Layer<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// One variable of a module.
#[derive(Debug, Clone)]
pub struct Variable {
    /// What it may hold.
    pub kind: VariableKind,
    /// What its texts are: the text, the members of the list, or the values of the map.
    pub of: Option<Word>,
    /// What the keys of the map are.
    pub keys: Option<Word>,
    /// What it holds where nobody says otherwise.
    pub default: serde_json::Value,
    /// One or more sentences for people.
    pub doc: String,
    /// Where it is declared.
    pub at: Span,
}

/// The kinds of a module's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableKind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Text of one line.
    String,
    /// A list of texts.
    List,
    /// A map of texts.
    Map,
    /// One of these words.
    OneOf(Vec<String>),
}

impl VariableKind {
    /// What is wanted, with its article, for messages.
    #[must_use]
    pub fn wanted(&self) -> String {
        match self {
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::String => "a text of one line".to_owned(),
            Self::List => "a list of texts".to_owned(),
            Self::Map => "a map of texts".to_owned(),
            Self::OneOf(words) => format!("one of `{}`", words.join("`, `")),
        }
    }

    /// What to write instead of something else.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Bool => "write `true` or `false`, without quotes".to_owned(),
            Self::Integer => "write a whole number in plain digits, without quotes".to_owned(),
            Self::String => "write a text of one line".to_owned(),
            Self::List => "write a list of texts, as in `[a, b]`".to_owned(),
            Self::Map => "write a map of texts, as in `{a: b}`".to_owned(),
            Self::OneOf(words) => format!("write one of `{}`", words.join("`, `")),
        }
    }

    /// Whether `value` is of this kind.
    #[must_use]
    pub fn admits(&self, value: &serde_json::Value) -> bool {
        let line = |value: &serde_json::Value| {
            value
                .as_str()
                .is_some_and(|text| !text.contains(['\n', '\r']))
        };
        match self {
            Self::Bool => value.is_boolean(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::String => line(value),
            Self::List => value.as_array().is_some_and(|items| items.iter().all(line)),
            Self::Map => value.as_object().is_some_and(|map| map.values().all(line)),
            Self::OneOf(words) => value
                .as_str()
                .is_some_and(|text| words.iter().any(|word| word == text)),
        }
    }
}

/// A file of a module, `role/module.yaml` or `role/templates/x.tera`, or of all, `templates/x.tera`, and its text.
pub type ModuleFile = (Cow<'static, str>, Cow<'static, str>);

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
