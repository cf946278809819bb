//! What came of an import: a row for each host, the files of the manifest, and what is not as it could be.

use std::collections::BTreeMap;
use std::path::Path;

use super::advice;
use super::advice_row::Advice;
use super::assembly::Assembly;
use super::compiled::Shipped;
use super::look;
use super::proof::prove;
use super::seen::SeenHost;
use super::targets::Login;
use super::write::ManifestFolder;
use super::yaml::WIDTH;
use super::{layers, origins, places, variables};
use crate::manifest::range;
use crate::name::{HostName, RoleName};
use crate::visible::visible;

/// From so many hosts on, the manifest is a folder of two files.
const MANY_HOSTS: usize = 30;

/// What is said of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostRow {
    /// Its roles.
    pub roles: Vec<String>,
    /// Why.
    pub reasons: Vec<String>,
    /// What the next plan does there beside taking over; nothing if all is well.
    pub pending: Vec<String>,
    /// What is not managed, with the reason.
    pub not_managed: Vec<(String, String)>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// An import.
#[derive(Debug)]
pub struct Imported {
    /// The name of the murder.
    pub murder: String,
    /// The rows.
    pub hosts: BTreeMap<HostName, HostRow>,
    /// The manifest and the files beside it.
    pub folder: ManifestFolder,
    /// What a module would do in another way, the worst first, with the hosts.
    pub advice: Vec<(Advice, Vec<HostName>)>,
}

/// Makes a manifest of hosts. `given` are roles that the user gives, and `wide` is how hosts are
/// reached that say nothing else. Where no manifest could be made the rows say why.
#[must_use]
pub fn import(
    hosts: &[SeenHost],
    given: &BTreeMap<HostName, Vec<RoleName>>,
    wide: &Login,
) -> Imported {
    let shipped = Shipped::read();
    let mut assembly = Assembly::new(hosts, &shipped, given, wide);
    variables::choose(&mut assembly);
    assembly.settle();
    places::suppose(&mut assembly.draft);
    layers::hoist(&mut assembly);
    places::drop_idle(&mut assembly.draft);
    // A host that has not what a wider layer says now needs a word of its own.
    assembly.settle();
    origins::comment(&mut assembly);
    let murder = assembly.compiling();
    let mut rows = rows(&assembly);
    if let Some(murder) = &murder {
        for (host, pending) in prove(&assembly, murder) {
            rows.entry(host).or_default().pending = pending;
        }
    }
    let advice = advice::of(&assembly);
    let mut folder = folder(&mut assembly);
    if !advice.is_empty() {
        let text = recommended(&advice);
        folder.texts.push(("RECOMMENDED.md".to_owned(), text));
    }
    Imported {
        murder: assembly.draft.murder.clone(),
        hosts: rows,
        folder,
        advice,
    }
}

fn rows(assembly: &Assembly<'_>) -> BTreeMap<HostName, HostRow> {
    let mut rows = BTreeMap::new();
    for host in assembly.hosts {
        let draft = assembly.draft.hosts.get(&host.name);
        let roles = draft.map(|draft| draft.roles.iter().map(ToString::to_string).collect());
        let recognized = assembly.recognized.get(&host.name);
        let mut notes = assembly.notes.get(&host.name).cloned().unwrap_or_default();
        notes.extend(look::doubts(host));
        notes.extend(look::other_tools(host));
        let not_managed = assembly.not_managed.get(&host.name);
        let row = HostRow {
            roles: roles.unwrap_or_default(),
            reasons: recognized
                .map(|one| one.reasons.clone())
                .unwrap_or_default(),
            pending: Vec::new(),
            not_managed: not_managed
                .into_iter()
                .flatten()
                .map(|one| (one.thing.clone(), one.why.clone()))
                .collect(),
            notes,
        };
        rows.insert(host.name.clone(), row);
    }
    rows
}

fn folder(assembly: &mut Assembly<'_>) -> ManifestFolder {
    let (top, hosts) = assembly.draft.texts(WIDTH);
    let mut texts = match assembly.draft.hosts.len() < MANY_HOSTS {
        true => vec![("murder.yaml".to_owned(), format!("{top}\n{hosts}"))],
        false => vec![
            ("murder.yaml".to_owned(), top),
            ("hosts.yaml".to_owned(), hosts),
        ],
    };
    // What no word of the manifest names any more is left out.
    let named = |path: &str| texts.iter().any(|(_, text)| text.contains(path));
    let templates: Vec<(String, String)> = assembly
        .files
        .templates
        .iter()
        .filter(|(path, _)| named(path))
        .map(|(path, text)| (path.clone(), text.clone()))
        .collect();
    let secrets: Vec<_> = assembly
        .files
        .secrets
        .iter()
        .filter(|(path, _)| named(path))
        .map(|(path, secret)| (path.clone(), secret.clone()))
        .collect();
    texts.extend(templates);
    texts.push((".gitignore".to_owned(), "/secrets/\n".to_owned()));
    ManifestFolder { texts, secrets }
}

/// The table of what the modules would do in another way, as a page.
fn recommended(advice: &[(Advice, Vec<HostName>)]) -> String {
    let mut text = "# What the modules would do in another way\n\n\
        The import kept all of this as it is. The worst comes first. To take one over, do what the last column says, look at \
        `murder plan`, and apply.\n\n\
        | hosts | yours | recommended | why | the line that takes it over |\n|---|---|---|---|---|\n"
        .to_owned();
    for (row, hosts) in advice {
        let hosts = range::compact(hosts).join(", ");
        let cells = [&hosts, &row.yours, &row.recommended, &row.why, &row.line];
        let cells = cells.map(|text| cell(text));
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text
}

/// A text of a host in a table of Markdown, in which nothing of it is markup.
fn cell(text: &str) -> String {
    let mut shown = String::new();
    for c in visible(text).chars() {
        if "\\`*_[]<>!|#~@&".contains(c) {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown
}

/// The shown path of a folder for a command that can be copied.
#[must_use]
pub fn shown(folder: &Path) -> String {
    let text = folder.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    match text.chars().all(plain) && !text.is_empty() {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
