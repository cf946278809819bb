//! Files that users other than root can exchange, and links: a plan must not write where such a user points it.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::RemotePath;
use crate::service::Service;
use crate::state::{ExposingDirectory, Live, Remark};
use crate::thing::Thing;

use super::super::{Refusal, RefusalKind, Step};

/// What there is to say of them.
#[derive(Debug, Default)]
pub(super) struct Exposed {
    pub refusals: Vec<Refusal>,
    pub remarks: Vec<Remark>,
}

/// Refuses steps on files that users other than root can exchange, and remarks on such files that no step touches, and
/// on a main.cf or master.cf that is a link and changes.
pub(super) fn judge(live: &Live, steps: &[Step]) -> Exposed {
    let touched: BTreeSet<RemotePath> = steps.iter().filter_map(touched).collect();
    let mut found = Exposed::default();
    for (path, reached) in &live.configuration_links {
        if touched.contains(path) {
            found.remarks.push(Remark {
                text: format!("`{path}` is a link: this plan changes `{reached}`"),
                hint: None,
            });
        }
    }
    // One directory may expose many files.
    let mut directories: BTreeMap<&str, (&ExposingDirectory, Vec<&RemotePath>)> = BTreeMap::new();
    for (path, directory) in &live.exposed {
        let known = directories.entry(&directory.path);
        known.or_insert((directory, Vec::new())).1.push(path);
    }
    for (directory, paths) in directories.into_values() {
        let (written, kept): (Vec<_>, Vec<_>) =
            paths.into_iter().partition(|path| touched.contains(*path));
        if let Some(summary) = exposes(directory, &written) {
            found.refusals.push(Refusal {
                summary: format!("{summary}; let only root own and write that directory"),
                kind: RefusalKind::ExposedFile,
            });
        } else if is_below_service(live, directory) {
            // The observation has said so, whatever is in it.
        } else if let Some(text) = exposes(directory, &kept) {
            found.remarks.push(Remark {
                text,
                hint: Some(
                    "let only root own and write that directory: until then, no plan changes these files"
                        .to_owned(),
                ),
            });
        }
    }
    found
}

/// `users other than root can write the directory …, and exchange …`.
fn exposes(directory: &ExposingDirectory, paths: &[&RemotePath]) -> Option<String> {
    let first = paths.first()?;
    let more = match paths.len() {
        1 => String::new(),
        2 => " and 1 more file".to_owned(),
        count => format!(" and {} more files", count - 1),
    };
    Some(format!(
        "users other than root can write the directory {directory}, and so exchange `{first}`{more} for a link"
    ))
}

fn is_below_service(live: &Live, directory: &ExposingDirectory) -> bool {
    live.services.keys().any(|service| {
        let below = directory.path.strip_prefix(&service.folder());
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The file that a step writes or deletes.
fn touched(step: &Step) -> Option<RemotePath> {
    match step {
        Step::File { path, .. } | Step::Delete { path, .. } => Some(path.clone()),
        Step::Index { source, .. } => Some(source.clone()),
        Step::Value { service, thing, .. } => configuration(service, thing),
        _ => None,
    }
}

/// The file in which a value is.
fn configuration(service: &Service, thing: &Thing) -> Option<RemotePath> {
    let name = match thing {
        Thing::Parameter(_) => "main.cf",
        Thing::Service(_) | Thing::Field(..) | Thing::Option(..) => "master.cf",
        Thing::File(path) => return Some(path.clone()),
    };
    RemotePath::new(format!("{}/{name}", service.folder())).ok()
}
