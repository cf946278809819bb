//! One file laid over a whole manifest: maps merge, lists and scalars replace, keys go.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::manifest::nearest;
use crate::manifest::node::{Entry, Kind, Node};

/// Lays `overlay` over `base`. Its `remove` goes first, so that a map can be replaced whole.
pub fn lay(base: &mut Node, mut overlay: Node, problems: &mut Vec<Diagnostic>) {
    if let Kind::Map(entries) = &mut overlay.kind
        && let Some(at) = entries.iter().position(|entry| entry.key == "remove")
    {
        let remove = entries.remove(at);
        if !matches!(remove.value.kind, Kind::List(_)) {
            problems.push(Diagnostic::error("`remove` takes a list").at(
                remove.value.span,
                "of keys, as in `[hosts.old.example.org]`",
            ));
        }
        for node in remove.value.list() {
            match node.text() {
                Some(path) if remove_path(base, path) => {}
                Some(path) => problems.push(nothing_there(base, node, path)),
                None => problems
                    .push(Diagnostic::error("`remove` takes keys").at(node.span, "this is no key")),
            }
        }
    }
    merge(base, overlay);
}

fn merge(base: &mut Node, overlay: Node) {
    match (&mut base.kind, overlay.kind) {
        (Kind::Map(into), Kind::Map(from)) => {
            let places: HashMap<String, usize> = into
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.key.clone(), at))
                .collect();
            for entry in from {
                match places.get(&entry.key) {
                    Some(at) => lay_entry(&mut into[*at], entry),
                    None => into.push(entry),
                }
            }
        }
        (_, kind) => {
            *base = Node {
                span: overlay.span,
                kind,
            };
        }
    }
}

/// Two maps merge; anything else replaces what was there, which is remembered for `explain` and for
/// list edits.
fn lay_entry(base: &mut Entry, overlay: Entry) {
    if let (Kind::Map(_), Kind::Map(_)) = (&base.value.kind, &overlay.value.kind) {
        merge(&mut base.value, overlay.value);
        return;
    }
    let under = std::mem::replace(base, overlay);
    base.under = Some(Box::new(under));
}

/// Takes away what a path names. Keys may hold dots themselves, as host names do:
/// the longest key that leads on wins.
fn remove_path(node: &mut Node, path: &str) -> bool {
    let Kind::Map(entries) = &mut node.kind else {
        return false;
    };
    if let Some(at) = entries.iter().position(|entry| entry.key == path) {
        entries.remove(at);
        return true;
    }
    let mut leading: Vec<usize> = (0..entries.len())
        .filter(|at| rest_after(&entries[*at], path).is_some())
        .collect();
    leading.sort_by_key(|at| std::cmp::Reverse(entries[*at].key.len()));
    leading.into_iter().any(|at| {
        rest_after(&entries[at], path)
            .map(str::to_owned)
            .is_some_and(|rest| remove_path(&mut entries[at].value, &rest))
    })
}

fn rest_after<'a>(entry: &Entry, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(entry.key.as_str())?.strip_prefix('.')
}

fn nothing_there(base: &Node, at: &Node, path: &str) -> Diagnostic {
    // Go as deep as the path leads, and look among the keys there.
    let (mut node, mut rest, mut walked) = (base, path, String::new());
    while let Some((entry, tail)) = node
        .entries()
        .iter()
        .filter_map(|entry| rest_after(entry, rest).map(|tail| (entry, tail)))
        .max_by_key(|(entry, _)| entry.key.len())
    {
        walked = format!("{walked}{}.", entry.key);
        (node, rest) = (&entry.value, tail);
    }
    let problem =
        Diagnostic::error(format!("there is no `{path}` to remove")).at(at.span, "names nothing");
    match nearest::nearest(rest, node.entries().iter().map(|entry| entry.key.as_str())) {
        Some(key) => problem.hint(format!("did you mean `{walked}{key}`?")),
        None => problem,
    }
}
