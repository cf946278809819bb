//! Several files beside each other as one manifest: nothing may be said twice.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::manifest::node::{Kind, MapEntry, Node};

/// Joins the files of a folder.
///
/// A section that is a map (`hosts`, `sites`, `ldap`) may be spread over files; each of its
/// keys is still in one file only.
pub fn join(files: Vec<Node>, problems: &mut Vec<Diagnostic>) -> Option<Node> {
    let mut files = files.into_iter();
    let mut whole = files.next()?;
    for file in files {
        // `parse` hands over maps only.
        if let (Kind::Map(into), Kind::Map(from)) = (&mut whole.kind, file.kind) {
            for entry in from {
                add(into, entry, problems);
            }
        }
    }
    Some(whole)
}

fn add(into: &mut Vec<MapEntry>, entry: MapEntry, problems: &mut Vec<Diagnostic>) {
    let Some(known) = into.iter_mut().find(|known| known.key == entry.key) else {
        into.push(entry);
        return;
    };
    match (&mut known.value.kind, entry.value.kind) {
        (Kind::Map(into), Kind::Map(from)) => {
            let mut seen: HashMap<String, usize> = into
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.key.clone(), at))
                .collect();
            for entry in from {
                if let Some(at) = seen.get(&entry.key) {
                    problems.push(twice(&into[*at], &entry));
                } else {
                    seen.insert(entry.key.clone(), into.len());
                    into.push(entry);
                }
            }
        }
        (_, kind) => {
            let entry = MapEntry {
                value: Node {
                    span: entry.value.span,
                    kind,
                },
                ..entry
            };
            problems.push(twice(known, &entry));
        }
    }
}

fn twice(first: &MapEntry, again: &MapEntry) -> Diagnostic {
    Diagnostic::error(format!("`{}` is set in two files", again.key))
        .at(again.at, "again")
        .related(first.at, "first here")
        .hint("keep one of the two, or pass one file with `--overlay`")
}
