//! The lines in which two manifests differ, each with the keys that lead to it.

use std::collections::BTreeMap;

use crate::diagnostic::Span;
use crate::manifest::{Kind, Manifest, Node};

/// A value of one manifest that the other one does not have, or has with another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangedLine {
    /// The keys that lead to it, such as `hosts`, `backend1.example.org`, `state`.
    pub path: Vec<String>,
    /// What is written there, in both manifests. It may hold a secret, and is never shown.
    pub text: String,
    /// Where.
    pub at: Span,
    /// Whether it is of the older manifest.
    pub is_old: bool,
}

/// The last part of the path of a list's order.
const ORDER: &str = "\u{0}order";

type Leaves = BTreeMap<Vec<String>, (String, Span)>;

/// The lines in which two manifests differ, those of the newer one first.
pub(super) fn changed(old: &Manifest, new: &Manifest) -> Vec<ChangedLine> {
    let [old, new] = [old, new].map(|manifest| {
        let mut leaves = Leaves::new();
        flatten(
            &manifest.root,
            &mut Vec::new(),
            manifest.root.span,
            &mut leaves,
        );
        leaves
    });
    let mut lines = Vec::new();
    for (path, (text, at)) in &new {
        let before = old.get(path);
        if before.is_none_or(|(before, _)| before != text) {
            let both = before.map_or_else(String::new, |(before, _)| format!("{before} "));
            lines.push((path, format!("{both}{text}"), *at, false));
        }
    }
    for (path, (text, at)) in &old {
        if !new.contains_key(path) {
            lines.push((path, text.clone(), *at, true));
        }
    }
    // The order of a list counts where its members are the same.
    let has_other = |list: &[String], all: &[(&Vec<String>, String, Span, bool)]| {
        all.iter().any(|(path, ..)| {
            path.len() > list.len() && path.starts_with(list) && path[list.len()] != ORDER
        })
    };
    let keep: Vec<bool> = lines
        .iter()
        .map(|(path, ..)| match path.split_last() {
            Some((last, list)) if last == ORDER => !has_other(list, &lines),
            _ => true,
        })
        .collect();
    let lines = lines.into_iter().zip(keep).filter(|(_, keep)| *keep);
    lines
        .map(|((path, text, at, is_old), _)| ChangedLine {
            path: path.iter().filter(|part| *part != ORDER).cloned().collect(),
            text,
            at,
            is_old,
        })
        .collect()
}

/// Enters each value of a tree with its keys. An element of a list has its own text for a key, so that one that comes
/// before it does not count as its change.
fn flatten(node: &Node, path: &mut Vec<String>, at: Span, leaves: &mut Leaves) {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            leaves.insert(path.clone(), (text.clone(), at));
        }
        Kind::Map(entries) if entries.is_empty() => {
            leaves.insert(path.clone(), (String::new(), at));
        }
        Kind::Map(entries) => {
            for entry in entries {
                path.push(entry.key.clone());
                flatten(&entry.value, path, entry.at, leaves);
                path.pop();
            }
        }
        Kind::List(nodes) => {
            let mut order = Vec::new();
            for node in nodes {
                let text = words(node);
                path.push(text.clone());
                let at = node.entries().first().map_or(node.span, |entry| entry.at);
                leaves.insert(path.clone(), (text.clone(), at));
                path.pop();
                order.push(text);
            }
            path.push(ORDER.to_owned());
            leaves.insert(path.clone(), (order.join("\n"), at));
            path.pop();
        }
    }
}

/// All that a node says, in one text.
fn words(node: &Node) -> String {
    match &node.kind {
        Kind::Scalar { text, .. } => text.clone(),
        Kind::List(nodes) => nodes.iter().map(words).collect::<Vec<_>>().join(" "),
        Kind::Map(entries) => {
            let words = entries.iter();
            let words = words.map(|entry| format!("{} {}", entry.key, self::words(&entry.value)));
            words.collect::<Vec<_>>().join(" ")
        }
    }
}
