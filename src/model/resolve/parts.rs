//! The parts of an entry of `services`, `files` or `settings`: words with places of their own, those that an
//! overlay has replaced behind the ones that it gave.

use std::collections::BTreeMap;

use crate::diagnostic::Span;
use crate::manifest::{Kind, MapEntry, Node};
use crate::model::{ContentSpec, FileSpec, Layer, Level, ServiceSpec};
use crate::name::Parameter;
use crate::thing::Field;

/// What an entry of master.cf says, part by part: each is a word with a place of its own, the nearest first
/// where overlays have replaced it. An entry that says nothing is a word too.
pub(super) fn service(
    entry: &MapEntry,
    level: &Level,
    whole: Layer<ServiceSpec>,
) -> Vec<Layer<ServiceSpec>> {
    let ServiceSpec::Entry { fields, options } = &whole.value else {
        return vec![whole];
    };
    let mut words = Vec::new();
    let mut say = |part: &MapEntry, fields: BTreeMap<Field, String>, options| {
        words.push(layer(
            level,
            part.at,
            &part.value,
            ServiceSpec::Entry { fields, options },
        ));
    };
    for field in fields.keys() {
        let parts = entry.value.entry(field.as_str()).into_iter();
        for part in parts.flat_map(MapEntry::and_under) {
            if let Some(text) = part.value.text() {
                let fields = BTreeMap::from([(*field, text.to_owned())]);
                say(part, fields, BTreeMap::new());
            }
        }
    }
    let listed = entry.value.get("options").map_or(&[][..], Node::entries);
    for part in listed.iter().flat_map(MapEntry::and_under) {
        if let Ok(name) = Parameter::new(part.key.as_str())
            && options.contains_key(&name)
        {
            let options = BTreeMap::from([(name, scalar(&part.value))]);
            say(part, BTreeMap::new(), options);
        }
    }
    if words.is_empty() {
        words.push(whole);
    }
    words
}

/// The place of a list edit: the part that an overlay gave or replaced, else the key.
pub(super) fn edit(entry: &MapEntry) -> Span {
    let parts = entry.value.entries().iter();
    parts
        .rev()
        .find_map(|part| changed(entry, Some(part)))
        .map(|part| part.at)
        .unwrap_or(entry.at)
}

/// A file whose text an overlay replaced: the word stands where the overlay has it, and what was
/// there before comes behind it.
pub(super) fn file(entry: &MapEntry, word: Layer<FileSpec>) -> Vec<Layer<FileSpec>> {
    let text = ["content", "template"]
        .into_iter()
        .find_map(|key| changed(entry, entry.value.entry(key)));
    let Some(text) = text else {
        return vec![word];
    };
    let under = text.and_under().skip(1).filter_map(|old| {
        let FileSpec::Present {
            owner,
            group,
            mode,
            table,
            ..
        } = word.value.clone()
        else {
            return None;
        };
        // Only `explain` looks at it: the overlay's text is the one that counts.
        let content = ContentSpec::Literal(old.value.text()?.to_owned());
        Some(Layer {
            level: word.level.clone(),
            at: old.at,
            value: FileSpec::Present {
                content,
                owner,
                group,
                mode,
                table,
            },
        })
    });
    let under: Vec<Layer<FileSpec>> = under.collect();
    let at = text.at;
    std::iter::once(Layer { at, ..word }).chain(under).collect()
}

/// A part that an overlay gave, or replaced.
fn changed<'n>(whole: &MapEntry, part: Option<&'n MapEntry>) -> Option<&'n MapEntry> {
    part.filter(|part| part.under.is_some() || part.at.source != whole.at.source)
}

/// The word of one layer. It points at the value where that has a place of its own, else at `key`: a block list or
/// map has none.
pub(super) fn layer<T>(level: &Level, key: Span, node: &Node, value: T) -> Layer<T> {
    let at = match node.kind {
        Kind::Scalar { .. } if node.span.end > node.span.start => node.span,
        _ => key,
    };
    Layer {
        level: level.clone(),
        at,
        value,
    }
}

/// The text of a scalar, as it is in the manifest; none for `null`, a list or a map.
pub(super) fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar { text, .. } if !node.is_null() => Some(text.clone()),
        _ => None,
    }
}
