//! Where a manifest's text holds a secret: those places are masked before a line is shown.

use crate::diagnostic::Span;
use crate::manifest::Text;
use crate::manifest::node::{Kind, Node};

/// Whether a key holds a secret, by its name: the manifest may be wrong in every other way.
fn holds_secret(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let words = ["password", "passphrase", "passwd", "secret"];
    let named =
        key.ends_with("_pw") || key == "token" || words.iter().any(|word| key.contains(word));
    // `smtp_sasl_password_maps` names a table, unless it is the table.
    named && (!key.ends_with("_maps") || value.contains("static:") || value.contains("inline:"))
}

/// Adds the places of literal secrets in a tree.
pub fn in_tree(node: &Node, places: &mut Vec<Span>) {
    for node in node.list() {
        in_tree(node, places);
    }
    for entry in node.entries() {
        match &entry.value.kind {
            Kind::Scalar { text, .. }
                if holds_secret(&entry.key, text) && !entry.value.is_null() =>
            {
                places.push(entry.value.span);
            }
            // A list where a secret belongs is a mistake, and holds it all the same.
            Kind::List(nodes) if holds_secret(&entry.key, "") => {
                let scalars = nodes.iter().filter(|node| node.text().is_some());
                places.extend(scalars.map(|node| node.span));
            }
            // Under `secrets` the keys are names of the user's own.
            Kind::Map(_) if entry.key == "secrets" => {
                let entries = entry.value.entries().iter().map(|entry| &entry.value);
                places.extend(
                    entries
                        .filter(|node| node.text().is_some())
                        .map(|node| node.span),
                );
            }
            _ => in_tree(&entry.value, places),
        }
    }
}

/// Without a tree there are lines: whatever follows a secret's key is taken for one.
pub fn in_lines(text: Text<'_>, places: &mut Vec<Span>) {
    let mut start = 0;
    for line in text.text.split_inclusive('\n') {
        let mut from = 0;
        while let Some(colon) = line[from..].find(':').map(|at| from + at) {
            let key = line[..colon]
                .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
                .find(|word| !word.is_empty())
                .unwrap_or("");
            let value = line[colon + 1..].trim_start();
            let by_name = key == "secrets" || !value.starts_with('{');
            if holds_secret(key, value) && by_name && !value.trim().is_empty() {
                let at = |offset: usize| u32::try_from(start + offset).unwrap_or(u32::MAX);
                places.push(Span {
                    source: text.source,
                    start: at(line.len() - value.len()),
                    end: at(line.trim_end().len()),
                });
                break;
            }
            from = colon + 1;
        }
        start += line.len();
    }
}
