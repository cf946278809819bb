//! One file laid over a whole manifest: maps merge, lists and scalars replace, keys go.
//!
//! A secret is one value, also where it is written as a map (`{file: PATH}`), so it is replaced.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::manifest::grammar;
use crate::manifest::node::{Kind, MapEntry, Node};
use crate::manifest::shape::Shape;
use crate::nearest;

static WHOLE: Shape = Shape::Record(&grammar::MANIFEST);

/// Lays `overlay` over `base`. Its `remove` goes first, so that a map can be replaced whole.
pub fn lay(base: &mut Node, mut overlay: Node, problems: &mut Vec<Diagnostic>) {
    if let Kind::Map(entries) = &mut overlay.kind
        && let Some(at) = entries.iter().position(|entry| entry.key == "remove")
    {
        let remove = entries.remove(at);
        if !matches!(remove.value.kind, Kind::List(_)) {
            problems.push(
                Diagnostic::error("`remove` takes a list")
                    .at(remove.value.span, "of keys")
                    .hint("write `[hosts.old.example.org]`"),
            );
        }
        for node in remove.value.list() {
            match node.text() {
                Some(path) if remove_path(base, path) => {}
                Some(path) => problems.push(nothing_there(base, node, path)),
                None => problems.push(
                    Diagnostic::error("`remove` takes keys")
                        .at(node.span, "this is not a key")
                        .hint("write the path of the key with dots, as in `hosts.old.example.org`"),
                ),
            }
        }
    }
    merge(base, overlay, Some(&WHOLE));
}

/// `shape` is what the grammar says of the place, where it says anything.
fn merge(base: &mut Node, overlay: Node, shape: Option<&'static Shape>) {
    match (&mut base.kind, overlay.kind) {
        (Kind::Map(into), Kind::Map(from)) if !matches!(shape, Some(Shape::Secret)) => {
            let mut from = from;
            give_way(into, &mut from, shape);
            let places: HashMap<String, usize> = into
                .iter()
                .enumerate()
                .map(|(at, entry)| (entry.key.clone(), at))
                .collect();
            for entry in from {
                match places.get(&entry.key) {
                    Some(at) => {
                        let shape = shape.and_then(|shape| below(shape, &entry.key));
                        lay_entry(&mut into[*at], entry, shape);
                    }
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

/// Takes away what the overlay has another word for: a file has one text, in `content` or in `template`. The new
/// word remembers the old one.
fn give_way(into: &mut Vec<MapEntry>, from: &mut [MapEntry], shape: Option<&'static Shape>) {
    let Some(Shape::Record(record)) = shape.and_then(of_map) else {
        return;
    };
    let is_one = |entry: &MapEntry| record.alternatives.contains(&entry.key.as_str());
    let mut news: Vec<&mut MapEntry> = from.iter_mut().filter(|entry| is_one(entry)).collect();
    let Some(at) = into
        .iter()
        .position(|entry| is_one(entry) && news.iter().all(|new| new.key != entry.key))
    else {
        return;
    };
    if let [new] = news.as_mut_slice() {
        new.under = Some(Box::new(into.remove(at)));
    }
}

/// The shape of the value of a key.
fn below(shape: &'static Shape, key: &str) -> Option<&'static Shape> {
    match of_map(shape)? {
        Shape::Map(_, shape) => Some(unwrapped(shape)),
        Shape::Record(record) => {
            let field = record.fields.iter().find(|field| field.key == key);
            let other = || record.others.map(|(_, shape)| shape);
            field
                .map(|field| &field.shape)
                .or_else(other)
                .map(unwrapped)
        }
        _ => None,
    }
}

/// The shape that a map has here.
fn of_map(shape: &'static Shape) -> Option<&'static Shape> {
    match shape {
        Shape::Map(..) | Shape::Record(_) => Some(shape),
        Shape::Nullable(_, shape) => of_map(shape),
        Shape::Either(shapes) => shapes.iter().find_map(of_map),
        _ => None,
    }
}

fn unwrapped(shape: &'static Shape) -> &'static Shape {
    match shape {
        Shape::Nullable(_, shape) => unwrapped(shape),
        _ => shape,
    }
}

/// Two maps merge; anything else replaces what was there, which is remembered for `explain` and for
/// list edits.
fn lay_entry(base: &mut MapEntry, overlay: MapEntry, shape: Option<&'static Shape>) {
    if let (Kind::Map(_), Kind::Map(_)) = (&base.value.kind, &overlay.value.kind) {
        merge(&mut base.value, overlay.value, shape);
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

fn rest_after<'a>(entry: &MapEntry, path: &'a str) -> Option<&'a str> {
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
    let problem = Diagnostic::error(format!("`remove` names `{path}`, which does not exist"))
        .at(at.span, "not in the manifest");
    match nearest::nearest(rest, node.entries().iter().map(|entry| entry.key.as_str())) {
        Some(key) => problem.hint(format!("did you mean `{walked}{key}`?")),
        None => problem.hint("delete this line if the key is already gone"),
    }
}
